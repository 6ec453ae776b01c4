"""Renders the page of what names a build: the lists of the code, and the rules that go with them."""

import textwrap
from collections.abc import Iterable

from redeploy.service.build_fields import BUILDS, COMMITS, FOREIGN, INSIDE, OWN, PLACEHOLDERS, VERSIONS
from redeploy.service.process import START_TIMES, UPTIMES

NOTE = "<!-- Rendered by `make docs`; change the code, not this page. -->"


def build_names() -> str:
    """Return the lists of fields that tell builds, and processes, apart."""
    paragraphs = [
        NOTE,
        "# What names a build",
        (
            "Where `version-field` names no field, the build is read from the fields below, in the JSON responses of "
            "`health-path` and `version-path`, and from headers of the same names (with or without `X-`). Names are "
            "compared in lower case without `-`, `_` and `.`: `git_sha`, `gitSha` and `Git-SHA` are one. Whatever is not "
            "listed is noise. A version is taken as it is written: 1.10 is not 1.1."
        ),
        "## Where they count",
        ("At the top level of a JSON object, and inside objects whose own names say that they describe the service:"),
        _list(OWN),
        (
            "Objects of these names may lie in each other (`data.build.version`). Inside any other object, and in arrays, a "
            "version is a dependency's, a job's or that of the newest release, and is not read."
        ),
        "## How strong they are",
        (
            "The strongest kind that was seen before and after the trigger, at the same address, decides alone: a commit "
            "that stayed is the same build, whatever versions moved. Within the kind, any name that changed is a change."
        ),
        "1. Commits:",
        _list(COMMITS),
        "2. Numbers of builds:",
        _list(BUILDS),
        "3. Versions and releases:",
        _list(VERSIONS),
        ("4. Of an HTML page that counts as healthy (`health-expect`): the set of content-hashed files that it loads."),
        (
            "Inside an object of a name of these lists, or of `git`, the following count too (`commit.id`, `build.number`, "
            "`git.hash`); `hash` and `sha` name a commit, the others are what the object is:"
        ),
        _list(INSIDE),
        (
            "A prefixed name (`litellm_version`) counts where no plain name of its kind stands in the same object, and "
            "where none of these words is in it:"
        ),
        _list(FOREIGN),
        "## Words that name no build",
        (
            "An image that is built without its build argument says the same for every build. Such words, and variables "
            "that were not expanded (`${GIT_SHA}`, `@project.version@`), are no names, unless just that word is declared:"
        ),
        _list(PLACEHOLDERS),
        "## Which of them is held against `expect-version`",
        (
            "Without `version-field`: the names of the kind that the declared version looks like (hexadecimal of seven "
            "digits or more is a commit), then those of the version address before those of the health address, then the "
            "outermost; headers last. Where names of that first rank contradict each other nothing is met, and the message "
            "lists them and asks for `version-field`."
        ),
        "## What turns out to be noise",
        (
            "A field that differs between two looks before the trigger; a name that has shown four values; a start time "
            "that comes back to an earlier value; and a field that always tells the present time."
        ),
        "## Start times of a process",
        (
            "A process that was started after the trigger shows a new process, not a new image. It counts as a change "
            "unless Watchtower says that it replaced nothing or failed, or a commit or the number of a build stayed the "
            "same. Start times are read in the same places as build names, and inside `process` and `runtime`:"
        ),
        _list(START_TIMES),
        (
            "Without a zone a start time can be compared with itself only: it is a new process where it is later than all "
            "that were seen before the trigger. One that moves twice while nothing else happens proves no change."
        ),
        "## Uptimes, read as start times",
        (
            "An uptime counts once it grew as time passed, in seconds or milliseconds, over two seconds of looks. One that "
            "stood for two seconds is noise: a percentage, whole hours, a value that is refreshed now and then."
        ),
        _list(UPTIMES),
    ]
    filled = (textwrap.fill(each, 118, break_on_hyphens=False, break_long_words=False) for each in paragraphs)
    return "\n\n".join(filled) + "\n"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
