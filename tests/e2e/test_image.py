"""The action's own image: all that a run needs, nothing else, and soon pulled."""

import json
from collections import Counter
from pathlib import PurePath

from tests.e2e.parts.images import ACTION
from tests.e2e.parts.registry import Registry
from tools.image import check
from tools.image.files import files_of

MOST = 28_000_000
"""Bytes that a pull may transfer: a job waits for them before its first step."""


def test_the_image_holds_all_that_a_run_needs_and_no_other_program() -> None:
    assert check.problems(ACTION) == []


def test_a_pull_transfers_little(hub: Registry) -> None:
    reference = hub.reference("the-action:weighed")
    hub.push(reference, ACTION)
    layers = json.loads(hub.manifest(reference).body)["layers"]
    transferred = sum(each["size"] for each in layers)
    assert transferred <= MOST, f"{transferred / 1e6:.1f} MB; its largest parts, before compression:\n{_parts()}"


def _parts() -> str:
    """What is in the image, largest first: a package, or a folder two levels below the root."""
    parts = Counter[str]()
    with files_of(ACTION) as files:
        for each in files:
            parts["/".join(PurePath(each.name).parts[: 6 if "site-packages" in each.name else 3])] += each.size
    return "\n".join(f"{size / 1e6:6.1f} MB  {name}" for name, size in parts.most_common(20))
