"""The part of an earlier step's report that a later step compares with."""

import datetime as dt
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redeploy.contract.snapshot import Fingerprint
from redeploy.http.condition import Condition
from redeploy.http.response import nested_too_deeply
from redeploy.registry.image import is_digest
from redeploy.service.build_fields import IN_HEADERS, Kind, names_nothing
from redeploy.service.declared import Rank
from redeploy.service.endpoint import Endpoint, Service
from redeploy.service.process import Start
from redeploy.service.sample import Sample
from redeploy.text.untrusted import one_line
from redeploy.triggers.watchtower.containers import Endpoint as ContainersEndpoint
from redeploy.triggers.watchtower.containers import Look, RunningContainer

VERSION = 1
"""The version of the reports that this release writes."""

MOST_BYTES = 128 * 1024
"""A report has at most 96 KiB; the runner cannot start a container with a longer variable than this."""

LATEST = 1e11
"""Seconds since 1970 later than any moment."""

LONGEST_TEXT = 2048
LONGEST_LIST = 1000

_AS_IT_IS = "pass the output `report` of the earlier step as it is, `${{ steps.baseline.outputs.report }}`"


@dataclass(frozen=True, kw_only=True)
class SeenBefore:
    """What an earlier step saw of the service. Moments are seconds since 1970."""

    url: str
    health_url: str
    version_url: str
    names: Mapping[str, tuple[str, ...]]
    """The values of each build name, by path; those of the health address begin with `health:` if there are two."""
    kinds: Mapping[str, Kind]
    noisy: frozenset[str]
    starts: tuple[tuple[str, float], ...]
    rows: tuple[RunningContainer, ...]
    images: frozenset[str]
    """The image references of the rows."""
    contract: str
    """The fingerprint of the OpenAPI document; empty if none was read."""
    contract_version: str
    ended: float
    """When that step ended; 0 if unknown."""

    @property
    def promised(self) -> Fingerprint | None:
        """What the service promised then; None if no document was read."""
        return Fingerprint(self.contract, self.contract_version) if self.contract else None

    def samples(self, service: Service, redact: Callable[[str], str], at: float) -> list[Sample]:
        """Return looks that show what was seen, as of `at` in monotonic seconds; empty if nothing can be compared.

        Only fields at the same address are compared, and nothing that contains a secret of this run.
        """
        names: dict[str, list[str]] = {}
        ranks: dict[str, Rank] = {}
        starts: dict[str, list[float]] = {}
        for path, values in self.names.items():
            here = self._here(path, service, redact)
            known = [each for each in values if redact(each) == each]
            if here is not None and path not in self.noisy and known:
                names[here], ranks[here] = known, _rank(here, self.kinds[path])
        for path, moment in self.starts:
            if path not in self.noisy and (here := self._here(path, service, redact)) is not None:
                starts.setdefault(here, []).append(moment)
        most = max((*map(len, names.values()), *map(len, starts.values())), default=0)
        return [
            Sample(
                sent=at,
                at=at,
                endpoints=frozenset(Endpoint),
                condition=Condition.HEALTHY,
                seen="what an earlier step saw",
                names={path: known[min(place, len(known) - 1)] for path, known in names.items()},
                ranks=ranks,
                starts={path: _start(known[min(place, len(known) - 1)]) for path, known in starts.items()},
                wall=self.ended,
                names_itself=True,
            )
            for place in range(most)
        ]

    def noise(self, service: Service, redact: Callable[[str], str]) -> frozenset[str]:
        """Return the fields that were noise then, by the paths of this run."""
        return frozenset(here for path in self.noisy if (here := self._here(path, service, redact)) is not None)

    def look(self, at: float) -> Look | None:
        """Return the running containers that were seen, as of `at` in monotonic seconds; None if none were."""
        return Look(sent=at, at=at, endpoint=ContainersEndpoint.REPORTED, rows=self.rows) if self.rows else None

    def distinguishes_builds(self, service: Service, redact: Callable[[str], str], *, document: bool) -> bool:
        """Return whether a change can be compared with this; `document`: whether the OpenAPI document is requested."""
        known = self.samples(service, redact, 0.0)
        named = any(not names_nothing(name) for each in known for name in each.names.values())
        runs = any(row.digest for row in self.rows)
        return named or runs or any(each.starts for each in known) or bool(document and self.contract)

    def _here(self, path: str, service: Service, redact: Callable[[str], str]) -> str | None:
        """Return a path as this run calls it; None if this run does not request its address."""
        at_health = path.startswith("health:") and self.health_url != self.version_url
        address, bare = (self.health_url, path.removeprefix("health:")) if at_health else (self.version_url, path)
        if address == _spelled(service.version_url, redact):
            return bare
        apart = service.version_url != service.health_url
        return f"health:{bare}" if apart and address == _spelled(service.health_url, redact) else None


def _spelled(url: str, redact: Callable[[str], str]) -> str:
    return one_line(redact(url), LONGEST_TEXT)


def _start(moment: float) -> Start:
    return Start(reported=moment, ours=moment)


def _rank(path: str, kind: Kind) -> Rank:
    bare = path.removeprefix("health:")
    depth = (
        IN_HEADERS if bare.startswith("header:") else bare.count("/") - 1 if bare.startswith("/") else bare.count(".")
    )
    return Rank(kind, at_health=bare != path, depth=depth)


def reports_in(text: str) -> Mapping[str, str] | None:
    """Return the reports of several services that one report holds, by their keys; None if it is about one service.

    Services of which it saw nothing, or had no room to say what, are left out.

    Raises:
        ValueError: if it is not a report at all.
    """
    if len(text) > MOST_BYTES or nested_too_deeply(text.encode("utf-8", "replace")):
        raise ValueError
    document = json.loads(text)
    services = document.get("services") if isinstance(document, dict) else None
    if not isinstance(services, dict):
        return None
    return {key: json.dumps(each) for key, each in services.items() if not isinstance(each, dict) or each.get("seen")}


def read_report(text: str) -> SeenBefore:
    """Return what a report says of the service; the report is untrusted, and messages do not quote it.

    Raises:
        ValueError: with what is wrong and what would be right; the message continues after the input's name.
    """
    if len(text) > MOST_BYTES:
        msg = f"has {len(text):,} characters, but a report has at most 96 KiB; {_AS_IT_IS}"
        raise ValueError(msg)
    try:
        document = None if nested_too_deeply(text.encode("utf-8", "replace")) else json.loads(text)
    except ValueError:
        msg = f"is not a whole JSON document; it was cut off or changed on the way. So {_AS_IT_IS}"
        raise ValueError(msg) from None
    version = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(document, dict) or type(version) is not int or "verdict" not in document:
        msg = f"is not a report of this action; {_AS_IT_IS}"
        raise ValueError(msg)
    if version != VERSION:
        said = str(version)[:20]
        msg = f"is a report of version {said}, and this release reads version {VERSION}; use one release in both steps"
        raise ValueError(msg)
    mode, seen = document.get("mode"), document.get("seen")
    if mode == "":
        msg = "is the report of a step with invalid inputs, so it saw nothing; correct that step first"
        raise ValueError(msg)
    if mode != "verify":
        msg = (
            "is not the report of a step in mode `verify`; look with `mode: verify` before the other deployer is asked, and "
            "give that step's report"
        )
        raise ValueError(msg)
    if not isinstance(seen, dict) or not seen:
        msg = "is the report of a step that ended before it looked at the service; see that step's own error"
        raise ValueError(msg)
    try:
        return _seen(seen)
    except (KeyError, TypeError, ValueError, OverflowError):
        msg = f"was changed on the way: its `seen` is not in the format of this release. So {_AS_IT_IS}"
        raise ValueError(msg) from None


def _seen(seen: Mapping[str, Any]) -> SeenBefore:
    names = [(_text(each["field"]), each) for each in _list(seen["names"])]
    ended = dt.datetime.fromisoformat(_text(seen["ended"]) or "1970-01-01T00:00:00Z")
    if ended.tzinfo is None:
        raise ValueError
    return SeenBefore(
        url=_text(seen["url"]),
        health_url=_text(seen["health-url"]),
        version_url=_text(seen["version-url"]),
        names={path: tuple(map(_text, _list(each["values"]))) for path, each in names},
        kinds={path: Kind[_text(each["kind"]).upper()] for path, each in names},
        noisy=frozenset(map(_text, _list(seen["noisy"]))),
        starts=tuple((_text(each["field"]), _moment(each["seconds"])) for each in _list(seen["starts"])),
        rows=tuple(map(_row, _list(seen["rows"]))),
        images=frozenset(map(_text, _list(seen["images"]))),
        contract=_text(seen["contract"]),
        contract_version=_text(seen["contract-version"]),
        ended=ended.timestamp(),
    )


def _text(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return a text as this action writes it: one harmless line."""
    if not isinstance(value, str) or one_line(value, LONGEST_TEXT) != value:
        raise ValueError
    return value


def _list(value: Any) -> Sequence[Any]:  # noqa: ANN401 - a JSON value
    if not isinstance(value, list) or len(value) > LONGEST_LIST:
        raise ValueError
    return value


def _moment(value: Any) -> float:  # noqa: ANN401 - a JSON value
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0 <= value < LATEST
    ):
        raise ValueError
    return float(value)


def _row(value: Any) -> RunningContainer:  # noqa: ANN401 - a JSON value
    name, digest, image_id = _text(value["container"]), _text(value["digest"]), _text(value["image-id"])
    if digest and not is_digest(digest):
        raise ValueError
    return RunningContainer(name, "", digest, image_id)
