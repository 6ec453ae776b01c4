"""The rendered pages agree with the code."""

import re
from pathlib import Path

import pytest

from redeploy.remedies.catalogue import REMEDIES
from redeploy.remedies.findings import FINDINGS, Finding
from redeploy.remedies.remedy import guide
from redeploy.verdicts import Reason
from tools.docs.pages import PAGES, SERVER, SYMPTOMS, troubleshooting

FOUND_BY_DOCTOR_ALONE = frozenset(
    {
        Finding.INPUTS,
        Finding.PLAIN_HTTP,
        Finding.UNGUARDED,
        Finding.CERTIFICATE_ENDS_SOON,
        Finding.WATCHTOWER_TOO_OLD,
        Finding.TOKEN_UNJUDGED,
        Finding.REGISTRY_SILENT,
    }
)
"""Findings that a person sees only in the output of doctor."""

_DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_a_rendered_page_is_up_to_date(page: str) -> None:
    assert (_DOCS.parent / page).read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.NONE])
def test_every_reason_has_a_remedy_and_a_heading_that_its_link_points_to(reason: Reason) -> None:
    assert troubleshooting().count(f"\n### {reason}\n") == 1
    assert guide(reason).endswith(f"docs/troubleshooting.md#{reason}")
    remedy = REMEDIES[reason]
    assert remedy.headline
    assert remedy.cause.endswith(".")
    assert remedy.fix


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.NONE])
def test_every_reason_is_found_by_its_symptoms(reason: Reason) -> None:
    assert any(reason in leads for leads in SYMPTOMS.values())


@pytest.mark.parametrize("finding", [each for each in Finding if each not in FOUND_BY_DOCTOR_ALONE])
def test_every_finding_is_found_by_its_symptoms_too(finding: Finding) -> None:
    assert any(finding in leads for leads in SYMPTOMS.values())


@pytest.mark.parametrize("seen", ["401", "404", "502", "The update is not triggered", "The backend does not restart"])
def test_the_symptoms_of_the_guide_are_in_the_index(seen: str) -> None:
    assert f"\n| {seen} | [" in troubleshooting()


def test_every_symptom_links_to_a_heading() -> None:
    server = (_DOCS / SERVER).read_text(encoding="utf-8")
    headings = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in re.findall(r"(?m)^## (.+)$", server)}
    leads = {lead for leads in SYMPTOMS.values() for lead in leads if not isinstance(lead, Reason | Finding)}
    assert leads <= headings


@pytest.mark.parametrize("finding", Finding)
def test_every_finding_of_doctor_has_a_remedy_and_a_heading_too(finding: Finding) -> None:
    assert troubleshooting().count(f"\n### {finding}\n") == 1
    remedy = FINDINGS[finding]
    assert remedy.headline
    assert remedy.cause.endswith(".")
    assert remedy.fix


def test_no_finding_has_the_name_of_a_reason() -> None:
    assert not {each.value for each in Finding} & {each.value for each in Reason}
