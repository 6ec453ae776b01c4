"""Smoke requests: how they are written in the input, and whether a response is the expected one."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from redeploy.conditions.clause import Clause
from redeploy.conditions.expectation import first_failure
from redeploy.contract.routes import method_of
from redeploy.http.condition import Condition, condition_of
from redeploy.http.response import NEVER_SENT, ErrorKind, HttpResult, Response, TransportError
from redeploy.text.secret import Secret


@dataclass(frozen=True)
class Sent:
    """Body and headers of a request, and how long its response may take, which a line of the input cannot say."""

    body: bytes = b""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Win over all other headers of that name."""
    max_latency: float | None = None
    """Seconds from sending to the end of the response; None: as long as any request."""


NOTHING_ELSE = Sent()


@dataclass(frozen=True)
class Smoke:
    """A request, and its expected response."""

    method: str
    target: str
    """Its path, or its whole URL, as it is written in the input."""
    status: str
    """Three digits, `2xx` and the like, or several of them with `|` in between."""
    url: str
    marked: bool = False
    """Whether `!` says that it may change something on the server."""
    only_warns: bool = False
    """Whether `?` says that a failure is a warning."""
    clauses: tuple[Clause, ...] = ()
    """The conditions that the response must fulfil besides its status."""
    sent: Sent = NOTHING_ELSE

    def __str__(self) -> str:
        status = "" if self.status == "2xx" else f" {self.status}"
        asked = " and ".join(map(str, self.clauses))
        return f"{self.method} {self.target}{status}" + (f" {asked}" if asked else "")

    @property
    def takes_redirect(self) -> bool:
        """Whether a redirect can be the expected response; then it is not followed."""
        return any(each.startswith("3") for each in self.status.split("|"))

    @property
    def reads(self) -> bool:
        """Whether its method only reads; then redirects are followed."""
        return self.method in ("GET", "HEAD")

    @property
    def safe(self) -> bool:
        """Whether it may be repeated."""
        return self.reads and not self.marked


TRIES = 2
"""A request that failed is tried again before it counts."""

_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)(?:\|[1-5](?:[0-9]{2}|xx))*", re.IGNORECASE)
_LIKE_A_STATUS = re.compile(r"\d[^\s=!<>]*")
_LINE = re.compile(
    r"\s*(?P<marks>[?!\s]*)(?P<method>\S+)\s+(?P<target>/(?!/)\S*|https?://\S*)(?P<rest>(?:\s.*)?)", re.DOTALL
)


@dataclass(frozen=True)
class Judged(Response):
    """A response whose body was compared with its schema in the thread that read it, because that may take long."""

    schema_violation: str = ""
    """Where it breaks the schema; empty if it does not."""
    partial: str = ""
    """Why only a part of it was compared; empty if all of it was."""


class Again(StrEnum):
    """Why a response does not count as a try."""

    THROTTLED = "throttled"
    CACHED = "cached"


@dataclass(frozen=True)
class Result:
    """The result of a request; `seconds` from sending it to the end of its response."""

    passed: bool
    seen: str
    """The response, in our own words."""
    seconds: float
    final: bool = False
    """Whether another try could do harm."""
    again: Again | None = None
    partial: str = ""
    """Why a body was not completely compared with its schema; empty if it was, or if there is no schema."""


def parse_smoke(line: str, address: Callable[[str], str]) -> Smoke:
    """Read a line `METHOD PATH [STATUS] [CONDITION [and CONDITION]...]`, with `!` or `?` before it, or both.

    A `#` after white space, where a status or a condition could begin, begins a comment.

    Args:
        line: as written in the input; columns in messages count from its beginning.
        address: makes a path or URL absolute, and raises `ValueError` if that is impossible.

    Raises:
        ValueError: with what is wrong.
    """
    match = _LINE.fullmatch(line)
    if match is None:
        msg = (
            f"{line.strip()!r:.80} is not of the form `METHOD PATH [STATUS] [CONDITION]`, such as `GET /api/status 200` or "
            "`GET /api/status 200 status=UP`"
        )
        raise ValueError(msg)
    marks = "".join(match["marks"].split())
    if len(marks) > len(set(marks)):
        msg = f"{line.strip()!r:.80} has `{marks[:10]}` before it; write `!` and `?` at most once each"
        raise ValueError(msg)
    method = method_of(line.strip(), match["method"])
    status, place = _status(line, match.start("rest"))
    safe = method in ("GET", "HEAD")
    if not safe and "!" not in marks:
        msg = f"{line.strip()!r:.80} may change something on the server; if that is meant, put `!` before the line"
        raise ValueError(msg)
    clauses = _clauses(line, place, asks_status=place > match.start("rest"))
    if method == "HEAD" and any(each.reads_body for each in clauses):
        msg = f"{line.strip()!r:.80} has a condition on the body, but a response to HEAD has none; write `GET`"
        raise ValueError(msg)
    return Smoke(method, match["target"], status, address(match["target"]), "!" in marks, "?" in marks, clauses)


def _status(line: str, start: int) -> tuple[str, int]:
    """Return the expected status of a line, and where its conditions begin."""
    word = re.compile(r"\s*(\S*)").match(line, start)
    if word is None or not _STATUS.fullmatch(word[1]):
        return "2xx", start
    return word[1].lower(), word.end()


def _clauses(line: str, place: int, *, asks_status: bool) -> tuple[Clause, ...]:
    rest = line[place:].strip()
    if not rest or rest.startswith("#"):
        return ()
    from redeploy.conditions.grammar import GrammarError, clauses  # few lines have conditions

    try:
        return clauses(line.rstrip(), place)
    except GrammarError:
        if not asks_status and (like := _LIKE_A_STATUS.match(rest)):
            msg = f"{line.strip()!r:.80}: {like[0]!r:.20} is not a status; write `200`, `2xx` or `401|403`"
            raise ValueError(msg) from None
        raise


def judge(smoke: Smoke, http_result: HttpResult, seconds: float, redact: Callable[[str], str] = str) -> Result:
    """Judge the response to a smoke request, which took `seconds`; if an unsafe one was sent, its result is final.

    `redact` hides secrets in what a failed condition shows of the response.
    """
    judged, most = _judged(smoke, http_result, seconds, redact), smoke.sent.max_latency
    if judged.passed and most is not None and seconds > most:
        slow = f"{judged.seen}, but it took {seconds * 1000:.0f} ms, more than {most * 1000:.0f} ms"
        judged = replace(judged, passed=False, seen=slow)
    never_sent = isinstance(http_result, TransportError) and http_result.error_kind in NEVER_SENT
    return replace(judged, final=not smoke.safe and not never_sent)


def _judged(smoke: Smoke, http_result: HttpResult, seconds: float, redact: Callable[[str], str]) -> Result:
    condition, seen = condition_of(http_result)
    if isinstance(http_result, TransportError):
        if http_result.error_kind is ErrorKind.TOO_LARGE and _is_expected(smoke, http_result.status):
            if smoke.clauses:
                seen = f"{http_result.status}, with a body larger than 1 MiB, so no condition was checked"
                return Result(passed=False, seen=seen, seconds=seconds)
            return Result(
                passed=True, seen=str(http_result.status), seconds=seconds, partial="its body is larger than 1 MiB"
            )
        return Result(passed=False, seen=seen, seconds=seconds)
    exact = str(http_result.status) in smoke.status.split("|")
    again = found_again(http_result)
    if again is Again.CACHED or (again is Again.THROTTLED and not exact):
        return Result(passed=False, seen=seen, seconds=seconds, again=again)
    passed = _is_expected(smoke, http_result.status) and condition not in (Condition.CHALLENGE, Condition.ACCESS_WALL)
    if not passed:
        return Result(passed=False, seen=f"{seen}, not {smoke.status.replace('|', ' or ')}", seconds=seconds)
    if (failure := first_failure(smoke.clauses, http_result, redact)) is not None:
        return Result(passed=False, seen=f"{seen}, but {failure}", seconds=seconds)
    compared = http_result if isinstance(http_result, Judged) else Judged(http_result.status)
    if compared.schema_violation:
        seen = f"{seen}, but {compared.schema_violation}"
    return Result(passed=not compared.schema_violation, seen=seen, seconds=seconds, partial=compared.partial)


def found_again(http_result: HttpResult) -> Again | None:
    """Return why a response says nothing about the service; None if it does."""
    return {Condition.THROTTLED: Again.THROTTLED, Condition.CACHED: Again.CACHED}.get(condition_of(http_result)[0])


def _is_expected(smoke: Smoke, status: int) -> bool:
    return not {str(status), f"{status // 100}xx"}.isdisjoint(smoke.status.split("|"))
