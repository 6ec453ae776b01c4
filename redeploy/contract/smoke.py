"""Smoke requests: how the input writes them, and whether a response is the expected one."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from redeploy.contract.routes import method_of
from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import NEVER_SENT, Exchange, Fault, NoReply, Reply


@dataclass(frozen=True)
class Smoke:
    """A request that must be answered with `status`: three digits, or `2xx` and the like."""

    method: str
    target: str
    """Its path, or its whole URL, as the input writes it."""
    status: str
    url: str
    marked: bool = False
    """Whether `!` says that it may change something on the server."""

    def __str__(self) -> str:
        return f"{self.method} {self.target}" + ("" if self.status == "2xx" else f" {self.status}")

    @property
    def reads(self) -> bool:
        """Whether its method only reads, so that redirects can be followed."""
        return self.method in ("GET", "HEAD")

    @property
    def safe(self) -> bool:
        """Whether it may be repeated without a thought."""
        return self.reads and not self.marked


TRIES = 2
"""A request that failed is tried once more before it counts."""

_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)", re.IGNORECASE)


@dataclass(frozen=True)
class Judged(Reply):
    """A reply whose body was compared with what the document promises where it was read: that may take long."""

    misfit: str = ""
    """Where it departs from the promise; empty where it keeps to it."""
    partial: str = ""
    """Why only a part of it was compared; empty where all of it was."""


class Again(StrEnum):
    """Why an answer does not count as a try."""

    THROTTLED = "throttled"
    CACHED = "cached"


@dataclass(frozen=True)
class Result:
    """What came of a request; `seconds` from its sending to the end of its answer."""

    passed: bool
    seen: str
    """What came back, in our own words."""
    seconds: float
    final: bool = False
    """Whether another try could do harm."""
    again: Again | None = None
    partial: str = ""
    """Why a body was not compared whole with what the document promises; empty where it was, or nothing is promised."""


def parse_smoke(line: str) -> tuple[str, str, str, bool]:
    """Return method, target and status of a line `METHOD PATH [STATUS]`, and whether `!` marks it as unsafe.

    Raises:
        ValueError: with what is wrong.
    """
    unsafe = line.startswith("!")
    words = line.removeprefix("!").split()
    if len(words) not in (2, 3) or not re.match(r"/(?!/)|https?://", words[1]):
        msg = f"{line!r:.80} is not of the form `METHOD PATH [STATUS]`, such as `GET /api/status 200`"
        raise ValueError(msg)
    method, status = method_of(line, words[0]), (words[2:] or ["2xx"])[0].lower()
    if not _STATUS.fullmatch(status):
        msg = f"{line!r:.80}: {status!r:.20} is no status; write `200` or `2xx`"
        raise ValueError(msg)
    if method not in ("GET", "HEAD") and not unsafe:
        msg = f"{line!r:.80} may change something on the server; put `!` before the line if it is meant"
        raise ValueError(msg)
    return method, words[1], status, unsafe


def judge(smoke: Smoke, exchange: Exchange, seconds: float) -> Result:
    """Return what an answer, which took `seconds`, means for a smoke request; an unsafe one that went out is final."""
    never_sent = isinstance(exchange, NoReply) and exchange.fault in NEVER_SENT
    return replace(_judged(smoke, exchange, seconds), final=not smoke.safe and not never_sent)


def _judged(smoke: Smoke, exchange: Exchange, seconds: float) -> Result:
    condition, seen = condition_of(exchange)
    if isinstance(exchange, NoReply):
        if exchange.fault is Fault.TOO_LARGE and _is_wanted(smoke, exchange.status):
            return Result(
                passed=True, seen=str(exchange.status), seconds=seconds, partial="its body is larger than 1 MiB"
            )
        return Result(passed=False, seen=seen, seconds=seconds)
    exact = str(exchange.status) == smoke.status
    again = found_again(exchange)
    if again is Again.CACHED or (again is Again.THROTTLED and not exact):
        return Result(passed=False, seen=seen, seconds=seconds, again=again)
    passed = _is_wanted(smoke, exchange.status) and condition not in (Condition.CHALLENGE, Condition.ACCESS_WALL)
    if not passed:
        return Result(passed=False, seen=f"{seen}, not {smoke.status}", seconds=seconds)
    compared = exchange if isinstance(exchange, Judged) else Judged(exchange.status)
    told = f"{seen}, but {compared.misfit}" if compared.misfit else seen
    return Result(passed=not compared.misfit, seen=told, seconds=seconds, partial=compared.partial)


def found_again(exchange: Exchange) -> Again | None:
    """Return why an answer tells nothing of the service; None where it does."""
    return {Condition.THROTTLED: Again.THROTTLED, Condition.CACHED: Again.CACHED}.get(condition_of(exchange)[0])


def _is_wanted(smoke: Smoke, status: int) -> bool:
    return smoke.status in (str(status), f"{status // 100}xx")
