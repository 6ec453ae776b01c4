"""HTTP, on `requests`: fresh connections, capped bodies, no `.netrc`, redirects only within an origin."""

import contextlib
import re
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping

import certifi
import requests
import requests.adapters
import urllib3.exceptions as failures
from requests.utils import get_environ_proxies, select_proxy
from urllib3.poolmanager import ProxyManager

from redeploy import __version__
from redeploy.http.dial import POOLS
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.urls import is_loopback, origin_of
from redeploy.text.secret import Secret
from redeploy.text.untrusted import one_line

USER_AGENT = f"redeploy-action/{__version__} (+https://github.com/leok974/redeploy-action)"
MOST_REDIRECTS = 3
_CHUNK = 65_536
_NO_TUNNEL = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")  # http.client, `HTTPConnection._tunnel`
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def check_certificate(pem: str) -> None:
    """Raise `ValueError` if PEM text has no certificate that TLS can use."""
    try:
        ssl.create_default_context(cadata=pem or "\n")
    except (ssl.SSLError, ValueError) as error:
        msg = "contains no usable PEM certificate; it must begin with `-----BEGIN CERTIFICATE-----`"
        raise ValueError(msg) from error


def trusting(pem: str) -> ssl.SSLContext:
    """Return a context that verifies servers: the public authorities and, if given, one more."""
    context = ssl.create_default_context(cafile=certifi.where())
    if pem:
        context.load_verify_locations(cadata=pem)
    return context


def is_proxied(url: str) -> bool:
    """Return whether the environment sets a proxy for `url`."""
    return select_proxy(url, _proxies(url)) is not None


def _proxies(url: str) -> Mapping[str, str]:
    """Return the environment's proxies for `url`; none if it names this machine, which no proxy could reach."""
    return {} if is_loopback(url) else get_environ_proxies(url)


class Http:
    """Sends single requests, each on a new connection: an old one may lead to a process that is shutting down."""

    def __init__(self, *, headers: Mapping[str, Secret], origins: frozenset[str], ca_certificate: str = "") -> None:
        """Remember the headers that the given origins, and no others, receive."""
        self._headers = headers
        self._origins = origins
        self._ca_certificate = ca_certificate
        self._tls: ssl.SSLContext | None = None
        self._own: Mapping[str, Secret] = {}
        self._own_origin = ""

    def to_service(self, headers: Mapping[str, Secret], origin: str) -> "Http":
        """Return a client whose requests to one origin have these headers, too, instead of others with their names."""
        if not headers:
            return self
        client = Http(headers=self._headers, origins=self._origins, ca_certificate=self._ca_certificate)
        client._own, client._own_origin = headers, origin
        return client

    @property
    def bare(self) -> "Http":
        """A client whose requests have none of these headers."""
        return Http(headers={}, origins=frozenset(), ca_certificate=self._ca_certificate)

    def fetch(
        self,
        method: str,
        url: str,
        *,
        cap: int,
        timeout: float,
        connect: float,
        token: Secret | None = None,
        authorization: Secret | None = None,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        follow: bool,
    ) -> HttpResult:
        """Send one request and return its result.

        Args:
            method: the HTTP method; a POST without a body gets an empty one.
            url: the address.
            cap: bytes that the decoded body may have.
            timeout: seconds of silence after which the response counts as lost.
            connect: seconds that the connection may take.
            token: sent in `Authorization` as a bearer token.
            authorization: is the whole value of `Authorization`.
            headers: added to the usual ones, or replacing them.
            body: what is sent.
            follow: whether redirects within the origin are followed, at most three.
        """
        hops, own = 0, dict(headers)
        if token is not None:
            authorization = Secret(f"Bearer {token.reveal()}")
        if authorization is not None:
            own["Authorization"] = authorization.reveal()
        while True:
            http_result = self._once(requests.Request(method, url, own, data=body or None), cap, (connect, timeout))
            if (
                not follow
                or not isinstance(http_result, Response)
                or http_result.status not in _REDIRECTS
                or hops == MOST_REDIRECTS
            ):
                break
            target = _target(url, http_result.headers.get("location", ""))
            if target is None:
                break
            url, hops = target, hops + 1
        return (
            Response(http_result.status, http_result.headers, http_result.body, hops)
            if isinstance(http_result, Response)
            else http_result
        )

    def _once(self, asked: requests.Request, cap: int, timeout: tuple[float, float]) -> HttpResult:
        url = asked.url
        headers = {
            "User-Agent": USER_AGENT,
            "Accept": "application/json, */*;q=0.5",
            "Accept-Encoding": "identity",
            "Cache-Control": "no-cache",
            "Pragma": "no-cache",
            "Connection": "close",
        }
        if origin_of(url) in self._origins:
            headers |= {name: value.reveal() for name, value in self._headers.items()}
        if self._own and origin_of(url) == self._own_origin:
            headers = _over(headers, {name: value.reveal() for name, value in self._own.items()})
        asked.headers = _over(headers, asked.headers)
        try:
            request = asked.prepare()
            # Only the adapter: a session would prepare to follow a redirect, and read its whole body for that.
            with self._adapter(url) as adapter:
                response = adapter.send(request, stream=True, timeout=timeout, proxies=_proxies(url))
                return _reply(response, cap)
        except (requests.RequestException, failures.HTTPError, OSError, ValueError) as error:
            return _no_reply(error)

    def _adapter(self, url: str) -> "contextlib.closing[requests.adapters.HTTPAdapter]":
        if not url.startswith("https:"):
            return contextlib.closing(_Adapter())
        if self._tls is None:
            self._tls = trusting(self._ca_certificate)
        return contextlib.closing(_TlsAdapter(self._tls))


class _Adapter(requests.adapters.HTTPAdapter):
    """Tries all addresses of a host."""

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, **options)  # type: ignore[arg-type] # as the base class has them
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **options: object) -> object:
        manager = super().proxy_manager_for(proxy, **options)
        if type(manager) is ProxyManager:  # one for SOCKS connects by itself
            manager.pool_classes_by_scheme = POOLS
        return manager


class _TlsAdapter(_Adapter):
    """Verifies with one context that was loaded once; `requests` would read all authorities for each request."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: object, **options: object) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)

    def proxy_manager_for(self, proxy: str, **options: object) -> object:
        return super().proxy_manager_for(proxy, ssl_context=self._context, **options)

    def build_connection_pool_key_attributes(  # type: ignore[no-untyped-def] # noqa: ANN202 - not typed in requests
        self,
        request,  # noqa: ANN001
        verify,  # noqa: ANN001
        cert=None,  # noqa: ANN001
    ):
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: value for name, value in pool.items() if name not in ("ca_certs", "ca_cert_dir")}

    def cert_verify(self, conn, *_) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002 - as above
        conn.cert_reqs = "CERT_REQUIRED"


def _over(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Return headers with others added, which replace those with the same name in any case."""
    taken = set(map(str.lower, others))
    return {name: value for name, value in headers.items() if name.lower() not in taken} | dict(others)


def _reply(response: requests.Response, cap: int) -> HttpResult:
    """Read a response up to its cap."""
    with response:
        body = bytearray()
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > cap:
                return TransportError(ErrorKind.TOO_LARGE, status=response.status_code)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, bytes(body))


def _target(url: str, location: str) -> str | None:
    """Return where a redirect leads if that is the same origin."""
    try:
        target = urllib.parse.urljoin(url, location)
        own = origin_of(target) == origin_of(url) and "@" not in urllib.parse.urlsplit(target).netloc
    except ValueError:
        return None
    return target if location and own else None


def _no_reply(error: BaseException) -> TransportError:
    """Translate an error of `requests` into ours; the errors that it wraps say more than its own type."""
    causes = list(_causes(error))

    def wraps(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    tls = wraps(ssl.SSLError)
    if isinstance(tls, ssl.SSLError) and not isinstance(tls, ssl.SSLEOFError):
        return TransportError(
            ErrorKind.TLS,
            one_line(getattr(tls, "verify_message", "") or (tls.reason or "").replace("_", " ").lower(), 120),
        )
    if wraps(failures.NameResolutionError):
        return TransportError(ErrorKind.UNRESOLVED)
    if wraps(failures.NewConnectionError, failures.ProxyError):
        tunnel = next(filter(None, (_NO_TUNNEL.match(str(each)) for each in causes)), None)
        return TransportError(
            ErrorKind.REFUSED, f"the environment's proxy responded with {tunnel[1]}" if tunnel else ""
        )
    if wraps(failures.ConnectTimeoutError, requests.ConnectTimeout):
        return TransportError(ErrorKind.NOT_CONNECTED)
    if wraps(failures.ReadTimeoutError, requests.ReadTimeout, TimeoutError):
        return TransportError(ErrorKind.TIMED_OUT)
    return TransportError(ErrorKind.CUT)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that it wraps: as cause, context, reason or argument."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inner = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args)
        waiting.extend(one for one in inner if isinstance(one, BaseException))
