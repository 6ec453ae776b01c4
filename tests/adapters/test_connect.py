"""The way to an origin over real sockets: names, connections, certificates; no request is sent."""

import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
import trustme

from redeploy.doctor.connect import find_way
from redeploy.doctor.network import Reachability
from redeploy.http.client import is_proxied, trusting
from redeploy.http.response import ErrorKind
from tests.adapters.conftest import Serve, Server, http

EXPIRED, NAME, UNTRUSTED = 10, 62, {19, 20, 21}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA(organization_name="A Test Authority")


def context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


def way(origin: str, authority: trustme.CA | None = None) -> Reachability:
    pem = authority.cert_pem.bytes().decode() if authority else ""
    return find_way(origin, trusting(pem), proxied=False, timeout=5.0)


def secure(serve: Serve, certificate: trustme.LeafCert) -> Server:
    return serve(http(), context(certificate))


def test_a_complete_way_reports_the_certificate_and_sends_nothing(serve: Serve, authority: trustme.CA) -> None:
    ends = datetime.now(UTC) + timedelta(days=40)
    server = secure(serve, authority.issue_cert("localhost", not_after=ends))
    found = way(server.url, authority)
    assert found.error_kind is None
    assert found.version.startswith("TLSv1.")
    assert found.certificate is not None
    assert abs(found.certificate.ends - ends.timestamp()) <= 1
    assert found.certificate.names == ("localhost",)
    assert found.certificate.issuer == "A Test Authority"
    assert server.requests == []


def test_over_plain_http_only_the_connection_is_checked(serve: Serve) -> None:
    server = serve(http())
    found = way(server.url)
    assert (found.error_kind, found.certificate, bool(found.addresses)) == (None, None, True)
    assert server.requests == []


def test_an_expired_certificate_is_still_reported(serve: Serve, authority: trustme.CA) -> None:
    ended = datetime(2020, 1, 1, tzinfo=UTC)
    found = way(secure(serve, authority.issue_cert("localhost", not_after=ended)).url, authority)
    assert (found.error_kind, found.verify_code) == (ErrorKind.TLS, EXPIRED)
    assert found.certificate is not None
    assert found.certificate.ends == ended.timestamp()


def test_a_certificate_for_another_name_is_reported_with_its_names(serve: Serve, authority: trustme.CA) -> None:
    found = way(secure(serve, authority.issue_cert("api.elsewhere.test", "192.0.2.1")).url, authority)
    assert (found.error_kind, found.verify_code) == (ErrorKind.TLS, NAME)
    assert found.certificate is not None
    assert found.certificate.names == ("api.elsewhere.test", "192.0.2.1")


def test_an_untrusted_authority_is_named(serve: Serve, authority: trustme.CA) -> None:
    found = way(secure(serve, authority.issue_cert("localhost")).url)
    assert found.error_kind is ErrorKind.TLS
    assert found.verify_code in UNTRUSTED
    assert found.certificate is not None
    assert found.certificate.issuer == "A Test Authority"


def test_a_server_without_tls_is_a_tls_error(serve: Serve) -> None:
    server = serve(http())
    found = way(server.url.replace("http:", "https:"))
    assert (found.error_kind, found.verify_code, found.certificate) == (ErrorKind.TLS, 0, None)
    assert found.detail


def test_the_wait_for_a_silent_server_is_bounded() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        origin = f"https://127.0.0.1:{silent.getsockname()[1]}"
        found = find_way(origin, trusting(""), proxied=False, timeout=0.3)
    assert found.error_kind is ErrorKind.TLS
    assert time.monotonic() - began < 10


def test_a_closed_port_is_reported_as_refused() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        found = way(f"https://127.0.0.1:{closed.getsockname()[1]}")
    assert (found.error_kind, found.addresses) == (ErrorKind.REFUSED, ("127.0.0.1",))


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b.example", f"{'a' * 70}.example"])
def test_a_name_without_an_address_is_unresolved(host: str) -> None:
    assert way(f"https://{host}").error_kind is ErrorKind.UNRESOLVED


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert is_proxied("https://api.example.com")
    assert not is_proxied("https://inside.example")
    assert find_way("https://api.example.com", trusting(""), proxied=True, timeout=1.0).proxied
