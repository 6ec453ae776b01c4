"""URLs as inputs give them: checked, and compared by origin."""

import re
import urllib.parse
from functools import lru_cache


def url(text: str, *, allow_http: bool) -> str:
    """Return an absolute http or https URL. The message never repeats it: it may be a secret."""
    _without_quotes(text)
    if not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        msg = "contains a space, a control character, a backslash or a letter outside ASCII; percent-encode it"
        raise ValueError(msg)
    try:
        parts = urllib.parse.urlsplit(text)
    except ValueError:
        msg = "has brackets in its host, but no IPv6 address in them"
        raise ValueError(msg) from None
    if parts.scheme not in ("http", "https"):
        msg = "is not an absolute URL; it must start with `https://`"
        raise ValueError(msg)
    if not parts.hostname:
        msg = "has no host"
        raise ValueError(msg)
    if parts.username is not None or parts.password is not None:
        msg = "contains a user name or a password; pass credentials with `headers`"
        raise ValueError(msg)
    if "#" in text:
        msg = "has a fragment (`#...`), which is never sent to a server; remove it"
        raise ValueError(msg)
    try:
        port_is_fit = parts.port != 0
    except ValueError:
        port_is_fit = False
    if not port_is_fit:
        msg = "has a port that is not a number from 1 to 65535"
        raise ValueError(msg)
    if parts.scheme == "http" and not allow_http and not is_loopback(text):
        msg = "is plain http, which sends the token unencrypted; use https, or set `allow-http: true`"
        raise ValueError(msg)
    return text


def _without_quotes(text: str) -> None:
    """Raise `ValueError` if a text is in quotes: workflows and secrets, unlike shells, keep them."""
    if text[:1] in ("'", '"', "`") or text[-1:] in ("'", '"', "`"):
        msg = "is in quotes, which would become part of the value; remove them from the secret or variable"
        raise ValueError(msg)


@lru_cache(maxsize=64)  # a run has a handful of addresses, and needs this at each step
def origin_of(url: str) -> str:
    """Return scheme, host and port of `url`, in lower case and without the scheme's own port (RFC 6454)."""
    parts = urllib.parse.urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def is_loopback(url: str) -> bool:
    """Return whether `url` names this machine itself."""
    host = (urllib.parse.urlsplit(url).hostname or "").lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return bool(re.fullmatch(r"127(?:\.\d{1,3}){3}|::1", host))
