"""Renders the pages and files whose content comes from the code."""

from collections.abc import Callable, Mapping

from redeploy.remedies import recipes
from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.remedy import Remedy
from redeploy.remedies.subject import NOTHING_KNOWN
from redeploy.verdicts import Reason
from tools.docs import config_file, slim
from tools.docs.build_names import NOTE, build_names
from tools.docs.decisions import decisions
from tools.docs.readme import readme

_SECTIONS: Mapping[str, tuple[str, tuple[Reason, ...]]] = {
    "Green, but not proven": (
        "The service is healthy, and the job is green with a warning, unless `require-proof` asks for more.",
        (Reason.NOTHING_TO_DO, Reason.NO_IDENTITY, Reason.NO_CHANGE, Reason.WEAK_PROOF, Reason.NO_REFERENCE),
    ),
    "Nothing was triggered": (
        "It could not have worked, so the server was left alone.",
        (
            Reason.IMAGE_MISSING,
            Reason.UNSUPPORTED,
            Reason.DIGEST_UNAVAILABLE,
            Reason.ROLLBACK_IMPOSSIBLE,
            Reason.EARLIER_WAVE,
        ),
    ),
    "The trigger failed": (
        (
            "Watchtower was not reached, refused the request, or reports a failure. With the verdict `unhealthy`, "
            "`access-wall`, `challenge`, `tls` and `redirect` are about the service's address."
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
    "Another build is live": (
        "The service is healthy, but a build other than the expected one is live.",
        (Reason.OLD_BUILD, Reason.BEHIND, Reason.WRONG_VERSION, Reason.WRONG_DIGEST, Reason.VERSION_UNAVAILABLE),
    ),
    "The service is not healthy": (
        "No build stayed healthy.",
        (Reason.NEVER_READY, Reason.FLAPPING, Reason.DOWN, Reason.HTML, Reason.CACHED, Reason.THROTTLED),
    ),
    "The checks failed": (
        (
            "The new build is live and stable, but some checks failed. The first that applies is the reason; the run "
            "reports all that failed. [More on checks](checks.md)."
        ),
        (Reason.OPENAPI, Reason.ROUTES, Reason.BREAKING_CHANGE, Reason.SMOKE, Reason.DOWNTIME),
    ),
}


SERVER = "server.md"

SYMPTOMS: Mapping[str, tuple[Reason | Finding | str, ...]] = {
    "The update is not triggered": (
        Reason.AUTH,
        Reason.MISROUTED,
        Reason.UNREACHABLE,
        Reason.BUSY,
        Reason.IMAGE_MISSING,
    ),
    "The deploy is green but the old version runs, or 200 but the old build is still live": (
        Reason.OLD_BUILD,
        Reason.NOTHING_TO_DO,
        Reason.NOTHING_SCANNED,
        Finding.NOT_WATCHED,
        Finding.ENGINE_SILENT,
        Finding.MONITOR_ONLY,
        Finding.NO_PULL,
        Finding.PINNED,
        Reason.UPDATE_BLOCKED,
    ),
    "The backend does not restart": (
        Finding.NOT_WATCHED,
        Reason.NOTHING_SCANNED,
        Reason.UPDATE_BLOCKED,
        Reason.OLD_BUILD,
    ),
    "The backend is gone, or restarts over and over": (
        Reason.UPDATE_FAILED,
        Reason.DOWN,
        Reason.FLAPPING,
        Reason.NEVER_READY,
    ),
    "Watchtower is gone, or restarts over and over": (Finding.WATCHTOWER_STOPPED, "what-the-guide-said"),
    "Another build is live than the one you pushed": (Reason.WRONG_VERSION, Reason.WRONG_DIGEST),
    "Production is not what the branch is": (Reason.BEHIND, Reason.WRONG_VERSION, Reason.NO_REFERENCE),
    "The previous build has to come back": (Reason.ROLLBACK_IMPOSSIBLE,),
    "One host is updated, and the next is not": (Reason.EARLIER_WAVE,),
    "The run does not know what is live": (
        Reason.NO_IDENTITY,
        Reason.NO_CHANGE,
        Reason.WEAK_PROOF,
        Reason.NO_REFERENCE,
        Reason.VERSION_UNAVAILABLE,
        Finding.VERSION_UNNAMED,
        Finding.VERSION_CONSTANT,
        Reason.DIGEST_UNAVAILABLE,
        Finding.NO_CONTAINERS,
    ),
    "A new setting or secret has no effect": ("look-after-it", "secrets-every-night"),
    "A route is missing, or responds differently": (
        Reason.OPENAPI,
        Reason.ROUTES,
        Reason.BREAKING_CHANGE,
        Reason.SMOKE,
    ),
    "The service was gone for too long during a deploy": (Reason.DOWNTIME,),
    "200 with an empty body": (Reason.OLD_BUILD, Reason.NOTHING_TO_DO),
    "200 with a web page": (Reason.MISROUTED, Reason.HTML),
    "200 from a cache (`Age`, `cf-cache-status: HIT`)": (Reason.CACHED,),
    "301, 302, 307, 308": (Reason.REDIRECT, Reason.ACCESS_WALL),
    "401": (Reason.AUTH, Finding.FORBIDDEN),
    "401 from Watchtower (`401 Unauthorized`)": (Reason.AUTH,),
    "403": (Finding.FORBIDDEN, Reason.AUTH, Reason.ACCESS_WALL, Reason.CHALLENGE),
    "404": (Reason.MISROUTED, Reason.NEVER_READY),
    '404 with `{"detail":"Not Found"}`': (Reason.MISROUTED, "what-a-cloudflare-tunnel-must-route-where"),
    "405": (Reason.METHOD,),
    "429": (Reason.RATE_LIMITED, Reason.BUSY, Reason.THROTTLED),
    "500": (Reason.NO_ANSWER, Reason.NEVER_READY),
    "502": (Finding.WATCHTOWER_STOPPED, Reason.NO_ANSWER, Reason.DOWN),
    "503": (Reason.THROTTLED, Reason.DOWN),
    "504, 524": (Reason.NO_ANSWER, Reason.DOWN),
    "520, 522": (Reason.NO_ANSWER, Reason.DOWN),
    "521, 523, 530": (Reason.UNREACHABLE, Reason.DOWN),
    "525, 526, or a certificate error": (
        Reason.TLS,
        Finding.CERTIFICATE_EXPIRED,
        Finding.CERTIFICATE_NAME,
        Finding.CERTIFICATE_UNTRUSTED,
    ),
    "Connection refused, no such host, time-out": (
        Finding.UNRESOLVED,
        Finding.NOTHING_LISTENS,
        Reason.UNREACHABLE,
        Reason.DOWN,
    ),
    "GitHub shows no Deployment": (Finding.DEPLOYMENTS_REFUSED,),
    "`container` has no effect": (Reason.UNSUPPORTED,),
}
"""Symptoms, with the reason, the finding of doctor, or the heading of the page on the server."""

_FOUND_BY_DOCTOR = (
    "Mode `doctor` reports a problem of a link by its heading on this page: one of those above, or one of these."
)


def troubleshooting() -> str:
    """Return the guide: a heading for every reason, named like the output `reason`, and for every finding of doctor."""
    lines = [NOTE, "", "# Troubleshooting", ""]
    lines += [
        "Look up the output `reason` of your run; it is in the error's headline and in the job summary too.",
        "",
    ]
    lines += [
        (
            "Commands here have placeholders such as `your-host.example` and `your-container`; the message of a run has the "
            "real names. `your-service` is the service's name in your compose file."
        ),
        "",
    ]
    lines += ["Or by what you see:", "", "| you see | look at |", "|---|---|"]
    lines += [f"| {seen} | {', '.join(map(_link, leads))} |" for seen, leads in SYMPTOMS.items()]
    lines += [""]
    for title, (what, reasons) in _SECTIONS.items():
        lines += [f"## {title}", "", what, ""]
        for reason in reasons:
            lines += [f"### {reason}", "", *_text(REMEDIES[reason].about(NOTHING_KNOWN))]
    lines += ["## What doctor finds", "", _FOUND_BY_DOCTOR, ""]
    for finding in Finding:
        lines += [f"### {finding}", "", *_text(FINDINGS[finding].about(NOTHING_KNOWN))]
    return "\n".join(lines).rstrip() + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "README.md": readme,
    "docs/troubleshooting.md": troubleshooting,
    "docs/build-names.md": build_names,
    "docs/decisions.md": decisions,
    "docs/config.md": config_file.page,
    "docs/config.schema.json": config_file.json_schema,
    "deploy/nginx/snippets/watchtower.conf": recipes.snippet,
    "slim/action.yml": slim.action,
}
"""The rendered files, by path in this project."""


def _link(lead: Reason | Finding | str) -> str:
    if isinstance(lead, Reason | Finding):
        return f"[{lead}](#{lead})"
    return f"[{lead.replace('-', ' ').replace('cloudflare', 'Cloudflare')}]({SERVER}#{lead})"


def _text(remedy: Remedy) -> list[str]:
    return [f"{remedy.headline}.", "", f"**Likely cause.** {remedy.cause}", "", f"**Fix.** {remedy.fix}", ""]
