"""How many builds end green that crash in a loop, come and go, or respond from only some of their instances."""

from tools.bench import crash_loops
from tools.bench import windows as windowed
from tools.bench.sections.figure import Figure, Section


def loops(_rollouts: int) -> Section:
    """Measure crash loops."""
    figures = []
    for named, what in ((True, "version declared"), (False, "nothing distinguishes builds")):
        ends = crash_loops.measure(named=named)
        figures.append(Figure(f"crash loops, {what}: green of {crash_loops.LOOPS}", ends.get("green", 0), 0))
    return Section("Crash loops", "Builds that crash over and over with gaps of 1 s and more.", tuple(figures))


def windows(_rollouts: int) -> Section:
    """Measure builds that are healthy only at times, or only on some of their instances."""
    figures = []
    for gap, apart, what in (
        (windowed.NOT_READY, True, "readiness comes and goes behind a constant version"),
        (windowed.STOCK_503, False, "gaps behind stock 503 pages"),
        (windowed.STOCK_503, True, "gaps behind stock 503 pages, version apart"),
    ):
        ends = windowed.readiness(gap, apart=apart)
        figures.append(Figure(f"{what}: green of {windowed.RUNS}", ends.get("green", 0), 0))
    for instances in (2, 3, 4):
        for declared in (True, False):
            ends = windowed.stale(instances, declared=declared)
            what = f"1 of {instances} stale, {'`instances`' if declared else 'once an old response was seen'}"
            green = 100 * ends.get("green", 0) / max(1, sum(ends.values()))
            figures.append(Figure(f"{what}: green in 100", green, 1.0))
    return Section("Windows", "Builds that are well only now and then, or only in part.", tuple(figures))
