"""Inputs that contradict each other, and valid values that are probably mistakes."""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from redeploy.settings import parsers
from redeploy.settings.plan import Mode, OnFailure, Plan
from redeploy.settings.reading import Reader
from redeploy.text.secret import SHORTEST_HEADER
from redeploy.text.untrusted import code
from redeploy.verdicts import Proof

if TYPE_CHECKING:  # few inputs have conditions
    from redeploy.conditions.clause import Clause

UNMATCHED = (
    "containrrr and openserbia match no image whose registry has a port, so they update nothing. Leave `image` out, or "
    "limit the update by `container`, which nicholas-fedor 1.20 and newer understand."
)
"""Why an update that is limited to an image may not update it."""


_CREDENTIAL = re.compile(r"auth|token|secret|passw|key|cookie|credential", re.IGNORECASE)


def check_together(plan: Plan, reader: Reader) -> None:
    """Note every problem of inputs that contradict each other."""
    proof = plan.require_proof
    if plan.mode is Mode.VERIFY and proof is Proof.CLAIM:
        reader.wrong(
            "require-proof",
            "`claim` is impossible in mode `verify`, which does not ask Watchtower; use `version` or `digest`",
        )
    if plan.mode is Mode.VERIFY and proof is Proof.CHANGE and not reader.texts["baseline"]:
        reader.wrong(
            "require-proof",
            "`change` is impossible in mode `verify` without `baseline`, since the run sees no earlier build; give the "
            "report of a step that looked before, or use `version` or `digest`",
        )
    _check_waiting(plan, reader)
    if proof is Proof.VERSION and not reader.texts["expect-version"]:
        reader.wrong("require-proof", f"`version` needs `expect-version`, such as `{reader.commit}`")
    if proof is Proof.DIGEST and not reader.texts["expect-digest"] and plan.mode is not Mode.ROLLBACK:
        reader.wrong("require-proof", "`digest` needs `expect-digest`, an output of docker/build-push-action")
    _check_rollback(plan, reader)
    _check_branch(plan, reader)
    if plan.version_of_image and plan.image is None and not reader.has_problem("image"):
        reader.wrong("expect-version", "`image` needs the input `image` with one image, to read the commit from it")
    if reader.texts["services"] and not reader.texts["config"]:
        reader.wrong("services", "chooses services from a config file, but `config` names none")
    for name, other in (("registry-username", "registry-password"), ("registry-password", "registry-username")):
        if reader.texts[name] and not reader.texts[other]:
            reader.wrong(other, f"is empty, but `{name}` needs it; if it is a secret, it is probably not set")
    named = ("watchtower-url", "watchtower-token", "containers-url")
    if reader.texts["expect-digest"] and not plan.watchtower.containers_url and not any(map(reader.has_problem, named)):
        needs = (
            "`containers-url`, because `watchtower-url` does not end in `/update`"
            if reader.texts["watchtower-token"]
            else "`watchtower-token` and a containers URL, to read the running digest"
        )
        reader.wrong("expect-digest", f"needs {needs}")


def _check_branch(plan: Plan, reader: Reader) -> None:
    if plan.branch and plan.mode is not Mode.VERIFY and not reader.has_problem("mode"):
        reader.wrong(
            "expect-version",
            f"`branch:{plan.branch}` is for mode `verify`: a deploy must put one certain build live, such as "
            f"`{reader.commit}`",
        )
    if plan.grace and not plan.branch and not reader.has_problem("expect-version"):
        reader.wrong(
            "grace",
            "says how long production may lag behind a branch; name the branch with `expect-version: branch:main`",
        )


def _check_waiting(plan: Plan, reader: Reader) -> None:
    """Note what prevents a run from waiting for a build that another tool deploys."""
    asked = ["wait-for-build"] * plan.wait_for_build + ["baseline"] * bool(reader.texts["baseline"])
    if not asked or any(map(reader.has_problem, asked)):
        return
    if plan.mode is not Mode.VERIFY:
        for name in asked:
            reader.wrong(
                name,
                f"is for mode `verify`, around the deploy of another tool; mode `{plan.mode}` asks Watchtower itself and "
                "looks before it does, so leave it out",
            )
        return
    if plan.branch:
        reader.wrong(
            asked[0],
            "cannot be combined with `expect-version: branch:...`, which compares once, with the branch as it is now; "
            "declare the commit that was deployed, such as `${{ github.sha }}`",
        )
    expects = (
        plan.declared or plan.version_of_image or any(map(reader.has_problem, ("expect-version", "expect-digest")))
    )
    if plan.baseline is None and not expects and not plan.branch:
        reader.wrong(
            "wait-for-build",
            "has nothing to wait for: `baseline` is empty, and neither `expect-version` nor `expect-digest` is given. "
            "Declare what must be live, or look with an earlier step and give its report, "
            "`baseline: ${{ steps.baseline.outputs.report }}`. If it is given, that step has another `id`, did not run, or "
            "runs in another job: GitHub drops an output on its way to another job if it contains a masked word, so keep "
            "both steps in one job",
        )
    if plan.baseline is not None and plan.baseline.url != plan.service.base_url and not reader.has_problem("base-url"):
        reader.wrong(
            "baseline",
            f"is a report about {code(plan.baseline.url)}, and this step looks at {code(plan.service.base_url)}; give both "
            "steps the same `base-url`",
        )


def _check_rollback(plan: Plan, reader: Reader) -> None:
    rolls_back = plan.on_failure is OnFailure.ROLLBACK
    if rolls_back and plan.mode is not Mode.DEPLOY:
        why = "is a rollback itself" if plan.mode is Mode.ROLLBACK else "deploys nothing"
        reader.wrong("on-failure", f"`rollback` is for mode `deploy`; mode `{plan.mode}` {why}, so leave it out")
    if plan.may_roll_back and (plan.image is None or plan.image.digest) and not reader.has_problem("image"):
        asked = "mode `rollback`" if plan.mode is Mode.ROLLBACK else "`on-failure: rollback`"
        reader.wrong(
            "image",
            f"must name exactly one image for {asked}, with the tag that the container runs and not with a digest, such as "
            "`ghcr.io/owner/app:latest`; the rollback moves that tag back",
        )
    if reader.texts["rollback-to"] and not plan.may_roll_back:
        reader.wrong("rollback-to", "says what to put back, but this run never rolls back: add `on-failure: rollback`")
    if plan.image is not None and not plan.image.bare and plan.rollback_to == plan.image.tag:
        reader.wrong("rollback-to", "names the tag that the rollback moves; give another tag, or a digest")
    if plan.mode is Mode.ROLLBACK and reader.texts["max-downtime"]:
        reader.wrong("max-downtime", "is for a deploy; a rollback may take as long as it needs, so leave it out")
    if plan.mode is Mode.ROLLBACK and reader.texts["expect-digest"]:
        reader.wrong("expect-digest", "is for a deploy; in mode `rollback`, `rollback-to` says what must be live")


def doubts(plan: Plan, commit: str) -> list[str]:
    """Return warnings about valid values that are probably mistakes; `commit` is how to write a workflow's commit."""
    found: list[str] = []
    if plan.baseline is not None and not plan.declared and not plan.version_of_image and not compares(plan):
        found.append(
            f"The report in `baseline` has nothing to compare with: at {code(plan.service.base_url)} the service "
            "was down, did not name its build, or was requested at other addresses. So no change can be proven; declare "
            "what must be live with `expect-version` or `expect-digest`."
        )
    if parsers.moves(plan.expect_version):
        found.append(
            f"`expect-version` is `{plan.expect_version}`, a word that moves from build to build: the service would have to "
            f"report exactly this word. Declare the commit, `{commit}`, or the version number."
        )
    found += _too_fine(plan)
    ports = [each.name for each in plan.images if ":" in each.registry]
    if ports and plan.mode is Mode.DEPLOY:
        found.append(f"`image` names `{ports[0]}`, whose registry has a port. {UNMATCHED}")
    for name, value in (*plan.headers.items(), *plan.service_headers.items()):
        if len(value.reveal()) < SHORTEST_HEADER and _CREDENTIAL.search(name):
            found.append(
                f"The value of the header `{name}` has fewer than {SHORTEST_HEADER} characters, too few to be masked in the "
                "log or hidden in texts that repeat it."
            )
    for name, clause in _clauses(plan):
        if re.search(r"\s#", clause.values[-1]) and clause.written[-1] not in "\"'":
            found.append(
                f"In `{name}`, {code(clause.written, 120)} has a `#` that counts as part of the value. Put a comment on its "
                "own line. If the `#` is meant, put the value in quotes."
            )
    return found


def _too_fine(plan: Plan) -> Iterator[str]:
    """Yield a warning if the allowed downtime is shorter than the time between two looks at the service."""
    if plan.max_downtime is None or plan.rate is None or plan.max_downtime >= plan.rate.apart:
        return
    yield (
        f"`max-downtime` is {plan.max_downtime:g} s, and at this `request-rate` two looks at the service may be "
        f"{plan.rate.apart:g} s apart. The time between two looks is not measured: a shorter interruption is a warning at "
        "most. Raise `request-rate` as far as the proxy in front of the service allows, or `max-downtime`."
    )


def compares(plan: Plan, redact: Callable[[str], str] = str) -> bool:
    """Return whether the baseline's report has anything that a change can be compared with."""
    document = plan.checks.document_url is not None
    return plan.baseline is not None and plan.baseline.distinguishes_builds(plan.service, redact, document=document)


def _clauses(plan: Plan) -> "Iterator[tuple[str, Clause]]":
    yield from (("health-expect", each) for each in plan.service.health_expect.clauses)
    yield from (("smoke", each) for smoke in plan.checks.smoke for each in smoke.clauses)
