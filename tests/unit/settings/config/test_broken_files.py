"""The exact annotations for invalid config files, all in one run."""

import json
from pathlib import Path

import pytest

from redeploy.report import outputs, summary
from redeploy.report.annotations import Annotation, annotations, without_room
from redeploy.report.results import InvalidInputs
from redeploy.report.wording import headline
from redeploy.settings.config.load import Loaded, load
from redeploy.settings.config.variables import MOST_HINTS, Variables
from redeploy.settings.reading import Workspace
from sandbox.simulation import TOKEN, UPDATE_URL, any_certificate
from tests.unit.settings.config.loading import ENVIRONMENT, FILE

FILES = Path(__file__).parents[3] / "fixtures" / "config"
"""Invalid files; beside each, the expected messages: line, column and text."""


def outside(path: str, _cap: int) -> str:
    """Reject every file, as the runner's reader rejects those outside of the workspace."""
    msg = "names a file outside the workspace"
    raise ValueError(msg)


def loaded(content: bytes) -> Loaded:
    """Load a file; without hosts in it, the inputs name the Watchtower."""
    inputs = {"INPUT_CONFIG": FILE}
    if b"hosts:" not in content:
        inputs |= {"INPUT_WATCHTOWER-URL": UPDATE_URL, "INPUT_WATCHTOWER-TOKEN": TOKEN}
    return load(ENVIRONMENT | inputs, lambda _path, _cap: content, Workspace(outside, any_certificate))


def shown(annotation: Annotation) -> str:
    """One annotation in the format of the expected files."""
    if not annotation.file:
        return f"- {annotation.message}"
    assert (annotation.file, annotation.kind, annotation.title) == (FILE, "error", "Config file")
    return f"{annotation.line}:{annotation.column} {annotation.message}"


@pytest.mark.parametrize("file", sorted(FILES.glob("*.yml")), ids=lambda path: path.stem)
def test_a_broken_file_gets_exactly_these_annotations(file: Path) -> None:
    found = loaded(file.read_bytes())
    assert found.run is None
    shown_lines = [shown(each) for each in annotations(InvalidInputs(found.problems))]
    assert shown_lines == file.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


def test_no_annotation_and_no_log_line_shows_a_rejected_secret() -> None:
    for file in FILES.glob("*.yml"):
        outcome = InvalidInputs(loaded(file.read_bytes()).problems)
        assert "literal-s3cret" not in str(annotations(outcome)) + str(without_room(outcome)), file


@pytest.mark.parametrize("name", ["literal-token", "literal-password", "literal-headers", "literal-header-lines"])
def test_a_rejected_secret_is_masked_too(name: str) -> None:
    hidden = {each.reveal() for each in loaded((FILES / f"{name}.yml").read_bytes()).secrets}
    assert any("literal-s3cret-value" in each for each in hidden)


def test_log_summary_and_report_give_the_place_of_each_mistake() -> None:
    outcome = InvalidInputs(loaded((FILES / "key-twice.yml").read_bytes()).problems)
    assert headline(outcome) == "invalid-config: The config file is invalid; nothing was sent"
    page = summary.page(outcome, summary.Repository())
    assert f"| `{FILE}:4:5` | `timeout` is given a second time" in page
    assert "docs/config.md" in page
    (problem,) = json.loads(outputs.outputs(outcome)["report"])["problems"]
    assert (problem["input"], problem["file"], problem["line"], problem["column"]) == ("config", FILE, 4, 5)


def test_ten_annotations_are_shown_and_the_log_lists_every_problem() -> None:
    outcome = InvalidInputs(loaded((FILES / "more-than-ten.yml").read_bytes()).problems)
    assert len(annotations(outcome)) == 10
    assert [line.partition(": ")[0] for line in without_room(outcome)] == [
        f"{FILE}:{line}:17" for line in range(2, 11)
    ] + [f"{FILE}:{line}:18" for line in range(11, 14)]


def test_similar_names_are_searched_for_some_missing_variables_only() -> None:
    found = Variables({"NAME": "x"}).expand("".join(f"${{NAME{number}}}" for number in range(MOST_HINTS + 50)))
    assert len(found.unset) == MOST_HINTS + 50
    assert sum("(`NAME` is)" in said for said in found.unset) == MOST_HINTS
