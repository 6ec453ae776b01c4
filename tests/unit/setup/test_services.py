"""The config file that `init` writes for several services."""

import re

import pytest
from jsonschema import Draft202012Validator

from redeploy.service.endpoint import WORKER
from redeploy.settings.config.keys import ID
from redeploy.setup import services
from tests.unit.settings.config.loading import ENVIRONMENT, run_of
from tests.unit.settings.config.test_schema import PUBLISHED, as_an_editor_reads_it

SHOP = "shop, image=ghcr.io/o/shop:stable, domain=Shop.example.com, framework=rails"
API = "api,image=ghcr.io/o/api,domain=api.example.com,health-path=/up,version-path=/v,version-field=header:X-Version"
JOBS = "jobs,image=ghcr.io/o/jobs,domain=none"


def written(*texts: str) -> str:
    return services.config_file([services.read(text) for text in texts], ID)


def test_the_action_reads_the_written_file() -> None:
    run = run_of(written(SHOP, API, JOBS), watchtower_url=ENVIRONMENT["EU_URL"])
    shop, api, jobs = run.services
    assert [each.name for each in run.services] == ["shop", "api", "jobs"]
    assert [str(each.image) for each in run.services] == [
        "ghcr.io/o/shop:stable",
        "ghcr.io/o/api:latest",
        "ghcr.io/o/jobs:latest",
    ]
    assert (shop.service.health_url, shop.service.health_expect.anything) == ("https://shop.example.com/up", True)
    assert (shop.checks.document_url, api.checks.document_url) == (None, "https://api.example.com/openapi.json")
    assert (api.service.version_url, api.service.version_field) == ("https://api.example.com/v", "header:X-Version")
    assert jobs.service == WORKER


def test_the_written_file_matches_the_schema_for_editors() -> None:
    text = written(SHOP, API, JOBS)
    Draft202012Validator(PUBLISHED).validate(as_an_editor_reads_it(text))
    assert text.startswith(f"# yaml-language-server: $schema={PUBLISHED['$id']}\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Shop,image=o/a,domain=none", "'Shop' is not a name"),
        ("", "'' is not a name"),
        ("shop,o/a", "'o/a', which is not of the form"),
        ("shop,image=o/a", "does not give its `domain`"),
        ("shop", "does not give its `image` and `domain`"),
        ("shop,image=o/a,domian=x.example.com", "did you mean `domain`?"),
        ("shop,image=o/a,domain=https://x.example.com", "'domain' is no"),
        ("shop,image=a,domain=none", "has no registry and no owner"),
        ("shop,image=o/a,domain=none,health-path=/up", "`health-path` is never requested"),
        ("shop,image=,domain=none", "'image' is missing"),
    ],
)
def test_an_invalid_flag_value_is_reported(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        services.read(text)


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ((JOBS, JOBS.replace("o/jobs", "o/other")), "`jobs` is given twice"),
        ((JOBS, JOBS.replace("jobs,", "work,", 1)), "several services have the image"),
        ((JOBS, API), ""),
    ],
)
def test_services_that_cannot_share_one_file_are_named(texts: tuple[str, ...], said: str) -> None:
    assert services.unlike([services.read(text) for text in texts]).startswith(said)
    assert bool(said) == bool(services.unlike([services.read(text) for text in texts]))
