"""A new build with occasional failed looks: it gets time to prove that it is stable."""

from collections.abc import Callable
from itertools import count

import pytest

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout.requests import Probe
from sandbox.simulation import REFUSED, Taking, World, simulate
from tests.unit.factories import NEW, OLD, page, ready, reply

STOPPED, LIVE = 7.5, 13.8
LOST = TransportError(ErrorKind.CUT)


def hiccups(missed: tuple[int, ...], *, named: bool) -> Callable[[float, Probe], HttpResult]:
    """A service whose new build is live from `LIVE` on; these looks get a 502 of a proxy."""
    looks = count(1)

    def service(moment: float, _: Probe) -> HttpResult:
        if STOPPED <= moment < LIVE:
            return REFUSED
        if moment >= LIVE and next(looks) in missed:
            return page(502)
        return ready(commit=OLD if moment < STOPPED else NEW) if named else Response(200)

    return service


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missed", [(5, 8), (11, 14, 20), (3, 6, 9, 12)])
@pytest.mark.parametrize("answer", [(reply(504), 60.0), (LOST, 11.0)], ids=["504 after a minute", "cut"])
def test_a_build_without_a_name_is_green_some_time_after_the_last_look_that_failed(
    missed: tuple[int, ...], answer: Taking, seed: int
) -> None:
    story = simulate(
        World(hiccups(missed, named=False), (answer,), seed=seed, latency=0.1), openapi_path="off", timeout="100s"
    )
    assert story.verdict == ("unproven", "no-identity"), story.log.lines


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("missed", [(6, 13, 17), (2, 3, 4)])
@pytest.mark.parametrize("declared", [True, False])
def test_a_build_with_a_name_is_green_too(missed: tuple[int, ...], declared: bool, seed: int) -> None:
    inputs = {"expect_version": NEW} if declared else {}
    world = World(hiccups(missed, named=True), ((LOST, 11.2),), seed=seed, latency=0.15)
    story = simulate(world, openapi_path="off", timeout="60s", **inputs)
    assert story.verdict == ("deployed", ""), story.log.lines
