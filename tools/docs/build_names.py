"""Renders the page on build names: the lists of the code, and their rules."""

import textwrap
from collections.abc import Iterable

from redeploy.service.build_fields import BUILDS, COMMITS, FOREIGN, INSIDE, OWN, PLACEHOLDERS, VERSIONS
from redeploy.service.process import START_TIMES, UPTIMES

NOTE = "<!-- Rendered by `make docs`; change the code, not this page. -->"


def build_names() -> str:
    """Return the lists of fields that distinguish builds, and processes."""
    paragraphs = [
        NOTE,
        "# What names a build",
        (
            "If `version-field` is not set, the build is read from the fields below, in the JSON responses of "
            "`health-path` and `version-path`, and from headers of the same names (with or without `X-`). Names are "
            "compared in lower case without `-`, `_` and `.`: `git_sha`, `gitSha` and `Git-SHA` are the same. All other "
            "fields are ignored. A version is read as written: 1.10 is not 1.1."
        ),
        "## Where they count",
        ("At the top level of a JSON object, and inside objects whose own names say that they describe the service:"),
        _list(OWN),
        (
            "These objects may be nested (`data.build.version`). Inside any other object, and in arrays, a version belongs "
            "to a dependency, a job or the newest release, and is not read."
        ),
        "## How strong they are",
        (
            "Only the strongest kind that was seen before and after the trigger, at the same address, counts: if the "
            "commit stayed the same, it is the same build, even if versions changed. Any changed name of that kind is a "
            "change."
        ),
        "1. Commits:",
        _list(COMMITS),
        "2. Numbers of builds:",
        _list(BUILDS),
        "3. Versions and releases:",
        _list(VERSIONS),
        ("4. Of an HTML page that counts as healthy (`health-expect`): the set of content-hashed files that it loads."),
        (
            "Inside an object with a name from these lists, or `git`, these fields count too (`commit.id`, `build.number`, "
            "`git.hash`). `hash` and `sha` are commits; the others are of the object's kind:"
        ),
        _list(INSIDE),
        (
            "A prefixed name (`litellm_version`) counts if the same object has no plain name of its kind, and if it "
            "contains none of these words:"
        ),
        _list(FOREIGN),
        "## Words that name no build",
        (
            "An image that is built without its build argument reports the same word for every build. These words, and "
            "variables that were not expanded (`${GIT_SHA}`, `@project.version@`), do not count, unless you declare exactly "
            "that word:"
        ),
        _list(PLACEHOLDERS),
        "## Which of them is compared with `expect-version`",
        (
            "Without `version-field`: first the names of the kind that the expected version looks like (seven or more "
            "hexadecimal digits are a commit), then those of the version address before those of the health address, then "
            "the outermost; headers last. If names of the first rank contradict each other, none of them counts, and the "
            "message lists them and asks for `version-field`."
        ),
        "## What is ignored as noise",
        (
            "A field that differs between two responses before the trigger; a name that has had four values; a start time "
            "that goes back to an earlier value; and a field that is always the present time."
        ),
        "## Start times of a process",
        (
            "A start time after the trigger shows a new process, not a new image. It counts as a change unless Watchtower "
            "says that it replaced nothing or failed, or unless a commit or a build number stayed the same. Start times are "
            "read in the same places as build names, and inside `process` and `runtime`:"
        ),
        _list(START_TIMES),
        (
            "A start time without a time zone can only be compared with itself: it shows a new process if it is later than "
            "all that were seen before the trigger. If it changes twice while nothing else happens, it proves no change."
        ),
        "## Uptimes, read as start times",
        (
            "An uptime counts if it grew with the time, in seconds or milliseconds, over two seconds of responses. If it "
            "stood still for two seconds, it is ignored: it may be a percentage, whole hours or a rarely refreshed value."
        ),
        _list(UPTIMES),
    ]
    filled = (textwrap.fill(each, 118, break_on_hyphens=False, break_long_words=False) for each in paragraphs)
    return "\n\n".join(filled) + "\n"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
