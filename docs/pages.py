"""Renders the pages that say what the code says: the troubleshooting guide and the list of names that tell builds apart."""

from collections.abc import Callable, Iterable, Mapping

from redeploy.core.names import BUILD_NAMES, INSIDE, START_TIMES, UPTIMES
from redeploy.core.reasons import REMEDIES, Reason, Remedy

_NOTE = "<!-- Rendered by `make docs`; change the code, not this page. -->"

_SECTIONS: Mapping[str, tuple[str, tuple[Reason, ...]]] = {
    "Green, but not proven": (
        "The service is healthy, and the job is green with a warning, unless `require-proof` asks for more.",
        (Reason.NOTHING_TO_DO, Reason.NO_IDENTITY, Reason.NO_CHANGE, Reason.WEAK_PROOF),
    ),
    "Nothing was triggered": (
        "It could not have worked, so the server was left alone.",
        (Reason.IMAGE_MISSING, Reason.UNSUPPORTED, Reason.DIGEST_UNAVAILABLE),
    ),
    "The trigger failed": (
        (
            "Watchtower was not reached, refused, or says that it failed. `access-wall`, `challenge`, `tls` and `redirect` "
            "also name what stands before the service, with the verdict `unhealthy`."
        ),
        (
            Reason.AUTH,
            Reason.MISROUTED,
            Reason.METHOD,
            Reason.UNREACHABLE,
            Reason.TLS,
            Reason.REDIRECT,
            Reason.ACCESS_WALL,
            Reason.CHALLENGE,
            Reason.BUSY,
            Reason.RATE_LIMITED,
            Reason.UPDATE_FAILED,
            Reason.UPDATE_BLOCKED,
            Reason.NOTHING_SCANNED,
            Reason.NO_ANSWER,
        ),
    ),
    "Another build answers": (
        "The service is healthy, but it is not the build that was to go live.",
        (Reason.OLD_BUILD, Reason.WRONG_VERSION, Reason.WRONG_DIGEST, Reason.VERSION_UNAVAILABLE),
    ),
    "The service is not healthy": (
        "No build stayed healthy.",
        (Reason.NEVER_READY, Reason.FLAPPING, Reason.DOWN, Reason.HTML, Reason.CACHED, Reason.THROTTLED),
    ),
    "The checks failed": (
        (
            "The new build is live and stable, but not as it was asked to be. The first that applies is the reason; all "
            "that failed are told. [More on checks](checks.md)."
        ),
        (Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE),
    ),
}


def troubleshooting() -> str:
    """Return the guide: a heading for every reason, named as the output `reason` is."""
    lines = [_NOTE, "", "# Troubleshooting", ""]
    lines += [
        "Look for the output `reason` of your run; it stands in the error's headline and in the job summary too.",
        "",
    ]
    for title, (what, reasons) in _SECTIONS.items():
        lines += [f"## {title}", "", what, ""]
        for reason in reasons:
            lines += [f"### {reason}", "", *_told(REMEDIES[reason])]
    return "\n".join(lines).rstrip() + "\n"


def build_names() -> str:
    """Return the lists of fields that tell builds, and processes, apart."""
    return "\n".join(
        [
            _NOTE,
            "",
            "# What tells builds apart",
            "",
            "Where neither `expect-version` nor `expect-digest` says what must be live, a new build is told from the old by",
            "the fields below, in the JSON answers of `health-path` and `version-path`, at any depth, and in their headers",
            "(with or without `X-`). Names are compared in lower case without `-`, `_` and `.`. Whatever is not listed is",
            "noise; so is a listed field that differs between two looks before the trigger, a name that has shown four",
            "values, a start time that goes back, and a field that always tells the present time.",
            "",
            "## Names of a build",
            "",
            *_list(BUILD_NAMES),
            "",
            "Inside an object of that name, such as `commit.id` or `build.number`:",
            "",
            *_list(INSIDE),
            "",
            "## Start times of a process",
            "",
            "A process that started after the trigger shows a new process, not a new image.",
            "",
            *_list(START_TIMES),
            "",
            "## Uptimes, read as start times",
            "",
            *_list(UPTIMES),
            "",
        ]
    )


PAGES: Mapping[str, Callable[[], str]] = {"troubleshooting.md": troubleshooting, "build-names.md": build_names}


def _told(remedy: Remedy) -> list[str]:
    return [f"{remedy.headline}.", "", f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]


def _list(names: Iterable[str]) -> list[str]:
    return [", ".join(f"`{name}`" for name in sorted(names))]
