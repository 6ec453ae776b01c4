"""A registry, by the OCI distribution protocol (distribution-spec 1.1; tokens as in distribution, `spec/auth/token.md`).

A caller must also limit the total time of a call, as `rollout.workers` does: a response may come byte by byte.
"""

import re
import time
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import backoff

from redeploy.http import urls, www_authenticate
from redeploy.http.fetch import Fetch
from redeploy.http.response import ErrorKind, HttpResult, Response, TransportError
from redeploy.http.urls import is_loopback
from redeploy.registry import manifest
from redeploy.registry.access import Access
from redeploy.registry.errors import Kind, Scope, Trouble, refusal, trouble_of
from redeploy.registry.image import Image
from redeploy.registry.manifest import Manifest
from redeploy.text.secret import Secret, basic

MOST_TRIES = 3
"""Tries of a read if the registry fails, cuts the response off, or says when to retry."""

_FIT_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_PASSING = frozenset({ErrorKind.CUT, ErrorKind.REFUSED, ErrorKind.NOT_CONNECTED})


@dataclass(frozen=True)
class _Task:
    """A request to a registry that must end by the monotonic second `ends`, retries included."""

    method: str
    image: Image
    target: str
    ends: float
    headers: Mapping[str, str] = field(default_factory=lambda: {"Accept": manifest.ACCEPT})
    body: bytes = b""

    @property
    def scope(self) -> Scope:
        return Scope.PUSH if self.method == "PUT" else Scope.PULL


class Registry:
    """Reads manifests, and puts them under tags.

    Credentials go to the registry itself if it asks for them (Basic), or to the token realm that it names (Bearer), which
    must be https. A token is requested for the one repository only, whatever scope the registry asks for.
    """

    def __init__(self, fetch: Fetch, access: Access) -> None:
        self._fetch = fetch
        self._access = access
        self._shown: dict[tuple[str, Scope], Secret] = {}
        """The authorization that worked, by repository."""
        self._plain: set[str] = set()
        """Hosts that turned out to use plain http."""

    def resolve(self, image: Image, bound: float, known: Manifest | None = None) -> Manifest | Trouble:
        """Return the manifest of an image's digest or, if it has none, of its tag, within `bound` seconds.

        `known` is what the tag pointed to at the last look-up: if it still does, that is not read again.
        """
        task = _Task("GET", image, f"manifests/{image.digest or image.tag}", time.monotonic() + bound)
        if known is not None:
            head = self._run(replace(task, method="HEAD"))
            unmoved = isinstance(head, Response) and head.headers.get("docker-content-digest") == known.digest
            if unmoved:
                return known
        found = self._run(task)
        if isinstance(found, Trouble):
            return found
        if not isinstance(found, Response) or found.status != 200:
            return self._trouble(task, found)
        try:
            return manifest.read(found, image.digest)
        except ValueError as error:
            return _hostile(image, f"cannot be trusted: {error}")

    def revision(self, image: Image, found: Manifest, bound: float) -> str | Trouble:
        """Return the commit in the image's label, or in that of an index's first platform; empty if there is none."""
        ends = time.monotonic() + bound
        of_one = self.resolve(image.at(found.children[0]), bound) if found.children else found
        if isinstance(of_one, Trouble):
            return of_one
        if not of_one.config:
            return ""
        task = _Task("GET", image, f"blobs/{of_one.config}", ends)
        blob = self._run(task)
        if isinstance(blob, Response) and 300 <= blob.status < 400:
            blob = self._elsewhere(task, blob)
        if isinstance(blob, Trouble):
            return blob
        if not isinstance(blob, Response) or blob.status != 200:
            return self._trouble(task, blob)
        if manifest.digest_of(blob.body) != of_one.config:
            return _hostile(image, "sends a configuration that the manifest does not name")
        return manifest.revision_of(blob.body)

    def put(self, image: Image, wanted: Manifest, bound: float) -> Manifest | Trouble:
        """Put the exact bytes of a manifest under an image's tag, within `bound` seconds; repeated only after a 429.

        Without a response, the tag may still have been moved: read it again.
        """
        ends = time.monotonic() + bound
        headers = {"Content-Type": wanted.media_type}
        task = _Task("PUT", image, f"manifests/{image.tag}", ends, headers, wanted.body)
        reply = self._run(task)
        if isinstance(reply, Trouble):
            return reply
        if not isinstance(reply, Response) or not 200 <= reply.status < 300:
            return self._trouble(task, reply)
        if reply.headers.get("docker-content-digest", wanted.digest) != wanted.digest:
            return _hostile(image, "reports that it stored a different manifest")
        return wanted

    def _run(self, task: _Task) -> HttpResult | Trouble:
        """Send a request, with the credentials that the registry requires."""
        place = (task.image.repository, task.scope)
        reply = self._send(task, self._shown.get(place))
        if not isinstance(reply, Response) or reply.status != 401:
            return reply
        shown = self._authorize(task, reply)
        if not isinstance(shown, Secret):
            return shown
        self._shown[place] = shown
        return self._send(task, shown)

    def _send(self, task: _Task, shown: Secret | None) -> HttpResult:
        image = task.image
        while True:
            url = f"{self._base(image)}/v2/{image.path}/{task.target}"
            found = self._ask(task.method, url, task.ends, shown, task.headers, body=task.body)
            failed = isinstance(found, TransportError) and found.error_kind in (ErrorKind.TLS, ErrorKind.CUT)
            if not failed or not self._may_be_plain(image):
                return found
            self._plain.add(image.host)

    def _ask(
        self,
        method: str,
        url: str,
        ends: float,
        shown: Secret | None = None,
        headers: Mapping[str, str] = {},
        *,
        body: bytes = b"",
    ) -> HttpResult:
        """Send one request; retry it if the registry asks to wait or, if it only reads, after a temporary failure."""

        def once() -> HttpResult:
            left = max(0.001, ends - time.monotonic())
            return self._fetch(
                method,
                url,
                cap=manifest.CAP,
                timeout=left,
                connect=left,
                authorization=shown,
                headers=headers,
                body=body,
                follow=method != "PUT",
            )

        left = max(0.0, ends - time.monotonic())
        again = backoff.on_predicate(
            backoff.expo, _in_passing, max_tries=MOST_TRIES, max_time=left, factor=0.25, logger=None
        )
        later = backoff.on_predicate(
            backoff.runtime,
            lambda found: 0.0 < _asked_wait(found) < ends - time.monotonic(),
            value=_asked_wait,
            jitter=None,
            max_tries=MOST_TRIES,
            logger=None,
        )
        return later(once if method == "PUT" else again(once))()

    def _base(self, image: Image) -> str:
        """Return the registry's origin: http for loopback, as engines do, else https."""
        http = f"http://{image.host}"
        return http if image.host in self._plain or is_loopback(http) else f"https://{image.host}"

    def _may_be_plain(self, image: Image) -> bool:
        """Return whether plain http may be tried after https failed: with `allow-http`, for a registry with a port.

        GHCR and Docker Hub have no port: so an attacker on the way cannot make us send their credentials unencrypted.
        """
        base = urllib.parse.urlsplit(self._base(image))
        return self._access.allow_http and base.scheme == "https" and base.port not in (None, 443)

    def _authorize(self, task: _Task, refused: Response) -> Secret | Trouble | HttpResult:
        """Return the authorization that a registry requires, or why there is none."""
        demanded = www_authenticate.parse(refused.headers.get("www-authenticate", ""))
        challenges = {each.scheme: each for each in reversed(demanded)}
        credentials = self._credentials()
        if bearer := challenges.get("bearer"):
            return self._token(task, bearer.parameters, credentials)
        if credentials is None or "basic" in challenges:
            return credentials or refused
        seen = f"the registry `{task.image.registry}` responds with 401, and does not say how to log in"
        return Trouble(Kind.REFUSED, seen, "Look for a proxy in front of it that drops the header `WWW-Authenticate`.")

    def _credentials(self) -> Secret | None:
        access = self._access
        return Secret(f"Basic {basic(access.username, access.password.reveal())}") if access.known else None

    def _token(self, task: _Task, asked: Mapping[str, str], credentials: Secret | None) -> Secret | Trouble:
        """Return a token from the realm that a registry names."""
        image = task.image
        realm = self._fit(image, asked.get("realm", ""))
        if realm is None:
            return _hostile(image, "names no https address for tokens")
        query = {"service": asked.get("service", ""), "scope": f"repository:{image.path}:{task.scope}"}
        url = f"{realm}{'&' if '?' in realm else '?'}{urllib.parse.urlencode(query)}"
        reply = self._ask("GET", url, task.ends, credentials)
        if not isinstance(reply, Response) or reply.status >= 500 or reply.status == 429:
            seen = f"it responds with {reply.status}" if isinstance(reply, Response) else reply.seen
            return Trouble(Kind.UNREACHABLE, f"the registry `{image.registry}` gives no token: {seen}")
        if reply.status in (400, 401, 403, 404):
            return refusal(image, task.scope, known=self._access.known, status=f"no token, {reply.status}")
        document = reply.json if reply.status == 200 and isinstance(reply.json, dict) else {}
        token = document.get("token") or document.get("access_token")
        if not isinstance(token, str) or not _FIT_TOKEN.fullmatch(token):
            return _hostile(image, f"sends no token in its {reply.status} response")
        return Secret(f"Bearer {token}")

    def _elsewhere(self, task: _Task, reply: Response) -> HttpResult | Trouble:
        """Read a blob from the store that its registry redirects to, without sending credentials there."""
        url = self._fit(task.image, reply.headers.get("location", ""))
        if url is None:
            return _hostile(task.image, "does not redirect to an https address for a blob")
        return self._ask("GET", url, task.ends)

    def _fit(self, image: Image, url: str) -> str | None:
        """Return the address that a registry names; None for plain http, unless the registry itself uses that."""
        try:
            fit = urls.url(url, allow_http=self._access.allow_http)
        except ValueError:
            return None
        return fit if fit.startswith("https:") or self._base(image).startswith("http:") else None

    def _trouble(self, task: _Task, http_result: HttpResult) -> Trouble:
        return trouble_of(http_result, task.image, task.scope, known=self._access.known)


def _hostile(image: Image, does: str) -> Trouble:
    return Trouble(Kind.HOSTILE, f"the registry `{image.registry}` {does}")


def _in_passing(found: HttpResult) -> bool:
    """Return whether a retry may succeed."""
    return found.error_kind in _PASSING if isinstance(found, TransportError) else found.status >= 500


def _asked_wait(found: HttpResult) -> float:
    """Return the seconds that a rate-limited registry asks to wait; 0 if it says none."""
    return (found.retry_after or 0.0) if isinstance(found, Response) and found.status == 429 else 0.0
