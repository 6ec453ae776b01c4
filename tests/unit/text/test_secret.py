"""Secrets stay secret, and text from outside becomes harmless."""

import base64
import copy
import json
import pickle
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from redeploy.text.secret import CUT, MASK, SHORTEST, Secret, disguises, of_url, redactor, safeguard
from redeploy.text.untrusted import code, one_line

SECRETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="*"), min_size=8, max_size=48
)
"""Characters of tokens and header values; without asterisks, because the mask consists of them."""


# the type


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(str, id="str"),
        pytest.param(repr, id="repr"),
        pytest.param(lambda secret: f"{secret}", id="f-string"),
        pytest.param(lambda secret: f"{secret!r:>40}", id="f-string with repr"),
        pytest.param(lambda secret: f"{secret:>40}", id="f-string with a format"),
        pytest.param(lambda secret: "%s %r" % (secret, secret), id="percent"),  # noqa: UP031
        pytest.param(lambda secret: str([secret, {"a": secret}]), id="inside others"),
        pytest.param(lambda secret: str(getattr(secret, "__dict__", {})), id="attributes"),
        pytest.param(lambda secret: str(KeyError(secret)), id="an exception"),
    ],
)
def test_a_secret_cannot_be_shown(shown: Callable[..., str]) -> None:
    assert "hunter2" not in shown(Secret("hunter2-hunter2"))


@pytest.mark.parametrize("copied", [pickle.dumps, copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"])
def test_a_secret_is_not_serialised(copied: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="not serialised"):
        copied(Secret("hunter2"))


def test_a_secret_is_not_serialised_as_json() -> None:
    with pytest.raises(TypeError):
        json.dumps({"token": Secret("hunter2")})


def test_secrets_with_the_same_value_are_equal_and_never_equal_to_text() -> None:
    assert Secret("hunter2") == Secret("hunter2")
    assert len({Secret("hunter2"), Secret("hunter2")}) == 1
    assert Secret("hunter2") != Secret("hunter3")
    assert Secret("hunter2") != "hunter2"


# the redactor


@given(SECRETS, st.text(max_size=20), st.text(max_size=20), st.data())
def test_no_encoding_of_a_secret_gets_through(secret: str, before: str, after: str, data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(disguises(secret))))
    redacted = redactor([Secret(secret)])(before + form + after)
    assert MASK in redacted
    assert form not in redacted
    assert secret not in redacted


@given(
    SECRETS,
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_secret_inside_longer_base64_is_redacted_at_any_offset(
    secret: str, before: bytes, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(before + secret.encode() + after).decode()
    redacted = redactor([Secret(secret)])(f"x={encoded};")
    assert MASK in redacted
    remains = redacted[2:-1].split(MASK)
    spoilt = "A" * (len(encoded) - sum(map(len, remains)))
    assert secret.encode() not in base64.b64decode(
        remains[0] + spoilt + remains[-1], b"-_" if "-" in encoded or "_" in encoded else None
    )


@pytest.mark.parametrize(
    "disguise",
    [
        pytest.param(lambda text: text, id="plain"),
        pytest.param(lambda text: text[::-1], id="reversed"),
        pytest.param(lambda text: text.encode().hex(), id="hex"),
        pytest.param(lambda text: text.encode().hex().upper(), id="upper-case hex"),
        pytest.param(urllib.parse.quote_plus, id="form-encoded"),
        pytest.param(lambda text: urllib.parse.quote(text, safe=""), id="percent-encoded"),
        pytest.param(
            lambda text: "".join(f"%{byte:02x}" if byte in b"+/=&<\"' " else chr(byte) for byte in text.encode()),
            id="percent-encoded in lower case",
        ),
        pytest.param(
            lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("'", "&#x27;"),
            id="HTML",
        ),
        pytest.param(lambda text: text.replace("&", "&amp;").replace("<", "&lt;"), id="HTML text"),
        pytest.param(lambda text: "".join(f"&#{ord(each)};" for each in text), id="decimal entities"),
        pytest.param(lambda text: "".join(f"&#x{ord(each):x};" for each in text), id="hexadecimal entities"),
        pytest.param(lambda text: json.dumps(text)[1:-1], id="JSON"),
        pytest.param(lambda text: json.dumps(text)[1:-1].replace("/", "\\/"), id="JSON with escaped slashes"),
        pytest.param(lambda text: "".join(f"\\u{ord(each):04x}" for each in text), id="JSON escapes"),
        pytest.param(lambda text: base64.b64encode(text.encode()).decode(), id="base64"),
        pytest.param(lambda text: base64.urlsafe_b64encode(text.encode()).decode(), id="URL-safe base64"),
        pytest.param(lambda text: base64.b64encode(b"user:" + text.encode()).decode(), id="basic authentication"),
        pytest.param(lambda text: base64.b32encode(text.encode()).decode(), id="base32"),
        pytest.param(lambda text: urllib.parse.quote(text, safe="!'()*"), id="encodeURIComponent"),
        pytest.param(lambda text: urllib.parse.quote(text, safe=";,/?:@&=+$!'()*#"), id="encodeURI"),
        pytest.param(lambda text: urllib.parse.quote(text, safe="$&+=:@"), id="a path segment of Go"),
        pytest.param(lambda text: urllib.parse.quote(urllib.parse.quote(text, safe=""), safe=""), id="encoded twice"),
        pytest.param(lambda text: "".join(f"%{byte:02x}" for byte in text.encode()), id="every byte encoded"),
        pytest.param(lambda text: text.replace("<", "\\u003c").replace("&", "\\u0026"), id="JSON of Go"),
        pytest.param(lambda text: text.replace('"', "\\u0022").replace("'", "\\u0027"), id="JSON of .NET"),
        pytest.param(lambda text: json.dumps(json.dumps(text))[3:-3], id="JSON in JSON"),
        pytest.param(lambda text: repr(f'"{text}')[2:-1], id="Python"),
        pytest.param(lambda text: text.replace('"', "&#34;").replace("'", "&#39;"), id="HTML of Go"),
        pytest.param(lambda text: text.replace("/", "&#x2F;").replace("=", "&#x3D;"), id="HTML of Mustache"),
        pytest.param(lambda text: text.replace("+", "&plus;").replace("=", "&equals;"), id="entities by name"),
        pytest.param(lambda text: base64.encodebytes(b"x" * 44 + text.encode()).decode(), id="base64 in lines"),
        pytest.param(lambda text: f"{text[:9]}\r\n{text[9:]}", id="a line end in it"),
        pytest.param("\u200b".join, id="invisible characters in it"),
        pytest.param(lambda text: f"{text[:9]}\n\x1b[0m{text[9:]}", id="a terminal sequence in it"),
    ],
)
def test_an_echo_of_the_secret_is_redacted(disguise: Callable[..., str]) -> None:
    secret = "pa+ss/w&rd<\"'= 51H8xyz"
    echo = disguise(secret)
    redacted = redactor([Secret(secret)])(f"you sent {echo}!")
    assert MASK in redacted
    assert echo not in redacted
    assert "51H8xyz" not in redacted


@given(SECRETS.filter(lambda text: not set(text) & set("%&\\")), st.data())
def test_a_secret_of_which_each_character_is_escaped_in_its_own_way_is_redacted_and_nothing_else(
    secret: str, data: st.DataObject
) -> None:
    ways = st.sampled_from(["{0}", "%{1:02x}", "&#{1};", "&#x{1:X};", "\\u{1:04X}", "\\x{1:02x}", "{0}\n", "\u2060{0}"])
    echo = "".join(data.draw(ways).format(each, ord(each)) for each in secret).removesuffix("\n")
    redacted = redactor([Secret(secret)])(f"&lt;%41\n {echo} %41%&amp;")
    assert redacted.replace("\u2060", "") == f"&lt;%41\n {MASK} %41%&amp;"


def test_a_secret_is_redacted_from_text_that_was_joined_into_one_line() -> None:
    secret = "two  blanks\tand a tab"
    assert redactor([Secret(secret)])(one_line(f"denied: {secret}!")) == f"denied: {MASK}!"


def test_the_longer_of_two_secrets_is_redacted_first() -> None:
    assert redactor([Secret("abcd1234"), Secret("abcd1234efgh")])("x abcd1234efgh abcd1234 y") == "x *** *** y"


def test_a_secret_that_is_too_short_to_hide_is_left_alone() -> None:
    assert redactor([Secret("abc")])("abc") == "abc"
    assert redactor([Secret("abcd")])("abcd") == MASK
    assert SHORTEST == 4


@given(st.text(max_size=50))
def test_without_secrets_nothing_changes(text: str) -> None:
    assert redactor([])(text) == text
    assert redactor([Secret("")])(text) == text


def test_the_beginning_of_a_secret_is_redacted_at_the_end_of_cut_text() -> None:
    redact = redactor([Secret("abcd1234efgh5678")])
    assert redact(f"x abcd1234ef{CUT} abcd1234{CUT}") == f"x {MASK}{CUT} {MASK}{CUT}"
    assert redact(f"x abcd123{CUT} abcd1234ef") == f"x abcd123{CUT} abcd1234ef"


def test_an_echo_in_another_charset_is_redacted() -> None:
    redact = redactor([Secret("gar\u00e7on-51H8xyz")])
    assert "51H8" not in redact(b"you sent gar\xe7on-51H8xyz".decode("utf-8", "replace"))
    assert "51H8" not in redact("you sent gar\u00e7on-51H8xyz".encode().decode("latin-1"))


# the update URL


UPDATE_URL = "https://api.example.com/ops-9f8e7d6c/watchtower/update?key=Kx93%2Fhidden-key&v=1"


@pytest.mark.parametrize(
    "echo",
    [
        pytest.param("/ops-9f8e7d6c/watchtower/update?key=Kx93%2Fhidden-key&v=1", id="the target"),
        pytest.param('{"path": "/ops-9f8e7d6c/watchtower/update"}', id="the path, as Spring reports it"),
        pytest.param("no route /ops-9f8e7d6c/watchtower/", id="its beginning"),
        pytest.param("no such tenant: ops-9f8e7d6c", id="one piece of it"),
        pytest.param("%2Fops-9f8e7d6c%2Fwatchtower%2Fupdate", id="encoded"),
        pytest.param("bad key Kx93%2Fhidden-key", id="the query's value"),
        pytest.param("bad key Kx93/hidden-key", id="the query's value, decoded"),
    ],
)
def test_path_and_query_of_the_update_url_are_as_secret_as_the_whole(echo: str) -> None:
    shown = redactor(map(Secret, of_url(UPDATE_URL)))(echo)
    assert MASK in shown
    assert not any(part in shown for part in ("9f8e7d6c", "Kx93", "hidden"))


def test_words_that_every_update_url_has_are_not_secrets() -> None:
    assert set(of_url("https://api.example.com/ops/watchtower/update")) - {""} == {"/ops/watchtower/update"}
    assert not set(of_url("https://api.example.com"))


# the words of the action itself


@pytest.mark.parametrize("word", ["true", "200", "deployed", "version-unavailable", "127.0.0.1", "2026-01-20"])
def test_the_actions_own_words_are_never_redacted(word: str) -> None:
    assert safeguard([Secret(word)])(f"verdict {word}") == f"verdict {word}"


def test_a_secret_that_cannot_occur_in_our_own_words_is_redacted_completely() -> None:
    safe = safeguard([Secret("Zq8-x_V4tWn2LrKp"), Secret("https://api.example.com/ops/watchtower/update")])
    assert safe("Zq8-x_V4tWn2LrKp https://api.example.com/ops/watchtower/update") == f"{MASK} {MASK}"


# one harmless line


@given(st.text(max_size=400) | st.text(alphabet="#[: \x1b\r\n]0;mA", max_size=60), st.integers(1, 60))
@example("##[group]", 9)
@example("#\x1b[0m#[error]x", 60)
@example("###[[", 60)
def test_hostile_text_becomes_one_visible_line(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert "##[" not in line
    assert line == line.strip()
    assert all(unicodedata.category(each)[0] != "C" and unicodedata.category(each) not in ("Zl", "Zp") for each in line)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a\r\nb\nc\rd", "a b c d", id="line ends"),
        pytest.param("a\x0bb\x0cc\x85d\u2028e\u2029f", "a b c d e f", id="other line ends"),
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colour"),
        pytest.param("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link", id="terminal link"),
        pytest.param("a\u202eb\u2066c", "a b c", id="direction marks"),
        pytest.param("a\u200bb\ufeffc", "a b c", id="zero width"),
        pytest.param("x ##[set-env name=a]b", "x # #[set-env name=a]b", id="a command of the runner"),
        pytest.param("a\0b\x07c", "a b c", id="controls"),
        pytest.param("\ud800x", "x", id="lone surrogate"),
        pytest.param("  a \t\u00a0 b  ", "a b", id="white space"),
        pytest.param("é ✓ 日本", "é ✓ 日本", id="letters stay"),
    ],
)
def test_harmful_characters_are_removed(text: str, line: str) -> None:
    assert one_line(text) == line


def test_long_text_is_cut_visibly() -> None:
    assert one_line("x" * 300) == "x" * 255 + "…"
    assert one_line("x" * 256) == "x" * 256


@given(st.text(max_size=100))
def test_text_cannot_break_out_of_a_code_span(text: str) -> None:
    span = code(text)
    assert span[0] == span[-1] == "`"
    assert not set("`|\r\n") & set(span[1:-1])
    assert len(span) > 2
