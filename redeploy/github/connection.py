"""The connection to GitHub, on PyGithub, which is loaded in a thread parallel to the run because it is slow.

PyGithub repeats nothing here: its own retry sends a POST again after a 502 and sleeps for as long as `Retry-After` says,
and urllib3's takes a TLS connection that broke off for one that never was. `redeploy.github.retry` decides instead.
PyGithub reads no `.netrc`, and honours proxies and `REQUESTS_CA_BUNDLE`.
"""

import contextlib
import logging
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

from redeploy import __version__
from redeploy.github.deployment import Place
from redeploy.github.retry import Trouble, trouble_of
from redeploy.text.secret import Secret

if TYPE_CHECKING:
    from github.Repository import Repository

REQUEST_SECONDS = 15
"""Seconds of silence after which a response counts as lost; GitHub itself gives up after 10 s."""

USER_AGENT = f"redeploy-action/{__version__} (+https://github.com/leok974/redeploy-action)"


class Ask(Protocol):
    """Sends one request about a repository, and returns the JSON of the response; raises what PyGithub raises."""

    def __call__(
        self, method: str, path: str, asked: Mapping[str, object] | None = None, query: Mapping[str, str] | None = None
    ) -> object:
        """Send it; `path` follows the repository's URL."""


@contextlib.contextmanager
def connected(place: Place, token: Secret) -> Iterator["Repository"]:
    """Yield the run's repository, without a request."""
    import github

    github.set_log_level(
        logging.CRITICAL + 1
    )  # it logs the server's words to stderr, where the runner executes commands
    with github.Github(
        auth=github.Auth.Token(token.reveal()),
        base_url=place.api_url,
        timeout=REQUEST_SECONDS,
        user_agent=USER_AGENT,
        per_page=100,
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,  # a run writes only a few times
        lazy=True,
    ) as client:
        yield client.get_repo(place.repository)


@contextlib.contextmanager
def asking(place: Place, token: Secret) -> Iterator[Ask]:
    """Yield a function that sends a request about the repository."""
    with connected(place, token) as repository:

        def ask(
            method: str, path: str, asked: Mapping[str, object] | None = None, query: Mapping[str, str] | None = None
        ) -> object:
            url = f"{repository.url}/{path}"
            return repository.requester.requestJsonAndCheck(method, url, parameters=dict(query or {}), input=asked)[1]

        yield ask


def trouble_of_error(error: Exception) -> Trouble:
    """Translate PyGithub's exceptions; their texts quote whole responses, so only GitHub's own message is used."""
    from github import GithubException

    if isinstance(error, GithubException):
        data = error.data if isinstance(error.data, dict) else {}
        errors = data.get("errors")
        details = [each.get("message") for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
        message = ": ".join(text for text in (data.get("message"), *details) if isinstance(text, str) and text)
        return trouble_of(error.status, error.headers or {}, message)
    tls = next((cause for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)
    if tls is not None:
        return Trouble(
            message=f"its certificate is not trusted ({tls.verify_message}). Where a private authority issued it, set "
            "`env: REQUESTS_CA_BUNDLE` to a PEM file in the workspace",
            unsent=True,
        )
    return Trouble(message=type(error).__name__)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and everything that it wraps: as cause, context, reason or argument."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseException) and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return found
