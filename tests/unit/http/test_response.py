"""What a response says about itself, even a hostile one."""

import functools
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.http.response import MOST_NESTED, Response, http_date, nested_too_deeply
from redeploy.text.json_path import MISSING, below, pick, spelled
from tests.unit.factories import page, reply

DATE = "Tue, 24 Nov 2026 04:05:06 GMT"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
)


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@given(JSON)
def test_a_json_body_is_read(document: object) -> None:
    assert reply(body=json.dumps(document).encode()).json == document


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe\xff", id="no text"),
        pytest.param(b"<!doctype html><script>1</script>", id="HTML"),
        pytest.param(nested(100_000), id="nested too deeply"),
        pytest.param(b'{"a":' * 100_000, id="objects nested too deeply"),
        pytest.param(b'"\\"[",' + b"[" * 100_000, id="nested after an escaped quote"),
        pytest.param(
            ('["\u2200",' + "[" * 100_000).encode("utf-16-le"), id="nested in UTF-16 after what looks like a quote"
        ),
        pytest.param(("\u2200" + "[" * 100_000).encode("utf-32-le"), id="nested in UTF-32"),
        pytest.param(b"9" * 100_000, id="a number beyond all limits"),
        pytest.param(b"[" + b"[" * 201 + b"]" * 202, id="nested a little too deeply"),
        pytest.param(b"not json", id="words"),
    ],
)
def test_a_body_that_is_not_json_has_no_value(body: bytes) -> None:
    assert reply(body=body).json is None


@pytest.mark.parametrize(
    ("body", "document"),
    [
        pytest.param(b'{"a": 1}', {"a": 1}, id="JSON, as Flask and PHP send it unless configured otherwise"),
        pytest.param(b"\xef\xbb\xbf \n[1]", [1], id="JSON after a byte order mark"),
        pytest.param(b"<p>1</p>", None, id="markup"),
        pytest.param(b"OK", None, id="a word"),
    ],
)
def test_json_sent_as_a_web_page_is_json(body: bytes, document: object) -> None:
    assert reply(body=body, content_type="text/html; charset=utf-8").json == document


def test_a_fraction_is_kept_as_it_is_written() -> None:
    response = reply(body=b'{"version": 1.10, "build": 7}')
    assert (response.json, response.json_as_written) == ({"version": 1.1, "build": 7}, {"version": "1.10", "build": 7})


def test_text_has_no_byte_order_mark() -> None:
    assert reply(body="\ufeff1.2.3\n").text == "1.2.3\n"


@given(st.binary(max_size=200))
def test_any_body_is_read_without_an_error(body: bytes) -> None:
    response = reply(body=body)
    assert isinstance(response.text, str)
    assert response.json is None or response.body
    assert isinstance(response.is_html, bool)


def test_brackets_nest_up_to_the_limit() -> None:
    assert not nested_too_deeply(nested(MOST_NESTED))
    assert nested_too_deeply(nested(MOST_NESTED + 1))
    assert not nested_too_deeply(b"[]" * 10_000)
    assert not nested_too_deeply(json.dumps(["[" * 1000, '"' + "{" * 1000]).encode())


_TEXTS = st.sampled_from(["", "[", "{", '"', "\\", '\\"', "}]", "]" * 300, "{" * 300, "a\\\\b"])
_AROUND: dict[str, Callable[[object, str], object]] = {
    "array": lambda inside, _: [inside],
    "object": lambda inside, text: {text: inside},
    "texts before": lambda inside, text: [text, text, inside, []],
    "objects after": lambda inside, text: {text: text, "x": inside, f"{text}y": [{}]},
}


@given(st.lists(st.tuples(st.sampled_from(sorted(_AROUND)), _TEXTS), min_size=1, max_size=6), st.integers(180, 215))
def test_brackets_are_counted_as_a_parser_does(layers: list[tuple[str, str]], depth: int) -> None:
    document: object = 0
    for place in range(depth):
        kind, text = layers[place % len(layers)]
        document = _AROUND[kind](document, text)
    beside = {"texts before": 1, "objects after": 2}
    deepest = max(depth - place + beside.get(layers[place % len(layers)][0], 0) for place in range(min(3, depth)))
    assert nested_too_deeply(json.dumps(document).encode()) is (deepest > MOST_NESTED)


@pytest.mark.parametrize(
    ("response", "html"),
    [
        pytest.param(page(), True, id="a page"),
        pytest.param(reply(body="<p>", content_type="TEXT/HTML; charset=x"), True, id="declared as HTML"),
        pytest.param(reply(body="<p>", content_type="application/xhtml+xml"), True, id="XHTML"),
        pytest.param(reply(body="\ufeff \n<!DOCTYPE HTML>"), True, id="no declared type"),
        pytest.param(reply(body="<html lang=en>", content_type="text/plain"), True, id="declared as text"),
        pytest.param(reply(body=" " * 5000 + "<!doctype html>"), True, id="after much white space"),
        pytest.param(reply(body="<!-- a comment --><html>", content_type="text/html"), True, id="after a comment"),
        pytest.param(reply(body={"a": "<html>"}), False, id="HTML inside JSON"),
        pytest.param(reply(body="{}", content_type="text/html"), False, id="JSON sent as HTML"),
        pytest.param(reply(body="1.2.3", content_type="text/html"), False, id="one word sent as HTML"),
        pytest.param(reply(body="", content_type="text/html"), False, id="an empty body sent as HTML"),
        pytest.param(reply(body="<p>", content_type="text/plain"), False, id="markup sent as text"),
        pytest.param(reply(body="ok", content_type="text/plain"), False, id="text"),
    ],
)
def test_a_web_page_is_recognised(response: Response, html: bool) -> None:
    assert response.is_html is html


@pytest.mark.parametrize(
    ("response", "wall"),
    [
        pytest.param(
            reply(302, location="https://team.cloudflareaccess.com/cdn-cgi/access/login/x"),
            True,
            id="redirect to the login",
        ),
        pytest.param(reply(302, location="/cdn-cgi/access/login"), True, id="redirect within the host"),
        pytest.param(reply(302, location="https://evil.example/?cloudflareaccess.com/"), False, id="another redirect"),
        pytest.param(
            reply(401, www_authenticate='Cloudflare-Access resource_metadata="x"'), True, id="refused service token"
        ),
        pytest.param(page(403, "see https://team.cloudflareaccess.com"), True, id="forbidden page"),
        pytest.param(page(200, "cloudflareaccess.com"), False, id="a page that mentions it"),
        pytest.param(reply(403, "cloudflareaccess.com"), False, id="text that mentions it"),
    ],
)
def test_an_access_wall_is_recognised(response: Response, wall: bool) -> None:
    assert response.is_access_wall is wall


@pytest.mark.parametrize(
    ("response", "challenge"),
    [
        pytest.param(reply(403, cf_mitigated="challenge"), True, id="header"),
        pytest.param(reply(200, cf_mitigated="CHALLENGE"), True, id="header on any status"),
        pytest.param(page(503, "/cdn-cgi/challenge-platform/x.js"), True, id="page"),
        pytest.param(page(200, "/cdn-cgi/challenge-platform/x.js"), False, id="a good page with the script"),
        pytest.param(reply(403, "no"), False, id="forbidden"),
    ],
)
def test_a_challenge_is_recognised(response: Response, challenge: bool) -> None:
    assert response.is_challenge is challenge


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry_after": "30"}, 30.0, id="seconds"),
        pytest.param({"retry_after": " 0 "}, 0.0, id="zero"),
        pytest.param(
            {"retry_after": "Tue, 24 Nov 2026 04:05:36 GMT", "date": DATE}, 30.0, id="a date by the server's clock"
        ),
        pytest.param({"retry_after": "Tue, 24 Nov 2026 04:05:00 GMT", "date": DATE}, 0.0, id="a date gone by"),
        pytest.param({"retry_after": "Tue, 24 Nov 2026 04:05:36 GMT"}, None, id="a date without a clock"),
        pytest.param({"retry_after": "-1"}, None, id="negative"),
        pytest.param({"retry_after": "1.5"}, None, id="fraction"),
        pytest.param({"retry_after": "9" * 40}, None, id="an absurdly large number"),
        pytest.param({}, None, id="no header"),
    ],
)
def test_retry_after_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert reply(429, **headers).retry_after == seconds


@given(st.text(max_size=60) | st.text(alphabet="MonTueJanFeb, 0123456789:+-GMTZ", max_size=40))
def test_any_date_header_is_a_date_or_none(text: str) -> None:
    moment = http_date(text)
    assert moment is None or isinstance(moment, float)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "0",
        "Tue, 24 Nov 2026",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 99 Jan 2024 00:00:00 GMT",
        "1 Jan 2024 00:00:00 +99999999999",
    ],
)
def test_an_invalid_date_does_no_harm(text: str) -> None:
    moment = http_date(text)
    assert moment is None or isinstance(moment, float)


# fields of a document

DOCUMENT = {"a": {"b": [1, {"c": "x"}]}, "": {"": 2}, "a/b": 3, "m~n": 4, "a.b": 5, "null": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("a.b.0", 1),
        ("a.b.1.c", "x"),
        ("/a/b/0", 1),
        ("/a/b/1/c", "x"),
        ("/a~1b", 3),
        ("/m~0n", 4),
        ("/a.b", 5),
        ("null", None),
        ("//", 2),
        ("a.b.2", MISSING),
        ("a.b.-1", MISSING),
        ("a.b.x", MISSING),
        ("a.c", MISSING),
        ("a.b.0.x", MISSING),
        ("a.b.\u0661", MISSING),
    ],
)
def test_a_field_is_picked(field: str, value: object) -> None:
    assert pick(DOCUMENT, field) == value


@given(JSON, st.text(max_size=12))
def test_picking_a_field_never_raises(document: object, field: str) -> None:
    pick(document, field)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_the_path_of_a_field_is_one_that_picks_it(keys: list[str]) -> None:
    document: object = None
    path = ""
    for key in keys:
        path = below(path, key)
    for key in reversed(keys):
        document = {key: document}
    assert pick(document, path) is None


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (("build", "sha"), "build.sha"),
        (("vcs.revision",), "/vcs.revision"),
        (("build", "vcs.revision"), "/build/vcs.revision"),
        (("a/b", "vcs.revision"), "/a~1b/vcs.revision"),
        (("header:version",), "/header:version"),
        (("{app}", "version"), "/{app}/version"),
    ],
)
def test_a_path_is_dotted_unless_that_would_be_ambiguous(keys: tuple[str, ...], path: str) -> None:
    assert functools.reduce(below, keys, "") == path


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (1, "1"), (1.5, "1.5"), ("x", "x"), (None, None), ([], None), ({}, None)],
)
def test_a_scalar_is_written_as_people_write_it(value: object, text: str | None) -> None:
    assert spelled(value) == text
