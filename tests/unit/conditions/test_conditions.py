"""Conditions on a response: their syntax, and how they are judged."""

import re
from pathlib import Path

import pytest

from redeploy.conditions.clause import Clause
from redeploy.conditions.expectation import Expectation
from redeploy.conditions.grammar import GrammarError, clauses, expectation
from redeploy.http.response import Response
from redeploy.report.facts import About
from redeploy.text.secret import Secret, redactor
from sandbox.simulation import BASE, World, simulate
from tests.unit.factories import page, reply

ROOT = Path(__file__).resolve().parents[3]

ANSWER = reply(
    200,
    {
        "status": "UP",
        "text": "12",
        "spaced": " 12 ",
        "ratio": 1.10,
        "count": 412,
        "large": 12345678901234567890,
        "ready": True,
        "last": None,
        "tags": ["blue", 2, {"a": 1}],
        "none": [],
        "db": {"latency_ms": 412, "a/b": "slash"},
        "body": "a field",
        "a b": "with a space",
        "empty": "",
        "path": "a|b and c",
    },
    x_frame_options="DENY",
    x_count="5",
)
PAGE = reply(
    200,
    '<!doctype html><head><meta name="Git-Sha" content="1a2b3c4"><meta property="og:title" content="Shop &amp; more"></head>'
    "<body>Welcome</body>",
    content_type="text/html",
)


def holds(line: str, answer: Response = ANSWER) -> bool:
    return expectation(line).failure(answer, str) is None


def refused(line: str) -> str:
    with pytest.raises(GrammarError) as error:
        expectation(line)
    return str(error.value)


# conditions that hold


@pytest.mark.parametrize(
    "line",
    [
        "status=UP",
        "status = UP",
        "/status=UP",
        "'status'=\"UP\"",
        "status = DOWN|UP",
        "status = DOWN | 'UP'",
        "status != DOWN",
        "status != DOWN|up",
        "text = 12",
        "text >= 12",
        "text < 12.5",
        "ratio = 1.1",
        "ratio = 1.10",
        "ratio matches ^1\\.10?$",
        "count = 412.0",
        "count = 4.12e2",
        "count > -1",
        "count <= +412",
        "large = 12345678901234567890",
        "large != 12345678901234567891",
        "ready = true",
        "ready != True",
        "last = null",
        "last != 0",
        "tags contains blue",
        "tags contains 2",
        "tags !contains 3",
        "none !contains blue",
        "tags.1 = 2",
        "db.latency_ms < 500",
        "/db/a~1b = slash",
        "/body = a field",
        '"/a b" contains "a space"',
        'empty = ""',
        "missing != x",
        "missing !contains x",
        "missing !matches x",
        "path = 'a|b and c'",
        "path contains a|b",
        "path matches b|x",
        "status = UP and ready = true and count > 1",
        "status=UP and\tready=true",
        "body contains latency_ms",
        "body !contains __next_error__",
        "header:x-frame-options = DENY|SAMEORIGIN",
        "header:X-Frame-Options matches ^D",
        "header:x-count > 4",
        "header:x-missing != 1",
        "meta:git-sha != 1",
        "# a comment\nstatus=UP\n\n   # and one more\nready=true",
    ],
)
def test_a_response_meets_the_condition(line: str) -> None:
    assert holds(line)


@pytest.mark.parametrize(
    "line",
    [
        "status = up",
        "status != DOWN|UP",
        "text = 12.0",
        "spaced > 1",
        "status > 1",
        "ready > 0",
        "last < 1",
        "ready = 1",
        "last = 0",
        'last = ""',
        "db != x",
        "db !contains x",
        "db !matches x",
        "tags = blue",
        "tags != x",
        "tags !matches x",
        "tags contains a",
        "count contains 4",
        "missing = x",
        "missing < 1",
        "missing contains x",
        "missing matches x",
        "header:x-frame-options = deny",
        "header:x-missing = 1",
        "status = UP and ready = false",
        "status = UP\nready = false",
        "/status/0 = U",
        f"tags.{'9' * 5_000} = 2",
    ],
)
def test_a_response_does_not_meet_the_condition(line: str) -> None:
    assert not holds(line)


@pytest.mark.parametrize("line", ["status=UP", "status!=DOWN", "status !contains x", "status !matches x", "status<1"])
@pytest.mark.parametrize("answer", [reply(200, "Healthy"), reply(200, ""), PAGE, reply(200, b"\xff")])
def test_a_response_that_is_not_json_meets_no_condition_on_a_json_field(line: str, answer: Response) -> None:
    assert expectation(line).failure(answer, str) == f"`{line}` does not hold: the response is not JSON"


def test_the_json_null_is_json_without_fields() -> None:
    assert holds("status != DOWN", reply(200, "null"))


def test_text_is_trimmed_before_it_is_compared_whole() -> None:
    healthy = reply(200, " Healthy\r\n")
    assert holds("body=Healthy", healthy)
    assert holds("body != Health", healthy)
    assert holds("body > 4", reply(200, "5\n"))
    assert not holds("body = healthy", healthy)


@pytest.mark.parametrize(
    "line", ["meta:git-sha = 1a2b3c4", "meta:OG:title = 'Shop & more'", "body contains Welcome", "body !contains Error"]
)
def test_a_page_meets_conditions_on_its_text_and_its_meta_tags(line: str) -> None:
    assert expectation(line).takes_page
    assert holds(line, PAGE)


@pytest.mark.parametrize("line", ["status=UP", "header:x-a != 1", "/body != 1"])
def test_a_page_meets_no_other_condition(line: str) -> None:
    assert not expectation(line).takes_page


def test_any_accepts_every_response() -> None:
    assert expectation("any") == expectation("# a page\nany") == Expectation(anything=True)


# messages


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("db.latency_ms < 250", "`db.latency_ms < 250` does not hold: the value is `412`"),
        ("ratio = 1.2", "`ratio = 1.2` does not hold: the value is `1.1`"),
        ("missing = x", "`missing = x` does not hold: the field is missing"),
        ("db = x", "`db = x` does not hold: the value is an object"),
        ("tags = x", "`tags = x` does not hold: the value is an array of 3"),
        ("empty = x", "`empty = x` does not hold: the value is empty"),
        ("ready = false and status=UP", "`ready = false` does not hold: the value is `true`"),
    ],
)
def test_a_failed_condition_reports_the_expected_and_the_actual_value(line: str, message: str) -> None:
    assert expectation(line).failure(ANSWER, str) == message


def test_a_fraction_is_shown_as_it_was_written() -> None:
    assert "the value is `1.10`" in str(expectation("v=2").failure(reply(200, '{"v": 1.10}'), str))


def test_the_actual_value_is_redacted_as_a_whole_then_cut_and_escaped() -> None:
    secret = "s3cr3t-" + "x" * 100
    answer = reply(200, f"{'y' * 60}{secret} ::error::`|\n##[group]" + "z" * 500_000)
    message = str(expectation("body=ok").failure(answer, redactor([Secret(secret)])))
    assert "s3cr3t" not in message
    assert "***" in message
    shown = message.partition("there is ")[2]
    assert len(shown) <= 82
    assert "\n" not in shown
    assert "|" not in shown


# syntax errors


@pytest.mark.parametrize(
    ("line", "column", "says"),
    [
        ("status==UP", 7, "`status=UP`"),
        ("status === UP", 8, "`status=UP`"),
        ("status =~ UP", 8, "`status matches UP`"),
        ("status !== UP", 8, "`status!=UP`"),
        ("status !~ UP", 8, "`status !matches UP`"),
        ("count <> 5", 7, "`count!=5`"),
        ("status", 7, "an operator and a value are missing"),
        ("=UP", 1, "a field is missing"),
        ("status=", 8, 'write an empty one as `""`'),
        ("status = UP|", 13, "a value is missing"),
        ("body contains salt and pepper", 20, 'body contains "salt and pepper"'),
        ("status=UP and", 11, "put the value in quotes"),
        ("status = 'UP", 10, "is not closed"),
        ("'status = UP", 1, "is not closed"),
        ('status = "UP" now', 15, "`and` or `|` may follow"),
        ('body contains "a"|"b"', 18, "only `and` may follow"),
        ("body!contains x", 5, "needs white space"),
        ('body contains"x"', 6, "needs white space"),
        ("body contains", 14, "a value is missing after"),
        ("body Contains x", 6, "lower case"),
        ("status is UP", 8, "is not an operator; write one of `=`"),
        ("count < many", 9, "`many` is not one"),
        ("body matches (?=x)", 14, "no look-around"),
        ("body matches (", 14, "RE2"),
        ("header:=1", 1, "`header:X-Version`"),
        ("meta:=1", 1, "`meta:git-sha`"),
        ("a..b=1", 1, "is not a dotted path"),
        ("Any", 1, "`any` must be the only line"),
    ],
)
def test_a_syntax_error_is_reported_with_its_position_and_a_correct_example(line: str, column: int, says: str) -> None:
    message = refused(line)
    assert message.startswith(f"line 1, column {column}: ")
    assert says in message
    example = message.rpartition("Correct: `")[2].rstrip("`").replace("¦", "|")
    expectation(example)


def test_every_invalid_line_is_reported_with_its_number() -> None:
    message = refused("# states\nstatus==UP\nready=true\n\n  any")
    assert "line 2, column 7" in message
    assert "line 5, column 1" in message


def test_any_cannot_be_combined_with_other_conditions() -> None:
    assert "must be the only line" in refused("any\nstatus=UP")
    assert "must be the only line" in refused("any\nany")


def test_comments_alone_are_not_a_condition() -> None:
    assert "has only comments" in refused("# later")


def test_a_line_of_many_conditions_is_read_once() -> None:
    line = " and ".join(f"a{place} = 1" for place in range(2_000))
    assert len(clauses(line)) == 2_000


def test_identical_conditions_count_once() -> None:
    assert clauses("status = UP") == clauses("status = UP")
    assert isinstance(hash(clauses("status = UP")[0]), int)
    assert isinstance(clauses("status = UP")[0], Clause)


# responses that report themselves unhealthy


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"status": "DOWN"}, "status != DOWN"),
        ({"health": "fail"}, "health != fail"),
        ({"state": "Critical"}, "state != Critical"),
        ({"status": "unhealthy", "state": "error"}, "status != unhealthy"),
        ({"status": "UP"}, ""),
        ({"status": {"db": "down"}}, ""),
        ({"checks": {"status": "down"}}, ""),
        ({"status": 0}, ""),
        (["down"], ""),
    ],
)
def test_a_response_that_reports_itself_unhealthy_is_recognised(document: object, line: str) -> None:
    answer = reply(200, document)
    assert Expectation().reported_unhealthy(answer, str) == line
    if line:
        assert not holds(line, answer)


def test_there_is_no_warning_about_a_field_that_has_a_condition() -> None:
    answer = reply(200, {"status": "DOWN"})
    assert expectation("/status = DOWN|UP").reported_unhealthy(answer, str) == ""
    assert expectation("ready = true").reported_unhealthy(answer, str) == "status != DOWN"
    assert Expectation().reported_unhealthy(page(), str) == ""


# the page in the docs


def examples() -> list[str]:
    text = (ROOT / "docs" / "conditions.md").read_text(encoding="utf-8")
    [table] = re.findall(r"\| condition \| holds if \|\n\|---\|---\|\n(.*?)\n\n", text, re.DOTALL)
    conditions = [row.split("` |")[0].removeprefix("| `").replace("\\|", "|") for row in table.splitlines()]
    return conditions + re.findall(r"(?m)^  health-expect: (.+)$", text.replace("health-expect: |", ""))


@pytest.mark.parametrize("line", examples())
def test_every_condition_in_the_docs_is_valid(line: str) -> None:
    assert len(expectation(line).clauses) == 1


def test_a_run_warns_about_a_service_that_reports_itself_unhealthy() -> None:
    answer = reply(200, {"status": "DOWN", "commit": "1" * 40})
    facts = simulate(World(lambda *_: answer), mode="verify").outcome.facts
    [warning] = [each for each in facts.of(About.WARNING) if "health-expect" in each]
    assert "`status != DOWN`" in warning
    assert f"`{BASE}/api/ready`" in warning
    judged = simulate(World(lambda *_: answer), mode="verify", health_expect="status != DOWN")
    assert judged.verdict == ("unhealthy", "never-ready")
    assert "`status != DOWN` does not hold: the value is `DOWN`" in judged.outcome.facts.of(About.LAST)[0]
