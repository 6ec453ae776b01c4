"""What a registry reports about the expected image, and about the one that a rollback would put back.

It is loaded only if an image is named, while the first looks are under way.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from redeploy.http.response import HttpResult
from redeploy.registry.errors import Trouble
from redeploy.registry.known_manifests import KnownManifests
from redeploy.registry.lookup import Lookup, found_in
from redeploy.rollout.requests import FetchManifest, FetchRevision
from redeploy.settings.plan import Plan

if TYPE_CHECKING:  # few runs roll back
    from redeploy.rollout.previous.target import RestoreTarget


def lookup_of(plan: Plan, manifests: KnownManifests, *, patient: bool) -> Lookup | None:
    """Return the look-up of a plan's image; None unless exactly one image is named."""
    if plan.image is None:
        return None
    return Lookup(
        plan.image, plan.expect_digest, names_version=plan.version_of_image, patient=patient, manifests=manifests
    )


def take_response(
    request: FetchRevision | FetchManifest,
    http_result: HttpResult,
    *,
    plan: Plan,
    lookup: Lookup | None,
    target: "RestoreTarget | None",
    manifests: KnownManifests,
) -> Plan:
    """Take in a response of the registry, and return the plan: its version may now be the one that the image names."""
    if isinstance(request, FetchRevision) and lookup:
        lookup.take_revision(request.manifest, http_result)
        if plan.version_of_image:
            plan = replace(plan, expect_version=lookup.revision)
    if plan.image is None:
        return plan
    found = found_in(http_result, plan.image)
    if target is not None:
        target.take(request, found)
    if isinstance(request, FetchRevision):
        return plan
    if isinstance(found, Trouble):
        manifests.give_up(request.reference)
    elif not isinstance(found, str):
        manifests.learn(found)
    return plan
