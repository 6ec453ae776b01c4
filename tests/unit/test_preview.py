"""The pure parts of the preview: how GitHub renders a summary, and what it formats by accident."""

from html import unescape
from pathlib import Path

import pytest

from sandbox.runner.commands import Annotation
from sandbox.scenarios import SCENARIOS
from tools.preview import assets
from tools.preview.__main__ import PICTURED, main
from tools.preview.fonts import fonts_for
from tools.preview.markdown import render
from tools.preview.page import page
from tools.preview.sheets import Sheet, read

BORROWED = assets.Assets("/* mermaid </script> */", ".markdown-body a{}", ".markdown-body b{}")


def accidents(markdown: str) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in render(markdown).accidents]


def test_tables_strikethrough_tasks_and_footnotes_look_as_on_github() -> None:
    html = render("| a |\n|--|\n| ~~b~~ |\n\n- [x] c\n\nd[^1]\n\n[^1]: e\n").html
    for part in ("<table>", "<del>b</del>", '<input type="checkbox"', 'class="footnotes"'):
        assert part in html


def test_a_diagram_keeps_its_source_for_mermaid() -> None:
    assert '<pre lang="mermaid"><code>gantt\n  a &lt; b\n' in render("```mermaid\ngantt\n  a < b\n```").html


@pytest.mark.parametrize("kind", ["note", "tip", "important", "warning", "caution"])
def test_an_alert_has_its_title_and_its_text(kind: str) -> None:
    html = render(f"> [!{kind.upper()}]\n> **one** two\n>\n> three\n").html
    assert f'<div class="markdown-alert markdown-alert-{kind}">' in html
    assert f"{kind.capitalize()}</p><p><strong>one</strong> two</p>" in html
    assert "<p>three</p>" in html
    assert "[!" not in html


@pytest.mark.parametrize(
    "markdown",
    [
        "> said [!NOTE]\n",
        "> [!NOTE] on the same line\n",
        "> [!NOTE]**on the same line**\n",
        "> [!NOTE]\n",
        "> [!BEWARE]\n> of others\n",
        "- > [!NOTE]\n  > in a list\n",
    ],
)
def test_a_quotation_that_is_not_an_alert_on_github_stays_a_quotation(markdown: str) -> None:
    assert "markdown-alert" not in render(markdown).html


def test_an_alert_may_be_in_a_folded_part() -> None:
    html = render("<details><summary>s</summary>\n\n> [!NOTE]\n> x\n\n</details>\n").html
    assert "<details><summary>s</summary>" in html
    assert "markdown-alert-note" in html


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("a @leok974, b", ("mention", "@leok974")),
        ("&#64;leok974", ("mention", "@leok974")),
        ("\\@org/team", ("mention", "@org/team")),
        ("see #12.", ("issue", "#12")),
        ("see &#35;12", ("issue", "#12")),
        ("see leok974/leo-portfolio#5", ("issue", "leok974/leo-portfolio#5")),
        ("see GH-4", ("issue", "GH-4")),
        ("see https://example.com/x", ("link", "https://example.com/x")),
        ("see <https://example.com/x>", ("link", "https://example.com/x")),
        ("see www.example.com", ("link", "www.example.com")),
        ("mail me@example.com", ("link", "me@example.com")),
        ("chat xmpp:me@example.com", ("link", "xmpp:me@example.com")),
        ("at ffac537e6cbbf934b08745a378932722df287a53", ("commit", "ffac537e6cbbf934b08745a378932722df287a53")),
        ("at ffac537", ("commit", "ffac537")),
        ("so :tada: so", ("emoji", ":tada:")),
        ("so $x+y$ so", ("formula", "$x+y$")),
        ("![x](https://example.com/p.png)", ("image", "https://example.com/p.png")),
        ('<img src="https://example.com/p.png">', ("image", "https://example.com/p.png")),
    ],
)
def test_automatic_formatting_of_github_is_found_and_marked(markdown: str, found: tuple[str, str]) -> None:
    assert accidents(markdown) == [found]
    assert render(markdown).html.count('<mark class="accident"') == 1


@pytest.mark.parametrize(
    "markdown",
    [
        "`@leok974 #12 https://example.com ffac537 :tada: $x$`",
        "```\n@leok974 #12 https://example.com\n```",
        "[the commit @leok974](https://github.com/leok974/leo-portfolio/commit/ffac537)",
        "at 10:30:45 in C# for $5 and $6, 100 %",
        "sha256:2b2e30c23cfba53edc704e9408a42bf249be1e11cd8a240cedbfba81963efa94",
        "1234567 requests",
        "http:\u200b//example.com",
    ],
)
def test_text_that_github_leaves_alone_is_not_reported(markdown: str) -> None:
    assert accidents(markdown) == []


def test_deliberate_links_are_listed() -> None:
    assert render("[a](https://example.com/a) [b](#here)").links == ("https://example.com/a",)


@pytest.mark.parametrize(
    ("markdown", "gone"),
    [
        ('<b onclick="x()">b</b>', "onclick"),
        ('<b style="color:red">b</b>', "style"),
        ('<b class="accident">b</b>', "accident"),
        ("<form>b</form>", "<form"),
        ("[b](javascript:x)", "javascript"),
        ('<a href="java&#10;script:x">b</a>', "href"),
        ("<svg><g>b</g></svg>", "<svg"),
        ("<td>b</td>", "<td"),
    ],
)
def test_elements_that_github_removes_are_removed_and_reported(markdown: str, gone: str) -> None:
    made = render(markdown)
    assert gone not in made.html
    assert "b" in made.html
    assert made.removed


def test_scripts_are_only_text() -> None:
    assert "<script" not in render("<script>x</script> a <style>b</style>").html


def test_open_elements_are_closed() -> None:
    assert render("<details><summary>a\n").html.rstrip().endswith("</summary></details>")
    assert render("</div></section></main>").html.strip() == ""


@pytest.mark.parametrize("hostile", [">" * 20_000, "<b>" * 20_000, "a" * 300_000, "a." * 50_000, "$a " * 20_000])
def test_no_text_takes_too_long(hostile: str) -> None:
    assert render(hostile).html


def test_the_page_shows_every_summary_and_its_problems() -> None:
    annotations = (Annotation("error", "Title <b>", "a\nb", ""),)
    sheets = [
        Sheet(
            "one", "## One\n\nfor @leok974\n", "A title", "It shows.", "✅", ("deployed",), annotations, ("a problem",)
        ),
        Sheet("two", "## Two\n"),
    ]
    html = page(sheets, BORROWED)
    assert html.count('<section class="story"') == 2
    assert 'href="#one" title="A title">✅ one</a> <span class="badge">2</span>' in html
    for part in ("<li>Problem: a problem</li>", "GitHub makes this a mention: @leok974", "Title &lt;b&gt;", "<h2>Two"):
        assert part in html
    assert '.markdown-body[data-theme="dark"] b{}' in html
    assert html.count("</script>") == 2, "what is borrowed must not end its own element"
    assert "http" not in unescape(html.partition("<main>")[2].partition("</main>")[0])


def test_a_folder_gives_a_sheet_for_each_markdown_file(tmp_path: Path) -> None:
    (tmp_path / "b.md").write_text("b")
    (tmp_path / "a.md").write_text("ä", encoding="utf-8")
    (tmp_path / "c.txt").write_text("c")
    assert [(sheet.name, sheet.markdown) for sheet in read(tmp_path)] == [("a", "ä"), ("b", "b")]


def test_pictures_are_taken_of_scenarios_that_exist() -> None:
    assert len(set(PICTURED)) == len(PICTURED) >= 10
    assert set(PICTURED) <= set(SCENARIOS)


def test_an_unknown_scenario_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["happy-paht"]) == 2
    assert "Did you mean happy-path" in capsys.readouterr().err


def test_without_npm_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(assets.MissingError, match=r"npm is missing.*put mermaid-.*\.tgz from the npm registry into"):
        assets.load(tmp_path)


@pytest.mark.parametrize(
    ("boxes", "packages"),
    [("\u2705", "fonts-noto-color-emoji"), ("\u6f22", "fonts-noto-cjk"), ("a\u6f22", "fonts-noto-cjk fonts-noto-core")],
)
def test_missing_fonts_are_named_by_what_they_draw(boxes: str, packages: str) -> None:
    found = fonts_for(boxes)
    assert found.startswith(f"The browser has no font for {boxes[0]} (U+{ord(boxes[0]):04X})")
    assert found.endswith(f" and would draw boxes. On Debian: apt-get install {packages}.")


def test_of_many_missing_characters_some_are_named() -> None:
    assert " and 2 more and would draw boxes" in fonts_for("abcdefghij")


def test_a_tarball_that_is_not_the_pinned_one_is_not_used(tmp_path: Path) -> None:
    planted = tmp_path / assets.MERMAID.tarball
    planted.write_bytes(b"something else")
    with pytest.raises(assets.MissingError, match="not the pinned"):
        assets.load(tmp_path)
    assert not planted.exists()
