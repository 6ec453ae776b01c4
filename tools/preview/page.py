"""One self-contained HTML page of all summaries."""

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from tools.preview.assets import Assets
from tools.preview.markdown import Rendered, render
from tools.preview.sheets import Sheet

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
"""Nothing is fetched, whatever a summary contains."""


def page(sheets: Sequence[Sheet], assets: Assets) -> str:
    """Return the page; its script draws what comes into view, in the chosen themes and widths."""
    rendered = [(sheet, render(sheet.markdown)) for sheet in sheets]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8"><title>Job summaries</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<style>{_style(assets)}</style></head><body>",
            _index(rendered),
            "<main>",
            *(_story(sheet, made) for sheet, made in rendered),
            "</main>",
            f"<script>{_script(assets.mermaid)}</script>",
            f"<script>{_script((_HERE / 'page.js').read_text(encoding='utf-8'))}</script>",
            "</body></html>\n",
        ]
    )


def _style(assets: Assets) -> str:
    themes = {"light": assets.light, "dark": assets.dark}.items()
    scoped = [css.replace(".markdown-body", f'.markdown-body[data-theme="{theme}"]') for theme, css in themes]
    own = (_HERE / "page.css").read_text(encoding="utf-8")
    return "\n".join([*scoped, own]).replace("</style", "<\\/style")


def _script(text: str) -> str:
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _index(rendered: Iterable[tuple[Sheet, Rendered]]) -> str:
    rows = []
    for sheet, made in rendered:
        alarm = len(made.accidents) + len(made.removed) + len(sheet.problems)
        badge = f' <span class="badge">{alarm}</span>' if alarm else ""
        rows.append(
            f'<li><a href="#{escape(sheet.name)}" title="{escape(sheet.title)}">{sheet.sign} {escape(sheet.name)}</a>{badge}'
        )
    choices = "".join(
        f'<div class="choice" data-of="{what}">'
        + "".join(f'<button type="button" value="{value}">{value}</button>' for value in values)
        + "</div>"
        for what, values in (("theme", ("light", "dark", "both")), ("width", ("wide", "narrow", "both")))
    )
    return f'<nav><header>{choices}</header><ol class="index">{"".join(rows)}</ol></nav>'


def _story(sheet: Sheet, made: Rendered) -> str:
    facts = " · ".join(map(escape, filter(None, sheet.facts)))
    alarms = [
        *(f"Problem: {problem}" for problem in sheet.problems),
        *(f"GitHub makes this a {one.kind}: {one.text}" for one in made.accidents),
        *(f"GitHub takes this out: {what}" for what in made.removed),
    ]
    annotations = "".join(
        f'<li class="{escape(one.level)}"><b>{escape(one.title)}</b><pre>{escape(one.message)}</pre></li>'
        for one in sheet.annotations
    )
    parts = [
        f'<section class="story" id="{escape(sheet.name)}">',
        f"<h2>{escape(sheet.name)}</h2>",
        f"<p><b>{escape(sheet.title)}.</b> {escape(sheet.about)}</p>" if sheet.title else "",
        f'<p class="facts">{facts}</p>' if facts else "",
        f'<ul class="alarms">{"".join(f"<li>{escape(alarm)}</li>" for alarm in alarms)}</ul>' if alarms else "",
        '<div class="panes"></div>',
        _folded("Annotations", len(sheet.annotations), f'<ul class="annotations">{annotations}</ul>'),
        _folded("Links", len(made.links), f"<ul>{''.join(f'<li>{escape(link)}</li>' for link in made.links)}</ul>"),
        _folded("Markdown", 1, f"<pre>{escape(sheet.markdown)}</pre>"),
        f"<template>{made.html}</template></section>",
    ]
    return "\n".join(filter(None, parts))


def _folded(what: str, number: int, html: str) -> str:
    counted = f" ({number})" if number > 1 else ""
    return f'<details class="more"><summary>{what}{counted}</summary>{html}</details>' if number else ""
