"""Prints every measurement beside the bar that it has to reach; the exit code says whether all do."""

import sys

from redeploy.fleet.loop import MOST_UNDER_WAY
from redeploy.rollout.schedule import MOST_AT_ONCE
from tools.bench import contract, crash_loops, demo, detection, many_services, reading, smoke, startup, windows

MOST_SIDE_BY_SIDE = MOST_UNDER_WAY + 8
"""Requests under way at most: one service may send a few at once when it has room for the first."""


def main() -> int:
    """Measure, print, and return 1 if a bar was missed."""
    rows: list[tuple[str, float, float]] = []
    starting = startup.measure()
    rows.append(("start: first request / import requests", starting["time to the first request"], 1.15))
    rows.append(("start: peak memory / import requests", starting["peak memory"], 1.3))
    rows.append(("demo: seconds", demo.measure(), 15.0))
    large = contract.measure()
    rows.append(("two documents of 13 MB: time / json.loads of both", large["time"], 1.5))
    rows.append(("two documents of 13 MB: peak memory / json.loads of both", large["peak memory"], 1.3))
    asked = smoke.measure()
    rows.append((f"{smoke.REQUESTS} smoke requests: time / ideal", asked["time"], 2.0))
    rows.append((f"{smoke.REQUESTS} smoke requests: most at once", asked["most at once"], MOST_AT_ONCE))
    read = reading.measure()
    rows.append(("a response of 1 MiB, the worst: time / json.loads", read["time"], 3.0))
    rows.append((f"conditions on {reading.ELEMENTS:,} elements, the worst: time / json.loads", read["conditions"], 3.0))
    rows.append(("a response of 1 MiB, the worst: peak memory, MiB", read["memory"], 60.0))
    for lost, apart, mean in ((False, False, 0.5), (False, True, 0.5), (True, False, 0.8)):
        seen = detection.measure(lost=lost, apart=apart)
        what = "answer lost" if lost else "answered, two addresses" if apart else "answered"
        rows.append((f"detection, {what}: mean delay, s", seen["mean"], mean))
        rows.append((f"detection, {what}: 95th percentile, s", seen["p95"], 2.0))
        rows.append(
            (f"detection, {what}: bucket overdrawn by", max(0.0, round(-seen["lowest level of the bucket"], 6)), 0.0)
        )
    for named in (True, False):
        ends = crash_loops.measure(named=named)
        what = "version declared" if named else "nothing tells builds apart"
        rows.append((f"crash loops, {what}: green of {crash_loops.LOOPS}", ends.pop("green", 0), 0))
        print(f"crash loops, {what}, end as {ends}")
    for gap, apart, what in (
        (windows.NOT_READY, True, "readiness comes and goes behind a constant version"),
        (windows.STOCK_503, False, "gaps behind stock 503 pages"),
        (windows.STOCK_503, True, "gaps behind stock 503 pages, version apart"),
    ):
        ends = windows.readiness(gap, apart=apart)
        rows.append((f"{what}: green of {windows.RUNS}", ends.pop("green", 0), 0))
        print(f"{what}, end as {ends}")
    for instances in (2, 3, 4):
        for declared in (True, False):
            ends = windows.stale(instances, declared=declared)
            what = f"1 of {instances} stale, {'`instances`' if declared else 'once an old response was seen'}"
            rows.append((f"{what}: green in 100", 100 * ends.get("green", 0) / max(1, sum(ends.values())), 1.0))
    alone = many_services.services(1)["seconds"]
    for number in (10, 100):
        grown = many_services.services(number)
        rows.append((f"{number} services: seconds beyond those of one", grown["seconds"] - alone, 1.0))
        rows.append((f"{number} services: requests side by side", grown["most at once"], MOST_SIDE_BY_SIDE))
        rows.append((f"{number} services: MiB a service", grown["MiB a service"], 1.0))
        rows.append((f"{number} services: not green", grown["not green"], 0))
    fleet = many_services.hosts(100, 5)
    rows.append(("100 hosts in 5 waves: seconds a wave beyond those of one service", fleet["seconds"] / 5 - alone, 1.0))
    rows.append(("100 hosts in 5 waves: bucket overdrawn by", fleet["overdrawn"], 0.0))
    rows.append(("100 hosts in 5 waves: not green", fleet["not green"], 0))
    for what, value, bar in rows:
        print(f"{what:62} {value:7.2f}  (at most {bar:g}){'' if value <= bar else '  MISSED'}")
    return int(any(value > bar for _, value, bar in rows))


if __name__ == "__main__":
    sys.exit(main())
