"""Reaching an origin, step by step: name, connection, TLS. Only the handshake is sent."""

import socket
import ssl
import time
import urllib.parse
from typing import TYPE_CHECKING

from redeploy.doctor.network import Certificate, Reachability
from redeploy.http.dial import dial
from redeploy.http.response import ErrorKind
from redeploy.text.untrusted import one_line

if TYPE_CHECKING:
    from cryptography import x509

MOST_NAMES = 20
"""Names of a certificate that are kept."""

_SHORTEST = 0.1


def find_way(origin: str, trusted: ssl.SSLContext, *, proxied: bool, timeout: float) -> Reachability:
    """Try to reach an origin; each step takes at most `timeout` seconds, except the name, whose look-up has no bound."""
    if proxied:
        return Reachability(origin=origin, proxied=True)
    parts = urllib.parse.urlsplit(origin)
    host = parts.hostname or ""
    address = (host, parts.port or {"http": 80, "https": 443}[parts.scheme])
    try:
        infos = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return Reachability(origin=origin, error_kind=ErrorKind.UNRESOLVED)
    addresses = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
    ends = time.monotonic() + timeout
    try:
        plain = _connected(address, ends)
    except OSError as error:
        error_kind = ErrorKind.NOT_CONNECTED if isinstance(error, TimeoutError) else ErrorKind.REFUSED
        return Reachability(origin=origin, addresses=addresses, error_kind=error_kind)
    if parts.scheme == "http":
        plain.close()
        return Reachability(origin=origin, addresses=addresses)
    try:
        with plain, trusted.wrap_socket(plain, server_hostname=host) as spoken:
            certificate = _read(spoken.getpeercert(binary_form=True) or b"")
            return Reachability(
                origin=origin, addresses=addresses, certificate=certificate, version=spoken.version() or ""
            )
    except OSError as error:
        mistrusted = isinstance(error, ssl.SSLCertVerificationError)
        return Reachability(
            origin=origin,
            addresses=addresses,
            error_kind=ErrorKind.TLS,
            detail=_in_words(error),
            verify_code=error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else 0,
            certificate=_presented(address, ends) if mistrusted else None,
        )


def _connected(address: tuple[str, int], ends: float) -> socket.socket:
    """Connect to the first IP address of a host name that accepts the connection."""
    plain = dial(*address, timeout=max(_SHORTEST, ends - time.monotonic()))
    plain.settimeout(max(_SHORTEST, ends - time.monotonic()))
    return plain


def _presented(address: tuple[str, int], ends: float) -> Certificate | None:
    """Return the certificate of a server that is not trusted, only to say what is wrong with it."""
    looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    looking.check_hostname = False
    looking.verify_mode = ssl.CERT_NONE
    try:
        with _connected(address, ends) as plain, looking.wrap_socket(plain, server_hostname=address[0]) as spoken:
            return _read(spoken.getpeercert(binary_form=True) or b"")
    except OSError:
        return None


def _read(der: bytes) -> Certificate | None:
    """Return the parts of a certificate; None if it cannot be read."""
    from cryptography import x509  # only doctor needs more of a certificate than whether it is trusted

    try:
        found = x509.load_der_x509_certificate(der)
        issuers = [
            *found.issuer.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME),
            *found.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME),
        ]
        return Certificate(
            begins=found.not_valid_before_utc.timestamp(),
            ends=found.not_valid_after_utc.timestamp(),
            names=tuple(_names(found))[:MOST_NAMES],
            issuer=str(issuers[0].value) if issuers else "",
        )
    except ValueError:
        return None


def _names(found: "x509.Certificate") -> list[str]:
    from cryptography import x509

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def _in_words(error: OSError) -> str:
    """Say why a handshake failed, in the TLS library's words if it has any."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return one_line(error.verify_message, 120)
    if isinstance(error, ssl.SSLError) and error.reason:
        return one_line(error.reason.replace("_", " ").lower(), 120)
    return "no response in time" if isinstance(error, TimeoutError) else "the connection was closed"
