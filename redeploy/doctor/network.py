"""Reachability of an origin: address, connection, certificate, and what can be wrong with each."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from redeploy.http.response import ErrorKind
from redeploy.remedies.findings import Finding
from redeploy.report.chain import (
    Check,
    LinkResult,
    State,
    broken,
    listed,
    not_asked,
    not_reached,
    ok,
    warning,
)
from redeploy.text.untrusted import code
from redeploy.verdicts import Reason

_DAY = 86400.0

SOON = 14 * 86400.0
"""Seconds before its expiry by which a certificate should be renewed; a short-lived one at a sixth of its life."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A server's certificate. Times are seconds since 1970; texts are the certificate's own, not yet harmless."""

    begins: float
    ends: float
    names: tuple[str, ...] = ()
    issuer: str = ""

    def ends_soon(self, now: float) -> bool:
        """Return whether it should have been renewed by now."""
        return self.ends - now < min(SOON, (self.ends - self.begins) / 6)


@dataclass(frozen=True, kw_only=True)
class Reachability:
    """How far the connection to an origin got; no request is sent on it."""

    origin: str
    proxied: bool = False
    """Whether a proxy of the environment makes the connection, so that we do not see it."""
    addresses: tuple[str, ...] = ()
    error_kind: ErrorKind | None = None
    """`UNRESOLVED`, `REFUSED`, `NOT_CONNECTED` or `TLS`, if a step failed."""
    detail: str = ""
    """What the TLS library says, in its own words."""
    verify_code: int = 0
    """Why the certificate is not trusted, in OpenSSL's numbers (`x509_vfy.h`); 0 if it is trusted."""
    certificate: Certificate | None = None
    version: str = ""
    """The negotiated version of TLS."""

    @property
    def encrypted(self) -> bool:
        """Whether the origin uses TLS."""
        return self.origin.startswith("https:")

    @property
    def is_private(self) -> bool:
        """Whether all its addresses are in a private network, and not this machine's own."""
        found = [ipaddress.ip_address(each.partition("%")[0]) for each in self.addresses]
        return bool(found) and all(each.is_private and not each.is_loopback for each in found)


_VERIFY = {
    9: Finding.CERTIFICATE_EXPIRED,
    10: Finding.CERTIFICATE_EXPIRED,
    18: Finding.CERTIFICATE_UNTRUSTED,
    19: Finding.CERTIFICATE_UNTRUSTED,
    20: Finding.CERTIFICATE_UNTRUSTED,
    21: Finding.CERTIFICATE_UNTRUSTED,
    62: Finding.CERTIFICATE_NAME,
    64: Finding.CERTIFICATE_NAME,
}
"""Not valid yet, expired; self-signed, self-signed in the chain, no issuer at hand, no chain; other name, other address."""

_LEFT = "left to the environment's proxy"


def links_of(way: Reachability, now: float, shown: Callable[[str], str] = code) -> tuple[LinkResult, ...]:
    """Return the links that the way to an origin is made of.

    `now` is our clock, in seconds since 1970; `shown` makes a text from outside harmless.
    """
    return _of_name(way), _of_connection(way), _of_tls(way, now, shown)


def _of_name(way: Reachability) -> LinkResult:
    if way.proxied:
        return not_asked(Check.DNS, _LEFT)
    if way.error_kind is ErrorKind.UNRESOLVED:
        return broken(Check.DNS, way.detail or "the host name has no address", Finding.UNRESOLVED)
    return ok(Check.DNS, listed([code(each) for each in way.addresses]))


def _of_connection(way: Reachability) -> LinkResult:
    if way.proxied:
        return not_asked(Check.CONNECTION, _LEFT)
    if (hidden := not_reached(Check.CONNECTION, [_of_name(way)])) is not None:
        return hidden
    if way.error_kind in (ErrorKind.REFUSED, ErrorKind.NOT_CONNECTED):
        what = "refused" if way.error_kind is ErrorKind.REFUSED else "no connection in time"
        private = ", and the address is a private one" if way.is_private else ""
        return broken(Check.CONNECTION, f"{what}{private}", Finding.NOTHING_LISTENS)
    return ok(Check.CONNECTION, "accepted")


def _of_tls(way: Reachability, now: float, shown: Callable[[str], str]) -> LinkResult:
    if not way.encrypted:
        return LinkResult(Check.TLS, State.NOT_REACHED, "plain http, no TLS")
    if way.proxied:
        return not_asked(Check.TLS, _LEFT)
    if (hidden := not_reached(Check.TLS, [_of_name(way), _of_connection(way)])) is not None:
        return hidden
    certificate = way.certificate
    if way.error_kind is ErrorKind.TLS:
        finding = _VERIFY.get(way.verify_code, Reason.TLS)
        seen = way.detail
        if certificate and finding is Finding.CERTIFICATE_EXPIRED:
            seen = f"valid from {_date(certificate.begins)} to {_date(certificate.ends)}"
        elif certificate and finding is Finding.CERTIFICATE_NAME:
            seen = f"the certificate is for {listed([*map(shown, certificate.names)]) or 'no name at all'}"
        elif certificate and finding is Finding.CERTIFICATE_UNTRUSTED:
            seen = f"issued by {shown(certificate.issuer)}: {way.detail}"
        return broken(Check.TLS, seen, finding)
    if certificate is None:
        return ok(Check.TLS, "the certificate is trusted")
    days = f"valid for {_days(certificate.ends - now)}, issued by {shown(certificate.issuer)}, {way.version}"
    if certificate.ends_soon(now):
        return warning(Check.TLS, days, Finding.CERTIFICATE_ENDS_SOON)
    return ok(Check.TLS, days)


def _date(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"


def _days(seconds: float) -> str:
    days = int(seconds // _DAY)
    return f"{days} day{'' if days == 1 else 's'}"
