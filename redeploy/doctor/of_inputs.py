"""The link of the inputs, which are valid if anything is examined at all."""

from redeploy.doctor.known import Known, urls_of
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.findings import Finding
from redeploy.report.chain import Check, LinkResult, listed, ok, warning
from redeploy.text.untrusted import code


def of_inputs(known: Known) -> LinkResult:
    """Return which update the inputs describe."""
    tower = known.plan.watchtower
    names = [code(each, 80) for each in (*tower.containers, *tower.images)]
    seen = f"valid; an update {f'is limited to {listed(names)}' if names else 'takes all watched containers'}"
    plain = [each for each in urls_of(known.plan) if each.startswith("http:") and not is_loopback(each)]
    if plain:
        return warning(Check.INPUTS, f"{seen}; {code(origin_of(plain[0]))} is plain http", Finding.PLAIN_HTTP)
    return ok(Check.INPUTS, seen)
