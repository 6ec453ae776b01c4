"""One parser for each kind of input: text in, typed value out, `ValueError` that says what is wrong and how to fix it."""

import re
from typing import TYPE_CHECKING

from redeploy.http.urls import _without_quotes, url
from redeploy.settings.plan import Rate

if TYPE_CHECKING:
    from redeploy.conditions.expectation import Expectation

LONGEST = 24 * 3600.0
"""The longest duration, in seconds."""

LONGEST_LAG = 30 * LONGEST
"""The longest time that production may lag behind its branch."""

MOST_INSTANCES = 100
"""More would make a window take longer than a few minutes."""

MOST_DIGITS = 4

_DURATION = re.compile(r"(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?|(\d{1,9})", re.ASCII)
_LAG = re.compile(r"(?s)(?:(\d{1,3})d)?(.*)", re.ASCII)
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a header's name, RFC 9110 section 5.6.2
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # moby/moby, daemon/names
_ASSIGNED = re.compile(r"(?:[A-Z0-9]+_)+[A-Z0-9]+=(?=.)")  # `WATCHTOWER_HTTP_API_TOKEN=...`
_RATE = re.compile(r"(\d{1,6})/([sm])", re.ASCII)

_MOVING = frozenset(
    [
        "alpha",
        "beta",
        "canary",
        "current",
        "dev",
        "develop",
        "development",
        "edge",
        "head",
        "latest",
        "main",
        "master",
        "next",
        "nightly",
        "prod",
        "production",
        "release",
        "rolling",
        "snapshot",
        "stable",
        "staging",
        "trunk",
        "unstable",
    ]
)
"""Tags and branches that move from build to build, and words that no service reports as its version."""

_SOMEWHERE = "https://service.invalid"
"""Replaces a base URL that is itself wrong, so that a path is still checked."""

_NOT_OURS_TO_SET = frozenset(
    [
        "authorization",
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)


def boolean(text: str) -> bool:
    """Read one of YAML's six spellings of a boolean, as the runner's toolkit does."""
    try:
        return _BOOLEANS[text]
    except KeyError:
        msg = "must be `true` or `false`"
        raise ValueError(msg) from None


def duration(text: str, *, zero: bool = False) -> float:
    """Return the seconds of `90`, `90s`, `2m30s`, `1h` or `500ms`."""
    match = _DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        msg = "is not a duration; write `90`, `90s`, `2m30s`, `1h` or `500ms`"
        raise ValueError(msg)
    total = _seconds(match)
    if total > LONGEST:
        msg = "is longer than 24 hours"
        raise ValueError(msg)
    if not total and not zero:
        msg = "must be more than zero"
        raise ValueError(msg)
    return total


def _seconds(match: re.Match[str]) -> float:
    hours, minutes, seconds, milliseconds, bare = (int(group or 0) for group in match.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000 + bare


def lag(text: str) -> float:
    """Return the seconds of `90m`, `36h`, `2d` or `1d12h`, which may be none at all, and 30 days at most."""
    days, rest = _LAG.findall(text)[0]
    hours = _DURATION.fullmatch(rest if rest or not days else "0s")
    if not hours or not any(hours.groups()):
        msg = "is not a duration; write `90m`, `36h`, `2d` or `1d12h`"
        raise ValueError(msg)
    seconds = int(days or 0) * LONGEST + _seconds(hours)
    if seconds > LONGEST_LAG:
        msg = "is longer than 30 days"
        raise ValueError(msg)
    return seconds


def instances(text: str) -> int:
    """Return a number of instances."""
    if not (text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS and 1 <= int(text) <= MOST_INSTANCES):
        msg = f"must be a whole number from 1 to {MOST_INSTANCES}; write `2` if two containers share the address"
        raise ValueError(msg)
    return int(text)


def rate(text: str) -> Rate | None:
    """Return the rate of `30/m` or `2/s`; None for `off`."""
    if text == "off":
        return None
    match = _RATE.fullmatch(text)
    if not match or not int(match[1]):
        msg = "is not a rate; write `30/m`, `2/s` or `off`"
        raise ValueError(msg)
    return Rate(int(match[1]) / {"s": 1, "m": 60}[match[2]])


def path_or_url(text: str, base: str, *, allow_http: bool) -> str:
    """Return the absolute URL of `text`: a path is appended to `base`, a URL stays as it is."""
    if not text.startswith("/") and "://" in text:
        return url(text, allow_http=allow_http)
    if not text.startswith("/") or text.startswith("//"):
        msg = "must start with one slash (`/api/ready`) or be an absolute URL"
        raise ValueError(msg)
    return url((base or _SOMEWHERE).rstrip("/") + text, allow_http=allow_http)


def header(line: str, *, of_service: bool = False) -> tuple[str, str]:
    """Return name and value of a line `Name: value`. Messages never repeat the value.

    `of_service`: whether the header goes to the service alone, where `Authorization` is allowed.
    """
    name, colon, value = (part.strip(" \t") for part in line.partition(":"))
    if not colon or not _TOKEN.fullmatch(name):
        msg = "is not of the form `Name: value`"
        raise ValueError(msg)
    authorization = name.lower() == "authorization"
    if name.lower() in _NOT_OURS_TO_SET and not (authorization and of_service):
        extra = (
            "; put Watchtower's token into `watchtower-token`, and the service's own into `service-headers`"
            if authorization
            else ""
        )
        msg = f"sets `{name}`, which the action or the connection sets itself{extra}"
        raise ValueError(msg)
    if not value:
        msg = f"has no value for `{name}`; its secret is probably not set"
        raise ValueError(msg)
    if re.search(r"[^\t\x20-\x7e\xa0-\xff]", value):
        msg = f"has a control character, or another that a header cannot contain, in the value of `{name}`"
        raise ValueError(msg)
    return name, value


def token(text: str) -> str:
    """Return a bearer token: visible ASCII without spaces, without the rest of the line that it was copied from."""
    _without_quotes(text)
    if assigned := _ASSIGNED.match(text):
        msg = f"begins with `{assigned[0]}`, like a line of an environment file; give only the part after the `=`"
        raise ValueError(msg)
    if re.search(r"[^\x21-\x7e]", text):
        msg = "contains a space, a line end, a control character or a letter outside ASCII; copy it again"
        raise ValueError(msg)
    return text


def username(text: str) -> str:
    """Return a user's name at a registry; Basic ends it at the first colon (RFC 7617, section 2)."""
    if not text.isprintable() or ":" in text:
        msg = "contains a colon or a control character"
        raise ValueError(msg)
    return text


def password(text: str) -> str:
    """Return a password: one line of printable characters."""
    if not text.isprintable():
        msg = "contains a line end or another control character; copy it again"
        raise ValueError(msg)
    return text


def container(text: str) -> str:
    """Return a container's name, without the slash that Docker puts before it."""
    name = text.removeprefix("/")
    if not _CONTAINER.fullmatch(name):
        msg = f"{text!r:.80} is not a container name; it may have letters, digits, `_`, `.` and `-`"
        raise ValueError(msg)
    return name


def digest(text: str) -> str:
    """Return a `sha256:` digest."""
    from redeploy.registry.image import is_digest  # few inputs name one

    if not is_digest(text):
        msg = "is not a digest; write `sha256:` and 64 lower-case hexadecimal digits"
        raise ValueError(msg)
    return text


def tag_or_digest(text: str) -> str:
    """Return a tag or a `sha256:` digest; only a digest has a colon."""
    from redeploy.registry.image import is_digest, is_tag  # as in `digest`

    if not is_digest(text) and not is_tag(text):
        msg = "is neither a `sha256:` digest nor a tag such as `sha-1a2b3c4`; leave the image's name out"
        raise ValueError(msg)
    return text


def version(text: str) -> str:
    """Return the version that must be live: one line of at most 256 characters."""
    if not text.isprintable() or len(text) > 256:
        msg = "must be one line of at most 256 printable characters"
        raise ValueError(msg)
    return text


def field(text: str) -> str:
    """Return where the version is in a response."""
    from redeploy.service.naming import check_field

    check_field(text)
    return text


def health_expectation(text: str) -> "Expectation":
    """Return what a healthy response is: `any`, or lines of conditions."""
    from redeploy.conditions.grammar import expectation  # few inputs have conditions

    return expectation(text)


def moves(version: str) -> bool:
    """Return whether a version is a word that may mean another build tomorrow."""
    return version.lower() in _MOVING


def lines(text: str) -> list[str]:
    """Return the lines that are not empty; a `#` begins a comment, at the start of a line or after a space."""
    bare = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in re.split(r"\r\n|\n|\r", text))
    return [line for line in bare if line]


def listed(text: str) -> list[str]:
    """Return the items of a list separated by commas or line ends."""
    return [item for item in (each.strip() for each in re.split(r"[,\r\n]", text)) if item]
