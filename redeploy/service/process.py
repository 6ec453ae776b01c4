"""When the process that responds was started, by a start time it reports or by an uptime that ticks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from redeploy.service.build_fields import own_objects, words
from redeploy.text.json_path import below

START_TIMES = words(
    """
    start starttime startdate startedat started startuptime startup processstarttime processstartedat serverstarttime
    boottime bootedat launchedat runningsince upsince
    """
)
"""Fields that hold the moment at which the process started: seconds or milliseconds since 1970, or ISO 8601."""

UPTIMES = words(
    """
    uptime uptimes uptimesec uptimesecs uptimeseconds uptimeinseconds processuptime processuptimeseconds serveruptime
    uptimems uptimemillis uptimemilliseconds
    """
)
"""Fields that may hold how long the process has run; only one that ticks counts, in seconds or in milliseconds."""

OWN_PROCESS = frozenset({"process", "runtime"})
"""Objects that describe the process, besides those that describe the service."""

UNITS = (1.0, 0.001)
"""What one unit of an uptime may be, in seconds."""

TICKS_WITHIN = 1.0
"""Seconds by which an uptime may differ from the time that passed."""

TICKED_FOR = 2.0
"""Seconds of looks over which an uptime must have grown as time passed; one that stood for as long is noise."""

MOST_TIMES = 16


@dataclass(frozen=True, kw_only=True)
class Start:
    """When a process started: as reported (to compare with itself), and by our own clock (to compare with the trigger)."""

    reported: float
    ours: float
    slack: float = 0.5
    """Seconds by which it may vary: an uptime in whole seconds varies by one."""
    zoned: bool = True
    """Whether its time zone is known; otherwise it can only be compared with itself."""


def process_times(document: Any) -> tuple[dict[str, tuple[float, bool]], dict[str, float]]:  # noqa: ANN401 - a JSON value
    """Return what a response reports of its process, by path.

    Returns:
        The start times, in seconds since 1970, each with whether its zone is known, and the uptimes, in an unknown unit.
    """
    starts: dict[str, tuple[float, bool]] = {}
    uptimes: dict[str, float] = {}
    for each in own_objects(document, OWN_PROCESS):
        for key, name, value in each.fields:
            if len(starts) + len(uptimes) >= MOST_TIMES:
                return starts, uptimes
            path = below(each.path, key)
            started = name in START_TIMES or (name in UPTIMES and isinstance(value, str) and "-" in value)
            if started and (moment := moment_of(value)) is not None:
                starts[path] = moment, _has_zone(value)
            elif name in UPTIMES and (number := _number(value)) is not None and number >= 0:
                uptimes[path] = number
    return starts, uptimes


def moment_of(value: Any) -> float | None:  # noqa: ANN401 - a JSON value
    """Return the seconds since 1970 that a value names, or None if it is not a moment after 2001."""
    number = _number(value)
    if number is not None:
        number = number / 1000 if number >= 1e12 else number
        return number if 1e9 <= number < 1e11 else None
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", value):
        return None
    try:
        moment = datetime.fromisoformat(value[:64])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _has_zone(value: Any) -> bool:  # noqa: ANN401 - a JSON value that names a moment
    return _number(value) is not None or datetime.fromisoformat(value[:64]).tzinfo is not None


def _number(value: Any) -> float | None:  # noqa: ANN401 - a JSON value
    if isinstance(value, str) and re.fullmatch(r"\d{1,15}(?:\.\d{1,9})?", value):
        return float(value)
    return (
        float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15 else None
    )


@dataclass
class _Life:
    """One process, as its uptime shows it; moments are monotonic seconds."""

    at: float
    value: float
    latest: float
    stands_since: float


@dataclass
class Uptimes:
    """Learns which uptimes tick, from every look in order."""

    stood: set[str] = field(default_factory=set)
    """Those that stood still while time passed: percentages, whole hours, values that are refreshed now and then."""
    _units: dict[str, float] = field(default_factory=dict)
    _lives: dict[str, _Life] = field(default_factory=dict)

    @property
    def units(self) -> Mapping[str, float]:
        """What one unit is, in seconds, of each uptime that was seen to tick."""
        return {path: unit for path, unit in self._units.items() if path not in self.stood}

    def learn(self, uptimes: Mapping[str, float], at: float) -> None:
        """Take in what one look showed; `at` is when its response was complete."""
        for path, value in uptimes.items():
            life = self._lives.get(path)
            if life is None or value < life.latest:
                self._lives[path] = _Life(at, value, value, at)
                continue
            if value == life.latest:
                if at - life.stands_since >= TICKED_FOR:
                    self.stood.add(path)
            else:
                life.stands_since = at
            life.latest = value
            passed, grown = at - life.at, value - life.value
            unit = next((each for each in UNITS if abs(grown * each - passed) <= TICKS_WITHIN), None)
            if unit is None:
                self._lives[path] = _Life(at, value, value, life.stands_since)
            elif passed >= TICKED_FOR:
                self._units[path] = unit

    def interrupt(self) -> None:
        """Take in that the service was down: what stood still before may be another process since."""
        self._lives.clear()
