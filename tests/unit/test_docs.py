"""The rendered pages say what the code says."""

from pathlib import Path

import pytest

from docs.pages import PAGES, troubleshooting
from redeploy.core.reasons import REMEDIES, Reason, guide

_DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", PAGES)
def test_a_rendered_page_is_up_to_date(page: str) -> None:
    assert (_DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("reason", [each for each in Reason if each is not Reason.NONE])
def test_every_reason_has_a_remedy_and_a_heading_that_its_link_leads_to(reason: Reason) -> None:
    assert troubleshooting().count(f"\n### {reason}\n") == 1
    assert guide(reason).endswith(f"docs/troubleshooting.md#{reason}")
    remedy = REMEDIES[reason]
    assert remedy.headline
    assert remedy.cause.endswith(".")
    assert remedy.fix
