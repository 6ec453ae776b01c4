"""The measurements of time and memory, section by section."""

from redeploy.fleet.loop import MOST_UNDER_WAY
from redeploy.rollout.schedule import MOST_AT_ONCE
from tools.bench import contract, demo, many_services, reading, smoke, startup
from tools.bench import detection as detected
from tools.bench.sections import job as jobs
from tools.bench.sections import local_services, polls
from tools.bench.sections.figure import Chart, Figure, Section

_MINUTE = 60.0
_MOST_SIDE_BY_SIDE = MOST_UNDER_WAY + 8
"""The maximum of concurrent requests: one service may send a few at once when there is room for the first."""

_PATHS = (1, 16, 200, 811)
"""The numbers of paths of the large document that the smaller ones have."""

_SMALL = 100.0
"""Kilobytes of a document below which the fixed cost weighs more than the document."""


def start(_rollouts: int) -> Section:
    """Measure the time to the first request, and memory."""
    found = startup.measure()
    first = found["ms: first"]
    figures = (
        Figure(
            "first request / `import requests`",
            found["time to the first request"],
            1.15,
            "Python needs 1.0 to load the library that sends requests; the rest is the action's own.",
        ),
        Figure(
            "first request / `python -I -c pass`", first / found["ms: nothing"], None, "1.0 is an empty interpreter."
        ),
        Figure("first request / `curl`", first / found["ms: curl"], None, "1.0 is one request by a program in C."),
        Figure(
            "peak memory / `import requests`",
            found["peak memory"],
            1.3,
            f"A whole deploy peaks at {found['MiB']:.0f} MiB, that import at {found['MiB: requests']:.0f} MiB.",
        ),
    )
    words = (
        "From the start of the process to its first request on the wire. The plan alone says what is asked first, so that "
        "leaves before most of the action is loaded."
    )
    times = {
        "the action, to its first request": first,
        "import requests": found["ms: requests"],
        "python -I -c pass": found["ms: nothing"],
        "curl, one request": found["ms: curl"],
    }
    return Section("Start", words, figures, Chart("Start, processor time", "ms", times))


def detection(rollouts: int) -> Section:
    """Measure how soon the new build is detected."""
    ours = detected.measure(lost=False, count=rollouts, longest=_MINUTE)
    apart = detected.measure(lost=False, apart=True, count=rollouts, longest=_MINUTE)
    lost = detected.measure(lost=True, count=rollouts)
    others = polls.measure(rollouts, _MINUTE)
    figures = [
        Figure(
            "mean delay, s",
            ours["mean"],
            0.3,
            "From the new build's first possible response to the action's seeing it.",
            known=0.42,
        ),
        Figure("95th percentile, s", ours["p95"], 1.2, "19 of 20 rollouts are seen sooner than that.", known=1.4),
        Figure(
            "mean delay with a version address of its own, s",
            apart["mean"],
            0.5,
            "The same where two addresses are asked.",
        ),
        Figure(
            "mean delay where Watchtower's response is lost, s", lost["mean"], 0.8, "Nothing says when to look, then."
        ),
        Figure(
            "requests beyond nginx's limit",
            max(0.0, *(-each["lowest level of the bucket"] for each in (ours, apart, lost))),
            0,
            "30 a minute with a burst of 15; a request beyond it would be refused.",
        ),
    ]
    for name, each in others.items():
        refused = f"nginx refuses one of its requests in {100 * each['refused']:.0f} % of the rollouts"
        figures.append(
            Figure(f"{name}: mean delay, s", each["mean"], None, f"95th percentile {each['p95']:.1f} s; {refused}.")
        )
    words = (
        f"{rollouts:,} simulated rollouts of 0.3 to 90 s, those of less than a minute where Watchtower responds when it has "
        "started the container. The limit of requests keeps the mean near 0.4 s, whatever the rhythm: a build that boots "
        "for long after Watchtower's response meets a bucket that has one more request every 2 s."
    )
    bars = {"the action": ours["mean"]} | {name: each["mean"] for name, each in others.items()}
    return Section("Detection", words, tuple(figures), Chart("Mean delay until the new build is seen", "s", bars))


def job(rollouts: int) -> Section:
    """Measure what a whole job adds to its rollout."""
    found = jobs.measure(rounds=3 if rollouts < detected.ROLLOUTS else 7)
    figures = (
        Figure(
            "seconds beyond rollout and `stable-for`",
            found["ours"],
            0.7,
            "Start, the looks before the trigger, seeing the build, the last look and the report.",
        ),
        Figure(
            "the guide's steps: seconds beyond the rollout", found["guide"], None, "It sleeps 10 s after the trigger."
        ),
        Figure("ours / the guide's", found["ours"] / found["guide"], 0.1, "1.0 wastes as much; 0.1 a tenth."),
        Figure("the demo: seconds", demo.measure(), 15.0, "A whole deploy in the embedded world, for a newcomer."),
    )
    words = (
        "The whole job in the sandbox: real processes and sockets on one machine, from the start of the step to its end. "
        "The guide's steps do not watch whether the new build stays."
    )
    bars = {"the action": found["ours"], "the guide's steps": found["guide"]}
    return Section("A whole job", words, figures, Chart("Seconds beyond the rollout", "s", bars))


def documents(_rollouts: int) -> Section:
    """Measure OpenAPI documents of many sizes, and smoke requests."""
    figures = [
        Figure(
            f"two documents of {size:,.0f} kB: time / `json.loads` of both",
            ratio,
            1.5,
            "1.0 is only to parse them; the rest is to read routes and compare both.",
            known=3.0 if size < _SMALL else None,
        )
        for size, ratio in contract.by_size(_PATHS).items()
    ]
    large, asked = contract.measure(), smoke.measure()
    figures += [
        Figure("two of 13 MB: peak memory / `json.loads` of both", large["peak memory"], 1.3, "The same in memory."),
        Figure(
            f"{smoke.REQUESTS} smoke requests: time / ideal",
            asked["time"],
            2.0,
            "The ideal is the request limit alone.",
        ),
        Figure(f"{smoke.REQUESTS} smoke requests: most at once", asked["most at once"], MOST_AT_ONCE, "Side by side."),
    ]
    words = (
        "From two responses to what a run says of them: required routes, and what changed. Below some 100 kB a fixed cost "
        "of about a third of a millisecond weighs more than the documents."
    )
    return Section("Documents", words, tuple(figures))


def responses(_rollouts: int) -> Section:
    """Measure health responses of 1 MiB, including hostile ones."""
    read = reading.measure()
    figures = (
        Figure("a response of 1 MiB, the worst: time / json.loads", read["time"], 3.0),
        Figure(f"conditions on {reading.ELEMENTS:,} elements, the worst: time / json.loads", read["conditions"], 3.0),
        Figure("a response of 1 MiB, the worst: peak memory, MiB", read["memory"], 60.0),
    )
    return Section("Large responses", "One response of the service, whatever is in it.", figures)


def services(_rollouts: int) -> Section:
    """Measure 1 to 100 services, and 100 hosts."""
    alone, local_alone = many_services.services(1)["seconds"], local_services.measure(1, rounds=3)["beyond"]
    figures = []
    about = "Apart from the rollout of the slowest service. One machine runs all services and the action."
    crowded = f"{about} Their 400 looks before the trigger alone keep two cores busy for more than a second."
    for number, rounds, means, known in ((10, 3, about, None), (100, 1, crowded, 3.5)):
        local = local_services.measure(number, rounds)
        beyond = local["beyond"] - local_alone
        figures += [
            Figure(f"{number} on the sandbox: seconds beyond those of one", beyond, 1.0, means, known=known),
            Figure(f"{number} on the sandbox: not green", local["not green"], 0, "All of them went live."),
        ]
    for number in (10, 100):
        grown = many_services.services(number)
        figures += [
            Figure(
                f"{number} services: seconds beyond those of one",
                grown["seconds"] - alone,
                1.0,
                "They run side by side.",
            ),
            Figure(
                f"{number} services: requests side by side",
                grown["most at once"],
                _MOST_SIDE_BY_SIDE,
                "Each is a thread.",
            ),
            Figure(f"{number} services: MiB a service", grown["MiB a service"], 1.0, "What each adds in memory."),
            Figure(f"{number} services: not green", grown["not green"], 0, "All of them went live."),
        ]
    fleet = many_services.hosts(100, 5)
    figures += [
        Figure(
            "100 hosts in 5 waves: seconds a wave beyond one service", fleet["seconds"] / 5 - alone, 1.0, "20 at once."
        ),
        Figure("100 hosts in 5 waves: requests beyond the limit", fleet["overdrawn"], 0, "As for one service."),
        Figure("100 hosts in 5 waves: not green", fleet["not green"], 0, "All of them went live."),
    ]
    words = (
        "Every service at an origin of its own, behind one Watchtower or one for each host. On the sandbox they are real "
        "processes; the time is what the job takes beyond the rollout of its slowest service and `stable-for`; the "
        "rest is simulated."
    )
    return Section("Many services", words, tuple(figures))
