"""When the responding process started, as far as its responses show."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.service.build_fields import plain
from redeploy.service.process import START_TIMES, UPTIMES, Uptimes, moment_of, process_times


@pytest.mark.parametrize(
    ("document", "starts", "uptimes"),
    [
        pytest.param({"start_time": 1_800_000_000.5}, {"start_time": 1_800_000_000.5}, {}, id="seconds"),
        pytest.param({"startedAt": 1_800_000_000_500}, {"startedAt": 1_800_000_000.5}, {}, id="milliseconds"),
        pytest.param({"started_at": "2027-01-15T08:00:00Z"}, {"started_at": 1_800_000_000.0}, {}, id="ISO 8601"),
        pytest.param({"started": "2027-01-15T09:00:00+01:00"}, {"started": 1_800_000_000.0}, {}, id="with an offset"),
        pytest.param({"boot_time": "2027-01-15 08:00:00"}, {"boot_time": 1_800_000_000.0}, {}, id="without a zone"),
        pytest.param(
            {"process": {"start_time": "1800000000"}}, {"process.start_time": 1_800_000_000.0}, {}, id="digits, inside"
        ),
        pytest.param({"uptime": 12}, {}, {"uptime": 12.0}, id="an uptime"),
        pytest.param({"uptime_ms": 1500}, {}, {"uptime_ms": 1500.0}, id="an uptime in another unit"),
        pytest.param({"uptime_seconds": "12.5"}, {}, {"uptime_seconds": 12.5}, id="an uptime in digits"),
        pytest.param({"uptime": -1, "start_time": 5, "started": True}, {}, {}, id="impossible values"),
        pytest.param({"uptime": "3 days", "started_at": "yesterday"}, {}, {}, id="words"),
        pytest.param({"start_time": "2027-13-45T08:00:00Z"}, {}, {}, id="no such day"),
        pytest.param(
            {"uptime": "2027-01-15T08:00:00Z"}, {"uptime": 1_800_000_000.0}, {}, id="an uptime that is a moment"
        ),
        pytest.param(
            {"runtime": {"uptime": 5}, "app": {"startTime": 1_800_000_000}},
            {"app.startTime": 1_800_000_000.0},
            {"runtime.uptime": 5.0},
            id="in the service's own objects",
        ),
        pytest.param(
            {
                "last_sync": {"started_at": 1_800_000_000},
                "redis": {"uptime": 5},
                "limits": {"window": {"start": 1_800_000_000}},
            },
            {},
            {},
            id="not of a job, a dependency or a limit",
        ),
        pytest.param({"data": [{"started_at": 1_800_000_000}]}, {}, {}, id="not in an array"),
        pytest.param({"time": 1_800_000_000, "expires": 1_800_000_000}, {}, {}, id="other times"),
    ],
)
def test_start_times_and_uptimes_are_found(
    document: object, starts: dict[str, float], uptimes: dict[str, float]
) -> None:
    found, ticking = process_times(document)
    assert ({path: moment for path, (moment, _) in found.items()}, ticking) == (starts, uptimes)


@given(st.text(max_size=40) | st.text(alphabet="0123456789-T: .Z+", max_size=30) | st.integers() | st.floats())
def test_any_value_is_a_moment_or_none(value: object) -> None:
    moment = moment_of(value)
    assert moment is None or isinstance(moment, float)


@pytest.mark.parametrize("listed", [START_TIMES, UPTIMES])
def test_the_lists_hold_names_as_they_are_compared(listed: frozenset[str]) -> None:
    assert {plain(name) for name in listed} == listed


@pytest.mark.parametrize(
    ("text", "zoned"),
    [("2027-01-15T08:00:00", False), ("2027-01-15T08:00:00Z", True), ("2027-01-15T08:00:00+01:00", True)],
)
def test_a_start_time_has_a_zone_or_not(text: str, zoned: bool) -> None:
    assert [known for _, known in process_times({"started_at": text})[0].values()] == [zoned]


Looks = Sequence[tuple[float, float]]
"""Moments and uptimes."""


@pytest.mark.parametrize(
    ("looks", "unit", "noise"),
    [
        pytest.param([(0, 100), (1, 101), (2, 102)], 1.0, False, id="seconds"),
        pytest.param([(0, 100_000), (1, 101_000), (2.5, 102_500)], 0.001, False, id="milliseconds"),
        pytest.param([(0, 100.2), (1.9, 102.1)], None, False, id="less than 2 s of looks"),
        pytest.param([(0, 100), (2, 102), (2.9, 102), (4, 104)], 1.0, False, id="a short standstill"),
        pytest.param([(0, 99.98), (1, 99.98), (2, 99.98)], None, True, id="a percentage"),
        pytest.param([(0, 17), (1, 17), (2, 18), (3, 18), (4, 18)], None, True, id="whole minutes"),
        pytest.param([(0, 100), (1, 101), (2, 102), (3, 102), (4, 102)], None, True, id="it ticked, then stopped"),
        pytest.param([(0, 100), (9, 100), (10, 110), (13, 113)], None, True, id="refreshed every ten seconds"),
        pytest.param([(0, 1.5), (3, 1.55), (6, 1.6)], None, False, id="minutes with a fraction"),
        pytest.param([(0, 100), (2, 102), (3, 0), (4, 1)], 1.0, False, id="a restart"),
        pytest.param([(0, 0), (2, 900), (4, 902)], 1.0, False, id="another process that is older"),
        pytest.param([(0, 0), (1, 0), (2.1, 0)], None, True, id="always zero"),
    ],
)
def test_an_uptime_counts_once_it_has_ticked(looks: Looks, unit: float | None, noise: bool) -> None:
    uptimes = Uptimes()
    for at, value in looks:
        uptimes.learn({"uptime": value}, at)
    assert (uptimes.units.get("uptime"), "uptime" in uptimes.stood) == (unit, noise)


def test_an_uptime_does_not_count_as_stopped_while_the_service_is_down() -> None:
    uptimes = Uptimes()
    uptimes.learn({"uptime": 5}, 0)
    uptimes.interrupt()
    uptimes.learn({"uptime": 5}, 60)
    assert not uptimes.stood
