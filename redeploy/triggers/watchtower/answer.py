"""Watchtower's response to the trigger, read from the HTTP result.

The lines in use, by what they send (state table in the sources of each): containrrr and beatkind answer 200 with an
empty body whatever happened; nicholas-fedor since 1.12 answers a `summary` of counts; openserbia answers `status` and
counts without those that are zero. Proxies answer for all of them.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from redeploy.http.condition import described
from redeploy.http.response import NEVER_SENT, ErrorKind, HttpResult, Response, TransportError
from redeploy.http.sender import SenderKind, refuses_token, sender_of
from redeploy.text.untrusted import one_line, without_tags
from redeploy.triggers.trigger import Again, Answer, Counts, Result
from redeploy.verdicts import Reason

WALLS = {SenderKind.CHALLENGE: Reason.CHALLENGE, SenderKind.ACCESS: Reason.ACCESS_WALL}
"""Senders at Cloudflare that have a reason of their own."""

MOST_CONTAINERS = 1_000_000
"""A larger number is not a count of containers."""

SAYS_GONE = re.compile(r"(?i)manifest (?:not found|unknown)|invalid HEAD request: status:? 404")
"""Errors for a missing tag; a 404 from a token realm does not mean that."""

LONGEST_ERROR = 4096
"""Characters of an error that are read."""

MOST_REASONS = 5
"""Containers whose trouble is reported."""


def read_answer(http_result: HttpResult) -> Answer:
    """Classify the result of the trigger. Total: every HTTP result becomes an answer."""
    if isinstance(http_result, TransportError):
        return _without_reply(http_result)
    return replace(_of_reply(http_result), status=http_result.status, sender=sender_of(http_result))


def _of_reply(reply: Response) -> Answer:
    sender = sender_of(reply)
    if sender.kind in WALLS:
        return _refused(WALLS[sender.kind], described(reply))
    if reply.status == 429:
        return _too_many(reply)
    if 200 <= reply.status < 300:
        return _success(reply)
    if 300 <= reply.status < 400:
        return _refused(Reason.REDIRECT, f"{reply.status}, a redirect")
    if reply.status in (401, 403) and sender.kind is SenderKind.APPLICATION:
        return _refused(Reason.MISROUTED, described(reply))
    if reply.status in _REFUSALS:
        return _refused(_REFUSALS[reply.status], described(reply))
    if reply.status in (521, 523, 530):  # Cloudflare did not reach the origin server
        return Answer(result=Result.NONE, seen=described(reply), refusal=Reason.UNREACHABLE, again=Again.UNREACHED)
    if reply.status == 503 and not reply.is_html and "request cancelled" in reply.text:  # waiting for the lock
        return Answer(result=Result.NONE, seen="503 request cancelled", again=Again.CANCELLED, wait=reply.retry_after)
    if reply.status == 408 or reply.status >= 500:
        return Answer(result=Result.UNKNOWN, seen=described(reply))
    return _refused(Reason.MISROUTED, described(reply))


def reported_reasons(http_result: HttpResult, result: Result, redact: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return what the fork's check endpoint reports as wrong, one line for each container; empty if there is nothing.

    Watchtower asks the registry itself for this, over https only, while an update falls back to a pull by the engine. So
    after `nothing`, which means that it could pull or that the tag is gone, only a missing tag can be the cause.
    """
    body = http_result.json if isinstance(http_result, Response) and http_result.status == 200 else None
    rows = body.get("containers") if isinstance(body, dict) else None
    found = []
    for row in rows if isinstance(rows, list) else ():
        name, error = (row.get("name"), row.get("error")) if isinstance(row, dict) else (None, None)
        if not isinstance(name, str) or not isinstance(error, str) or not error.strip():
            continue
        if result is not Result.NOTHING or SAYS_GONE.search(error[:LONGEST_ERROR]):
            found.append(f"{one_line(redact(name), 64)}: {plain_words(error, redact)}")
    return tuple(found[:MOST_REASONS])


def plain_words(error: str, redact: Callable[[str], str]) -> str:
    """Return what the check endpoint says of a container as one line: a registry's HTML page is quoted whole in it.

    Secrets are redacted first: removing tags would cut a secret that contains `<`, and the rest would not be recognised.
    """
    return one_line(without_tags(redact(error)), 200)


def is_fork_with_containers(http_result: HttpResult) -> bool:
    """Return whether the response to a trigger without a token comes from a variant that supports `container=`."""
    return isinstance(http_result, Response) and refuses_token(http_result) and bool(http_result.body)


_REFUSALS = {
    401: Reason.AUTH,
    403: Reason.AUTH,
    404: Reason.MISROUTED,
    405: Reason.METHOD,
    407: Reason.UNREACHABLE,
    525: Reason.TLS,
    526: Reason.TLS,
}


def _without_reply(http_result: TransportError) -> Answer:
    error_kind = http_result.error_kind
    seen = http_result.seen
    if error_kind is ErrorKind.TLS:
        return Answer(result=Result.NONE, seen=seen, refusal=Reason.TLS, error_kind=error_kind)
    if error_kind is ErrorKind.TOO_LARGE:
        longer = "the response is longer than any of Watchtower's"
        return Answer(result=Result.NONE, seen=longer, refusal=Reason.MISROUTED, error_kind=error_kind)
    if error_kind in NEVER_SENT:
        return Answer(
            result=Result.NONE, seen=seen, refusal=Reason.UNREACHABLE, again=Again.UNREACHED, error_kind=error_kind
        )
    return Answer(result=Result.UNKNOWN, seen=seen, error_kind=error_kind)


def _too_many(reply: Response) -> Answer:
    body = reply.json
    busy = isinstance(body, dict) and "already running" in f"{body.get('error')} {body.get('reason')}"
    if busy:
        return Answer(
            result=Result.BUSY, seen="429, another update is running", again=Again.BUSY, wait=reply.retry_after
        )
    sender = sender_of(reply).name
    seen = f"429{f' from {sender}' if sender else ''}, too many requests"
    return Answer(result=Result.NONE, seen=seen, again=Again.RATE_LIMITED, wait=reply.retry_after)


def _success(reply: Response) -> Answer:
    if reply.status == 202 and not reply.is_html:
        return Answer(result=Result.ACCEPTED, seen="202, accepted for later")
    if not reply.body.strip():
        return Answer(
            result=Result.ACCEPTED, seen=f"{reply.status} with an empty body, which does not say what happened"
        )
    counts = _counts(reply.json)
    if counts is None:
        return _refused(
            Reason.MISROUTED, f"{reply.status} with a body that no Watchtower sends{' (HTML)' if reply.is_html else ''}"
        )
    return Answer(result=_result(counts), seen=f"{reply.status}: {counts}", counts=counts)


def _counts(body: Any) -> Counts | None:  # noqa: ANN401 - whatever the server sent
    """Return the counts of nicholas-fedor's `summary` or of openserbia's flat answer; None for any other body."""
    if not isinstance(body, dict):
        return None
    summary = body.get("summary")
    if isinstance(summary, dict) and {"scanned", "updated", "failed"} <= summary.keys():
        named = summary
    elif "summary" not in body and body.get("status") == "completed":
        named = body
    else:
        return None
    numbers = {name: named.get(name, 0) for name in ("scanned", "updated", "failed", "restarted")}
    numbers["skipped"] = named.get("skipped", 0)
    if not all(type(number) is int and 0 <= number < MOST_CONTAINERS for number in numbers.values()):
        return None
    return Counts(**numbers | ({} if "skipped" in named else {"skipped": None}))


def _result(counts: Counts) -> Result:
    skipped = counts.skipped or 0
    if counts.updated:
        return Result.PARTIAL if counts.failed or skipped else Result.UPDATED
    if counts.failed:
        return Result.FAILED
    if skipped:
        return Result.BLOCKED
    return Result.NOTHING if counts.scanned else Result.UNKNOWN


def _refused(reason: Reason, seen: str) -> Answer:
    return Answer(result=Result.NONE, seen=seen, refusal=reason)
