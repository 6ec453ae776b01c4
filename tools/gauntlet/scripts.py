"""Random rollouts for the simulation: what really happens, and what disturbs the action's view of it."""

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.rollout.requests import Probe
from sandbox.simulation import REFUSED, TOKEN, Taking, World

OLD, NEW, THIRD = "1" * 40, "2" * 40, "3" * 40
_DIGESTS = {build: f"sha256:{build[:1] * 64}" for build in (OLD, NEW, THIRD)}
NEW_DIGEST = _DIGESTS[NEW]
FOR_EVER = float("inf")
_JSON = {"content-type": "application/json"}
_STOCK_503 = Response(
    503,
    {"content-type": "text/html", "server": "nginx"},
    b"<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503 Service Temporarily "
    b"Unavailable</h1></center><hr><center>nginx</center></body></html>",
)
_NOT_READY = Response(503, _JSON, b'{"status": "starting"}')


@dataclass(frozen=True)
class Stretch:
    """From `start` on (seconds since the trigger) this build runs, healthy or not; an empty name: no build runs."""

    start: float
    build: str
    healthy: bool = True


@dataclass(frozen=True)
class Script:
    """One random rollout. `stretches` is what really happens; the rest is how it appears to the action."""

    seed: int
    rollout: str
    identity: str
    answer: str
    noise: str
    stretches: tuple[Stretch, ...]
    inputs: dict[str, str]
    timeout: float
    world: World

    def at(self, moment: float) -> Stretch:
        """Return what really runs at a moment."""
        return next(each for each in reversed(self.stretches) if each.start <= moment)

    def is_live(self, since: float, until: float) -> bool:
        """Whether the new build is live and healthy from one moment to another, without interruption."""
        within = [self.at(since), *(each for each in self.stretches if since < each.start <= until)]
        return all(each.build == NEW and each.healthy for each in within)

    @property
    def lasts_from(self) -> float:
        """The moment from which the new build is permanently live and healthy; infinity if there is none."""
        last = self.stretches[-1]
        return last.start if last.build == NEW and last.healthy else FOR_EVER


Plan = tuple[tuple[Stretch, ...], float, str]
"""What happens, when Watchtower is done, and what it may correctly report: `updated`, `nothing`, `failed` or `back`."""


def _goes_live(chance: random.Random) -> Plan:
    stopped = chance.uniform(0.3, 12.0)
    live = stopped + chance.uniform(0.1, 12.0)
    return (_start(), Stretch(stopped, ""), Stretch(live, NEW)), chance.uniform(stopped, live), "updated"


def _late_ready(chance: random.Random) -> Plan:
    (first, gap, live), done, report = _goes_live(chance)
    ready = Stretch(live.start + chance.uniform(0.5, 15.0), NEW)
    return (first, gap, Stretch(live.start, NEW, healthy=False), ready), done, report


def _stays_old(chance: random.Random) -> Plan:
    return (_start(),), chance.uniform(0.1, 8.0), chance.choice(("nothing", "failed"))


def _gone(chance: random.Random) -> Plan:
    stopped = chance.uniform(0.3, 12.0)
    report = chance.choice(("updated", "failed"))
    return (_start(), Stretch(stopped, "")), stopped + chance.uniform(0.1, 2.0), report


def _never_ready(chance: random.Random) -> Plan:
    (first, gap, live), done, report = _goes_live(chance)
    return (first, gap, Stretch(live.start, NEW, healthy=False)), done, report


def _comes_and_goes(chance: random.Random, away: Callable[[float], Stretch]) -> Plan:
    (first, gap, live), done, report = _goes_live(chance)
    up, down = chance.uniform(0.3, 3.8), chance.uniform(1.0, 4.0)
    turns = [live]
    while turns[-1].start < 400:
        turns += [away(turns[-1].start + up), Stretch(turns[-1].start + up + down, NEW)]
    return (first, gap, *turns), done, report


def _crash_loop(chance: random.Random) -> Plan:
    return _comes_and_goes(chance, lambda start: Stretch(start, ""))


def _ready_now_and_then(chance: random.Random) -> Plan:
    return _comes_and_goes(chance, lambda start: Stretch(start, NEW, healthy=False))


def _another_build(chance: random.Random) -> Plan:
    (first, gap, live), done, report = _goes_live(chance)
    return (first, gap, Stretch(live.start, THIRD)), done, report


def _put_back(chance: random.Random) -> Plan:
    (first, gap, live), _, _ = _goes_live(chance)
    stopped = live.start + chance.uniform(1.0, 20.0)
    back = stopped + chance.uniform(0.1, 6.0)
    return (first, gap, live, Stretch(stopped, ""), Stretch(back, OLD)), back + chance.uniform(0.0, 1.0), "back"


def _start() -> Stretch:
    return Stretch(-FOR_EVER, OLD)


PUT_BACK = "Watchtower puts the old image back"
BY_DIGEST = "the digest is declared"
NAMELESS = "nothing is declared, nothing has a name"
ROLLOUTS: dict[str, tuple[Callable[[random.Random], Plan], int]] = {
    "the new build goes live": (_goes_live, 30),
    "it is ready a while later": (_late_ready, 12),
    "the old build stays": (_stays_old, 12),
    "nothing is left": (_gone, 8),
    "it is never ready": (_never_ready, 8),
    "it crashes again and again": (_crash_loop, 10),
    "its readiness comes and goes": (_ready_now_and_then, 8),
    "another build goes live": (_another_build, 6),
    PUT_BACK: (_put_back, 6),
}
"""What happens, with its frequency in percent."""
IDENTITIES = {
    "the commit is declared": {"expect_version": NEW},
    BY_DIGEST: {"expect_digest": NEW_DIGEST},
    "nothing is declared, builds have names": {},
    NAMELESS: {},
}
_ONLY = {
    "another build goes live": list(IDENTITIES)[:2],  # if nothing is declared, it would be the pushed build
    PUT_BACK: [name for name in IDENTITIES if name != BY_DIGEST],
}
NOISES = (
    "nothing",
    "two looks of a hundred get a 502",
    "two looks of a hundred get no response",
    "nginx's limit",
    "slow",
)


def script(seed: int) -> Script:
    """Return the rollout of a seed."""
    chance = random.Random(seed)
    rollout = chance.choices(list(ROLLOUTS), [share for _, share in ROLLOUTS.values()])[0]
    names = [name for name in IDENTITIES if rollout not in _ONLY or name in _ONLY[rollout]]
    identity, noise = chance.choice(names), chance.choice(NOISES)
    stretches, done, truly = ROLLOUTS[rollout][0](chance)
    line = _line(chance, rollout, identity)
    answer = _answer(chance, line, done, truly)
    timeout = chance.choice((60.0, 120.0, 300.0))
    shown = identity not in (NAMELESS, BY_DIGEST)
    look = _behind(noise, chance, lambda moment: _seen(_at(stretches, moment), shown=shown))

    def containers(moment: float) -> HttpResult:
        build = _at(stretches, moment).build or _at(stretches, moment, last=True).build
        listed = [{"name": "api", "image": "ghcr.io/o/api:latest", "digest": _DIGESTS[build]}] if build else None
        return Response(200, _JSON, json.dumps({"containers": listed}).encode())

    world = World(
        look,
        (answer,),
        containers=containers if identity == BY_DIGEST else lambda _: Response(404),
        latency=chance.uniform(0.01, 0.15),
        seed=seed,
    )
    inputs = {"timeout": f"{timeout:g}s", "openapi_path": "off", **IDENTITIES[identity]}
    return Script(seed, rollout, identity, f"{line}: {_brief(answer)}", noise, stretches, inputs, timeout, world)


def _at(stretches: Sequence[Stretch], moment: float, *, last: bool = False) -> Stretch:
    """Return what runs at a moment; `last`: the build that ran before, if none runs."""
    past = [each for each in stretches if each.start <= moment and (each.build or not last)]
    return past[-1]


def _seen(stretch: Stretch, *, shown: bool) -> HttpResult:
    if not stretch.build:
        return REFUSED
    if not stretch.healthy:
        return _NOT_READY
    names = {"commit": stretch.build} if shown else {}
    return Response(200, _JSON, json.dumps({"status": "ready", **names}).encode())


def _behind(
    noise: str, chance: random.Random, truth: Callable[[float], HttpResult]
) -> Callable[[float, Probe], HttpResult | Taking]:
    """Return how the truth appears to a probe."""
    level, last = 15.0, -FOR_EVER

    def look(moment: float, _: Probe) -> HttpResult | Taking:
        nonlocal level, last
        if noise == "nginx's limit":
            level = min(15.0, level + (moment - last) * 0.5) if last > -FOR_EVER else 15.0
            last = moment
            if level < 1:
                return _STOCK_503
            level -= 1
        struck = noise.startswith("two looks") and chance.random() < 0.02
        if struck:
            return Response(502) if "502" in noise else TransportError(ErrorKind.CUT)
        return (truth(moment), chance.uniform(0.2, 3.0)) if noise == "slow" and chance.random() < 0.2 else truth(moment)

    return look


def _line(chance: random.Random, rollout: str, identity: str) -> str:
    """Choose the product line of Watchtower: one puts images back, and one reports digests."""
    if rollout == PUT_BACK:
        return "openserbia"
    return "nicholas-fedor" if identity == BY_DIGEST else chance.choice(("nicholas-fedor", "containrrr", "openserbia"))


def _answer(chance: random.Random, line: str, done: float, truly: str) -> Taking:
    """Choose Watchtower's response to the trigger, and its delay; a quarter of the responses are lost."""
    if truly != "back" and chance.random() < 0.25:
        cut = chance.random() < 0.5
        return (TransportError(ErrorKind.CUT), chance.uniform(0, done)) if cut else (Response(504), 60.0)
    counts = {"updated": int(truly == "updated"), "failed": int(truly in ("failed", "back"))}
    echoed = {"echo": [TOKEN, base64.b64encode(TOKEN.encode()).decode(), TOKEN.encode().hex(), TOKEN[::-1]]}
    if line == "containrrr":
        return (Response(200), done)
    if line == "openserbia":
        reported = {name: count for name, count in counts.items() if count}
        document: dict[str, object] = {"status": "completed", "scanned": 1, **reported, **echoed}
    else:
        document = {"api_version": "v1", "summary": {"scanned": 1, "restarted": 0, "skipped": 0, **counts}, **echoed}
    return (Response(200, _JSON, json.dumps(document).encode()), done)


def _brief(answer: Taking) -> str:
    result, after = answer
    text = result.text[:120] if isinstance(result, Response) and result.body else ""
    what = f"{result.status} {text}".strip() if isinstance(result, Response) else result.error_kind.value
    return f"{what} after {after:.1f} s"
