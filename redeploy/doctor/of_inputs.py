"""What was found about the inputs, which fit where anything is examined at all."""

from redeploy.doctor.evidence import Evidence, urls_of
from redeploy.http.urls import is_loopback, origin_of
from redeploy.remedies.findings import Finding
from redeploy.report.chain import Check, LinkResult, listed, ok, warning
from redeploy.text.untrusted import code


def of_inputs(known: Evidence) -> LinkResult:
    """Return what the inputs ask for."""
    tower = known.plan.watchtower
    names = [code(each, 80) for each in (*tower.containers, *tower.images)]
    told = f"fit; an update is {f'narrowed to {listed(names)}' if names else 'of all that is watched'}"
    plain = [each for each in urls_of(known.plan) if each.startswith("http:") and not is_loopback(each)]
    if plain:
        return warning(Check.INPUTS, f"{told}; {code(origin_of(plain[0]))} is plain http", Finding.PLAIN_HTTP)
    return ok(Check.INPUTS, told)
