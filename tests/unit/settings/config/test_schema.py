"""The JSON Schema that editors use accepts and rejects the same files as the action."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from redeploy.settings.config.keys import schema
from redeploy.settings.defaults import DEFAULTS, OF_HOST, of_service
from tests.unit.settings.config.loading import ENVIRONMENT, load_text, run_of
from tests.unit.settings.config.test_broken_files import FILES

ROOT = Path(__file__).parents[4]
EXAMPLE = (ROOT / "examples" / "config" / "redeploy.yml").read_text(encoding="utf-8")
PUBLISHED: dict[str, Any] = json.loads((ROOT / "docs" / "config.schema.json").read_text(encoding="utf-8"))

SHAPES = (
    "a-list",
    "host-with-a-key-of-a-service",
    "key-of-a-host",
    "key-of-a-service-at-the-top",
    "key-of-the-run",
    "key-with-underscore",
    "no-services",
    "question-mark-in-a-list",
    "service-is-a-list",
    "service-is-text",
    "service-name-in-capitals",
    "service-name-too-long",
    "services-is-a-list",
    "services-is-empty",
    "services-misspelled",
    "smoke-mapping",
    "unknown-key",
    "wave-that-is-empty",
    "wave-that-is-not-a-list",
    "wrong-kinds",
)
"""Files that are invalid in a way that a schema can detect."""


def as_an_editor_reads_it(text: str) -> Any:  # noqa: ANN401 - a YAML value
    return yaml.safe_load(text)


def test_the_published_schema_is_valid() -> None:
    Draft202012Validator.check_schema(PUBLISHED)
    assert PUBLISHED["$id"].endswith("/docs/config.schema.json")


def test_the_example_names_the_schema_that_is_published() -> None:
    assert EXAMPLE.splitlines()[0] == f"# yaml-language-server: $schema={PUBLISHED['$id']}"


def test_the_example_fits_the_schema_and_makes_a_run() -> None:
    Draft202012Validator(PUBLISHED).validate(as_an_editor_reads_it(EXAMPLE))
    assert [each.key for each in run_of(EXAMPLE).services] == ["eu/api", "eu/web", "eu/worker", "us/api"]


@pytest.mark.parametrize("name", SHAPES)
def test_schema_and_action_reject_the_same_structural_mistakes(name: str) -> None:
    text = (FILES / f"{name}.yml").read_text(encoding="utf-8")
    assert not Draft202012Validator(PUBLISHED).is_valid(as_an_editor_reads_it(text))
    assert load_text(text).run is None


@pytest.mark.parametrize(
    "text",
    [
        "services: {api: {timeout: 90, instances: 2, expect-version: 1.10, openapi-path: off, base-url: }}",
        "services: {api: , web: {}}\ndefaults:\n",
        "services: {api: {image: [o/a, o/b], service-headers: {X-A: 1}, smoke: GET /a}}\nmax-parallel: 3",
        "services: {api: {service-headers: 'X-A: b', smoke: [GET /a, {request: GET /b, status: 200, warn: true}]}}",
    ],
)
def test_the_schema_accepts_what_the_action_accepts(text: str) -> None:
    Draft202012Validator(PUBLISHED).validate(as_an_editor_reads_it(text))
    assert run_of(text, watchtower_url=ENVIRONMENT["EU_URL"]).services


def test_every_key_is_described_and_has_the_default_of_its_input() -> None:
    keys = {**PUBLISHED["$defs"]["service"]["properties"], **PUBLISHED["$defs"]["host"]["properties"]}
    assert set(keys) == {*of_service(), *OF_HOST, "services"}
    for name, each in keys.items():
        assert each["description"]
        assert each.get("default", "") == DEFAULTS.get(name, "") or name == "services"


def test_the_schema_in_use_is_the_published_one_without_its_descriptions() -> None:
    def bare(value: object) -> object:
        if isinstance(value, dict):
            return {name: bare(each) for name, each in value.items() if name != "description"}
        return [bare(each) for each in value] if isinstance(value, list) else value

    assert bare(PUBLISHED) == bare(schema())
