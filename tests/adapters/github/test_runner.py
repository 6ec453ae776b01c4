"""What the runner reads: outputs, annotations and the log arrive unchanged, and no quoted text becomes a command."""

import io
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from redeploy.github.runner import LONGEST_ANNOTATION, SUMMARY_CAP, Runner
from redeploy.text.secret import Secret, redactor, safeguard
from tests.unit.factories import commands

CAP = 1024 * 1024

HOSTILE = [
    "::error::forged",
    "  ::set-output name=x::y",
    "\u00a0::add-mask::x",
    "x ##[set-env name=a]b",
    "##[add-matcher]/etc/passwd",
    "a\r::set-output name=x::y",
    "a\n::stop-commands::t",
    "a\x0b::error::x\x0c::error::y",
    "a\u2028::error::z\x85::error::w",
    "%0A::error::x",
    "::endgroup::",
    "\x1b[31m::error::x",
    "EOF\nx=y\nghadelimiter_",
    "\0\ud800",
]


def runner(**environment: object) -> tuple[Runner, io.StringIO]:
    stream = io.StringIO()
    given = {"GITHUB_ACTIONS": "true", **environment}
    return Runner({name: str(value) for name, value in given.items()}, stream), stream


def written(do: Callable[[Runner], None], **environment: object) -> str:
    one, stream = runner(**environment)
    do(one)
    return stream.getvalue()


def parsed(text: str) -> dict[str, str]:
    """Read the output file strictly, as the runner does."""
    found: dict[str, str] = {}
    assert text.endswith("\n")
    lines = iter(text.removesuffix("\n").split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, delimiter = line.partition("<<")
        assert "=" not in name
        assert name
        assert delimiter
        value: list[str] = []
        for inner in lines:
            if inner == delimiter:
                break
            value.append(inner)
        else:
            pytest.fail(f"no end of {name}")
        assert name not in found
        found[name] = "\n".join(value)
    return found


# masks


def test_secrets_are_masked_before_anything_else_is_written() -> None:
    secrets = (Secret("tok-123"), Secret("two\nlines"), Secret("100%"))

    def do(one: Runner) -> None:
        one.mask(secrets, redactor(secrets))
        one.say("hello")

    log = written(do)
    assert [(name, data) for name, _, data in commands(log)] == [
        ("add-mask", "tok-123"),
        ("add-mask", "two\nlines"),
        ("add-mask", "100%"),
    ]
    assert log.splitlines()[-1] == "hello"


def test_outside_a_runner_the_log_has_no_commands_and_no_secret_not_even_to_be_masked() -> None:
    secrets = (Secret("tok-12345"),)

    def do(one: Runner) -> None:
        one.mask(secrets, redactor(secrets))
        one.open_group("Verify tok-12345")
        one.say("looking")
        one.annotate("error", "unhealthy: down", "It does not respond.\nFix: start it.", file="a.yml", line=3)
        one.debug("more")
        one.set_outputs({"verdict": "unhealthy"})
        one.write_summary("summary")

    log = written(do, GITHUB_ACTIONS="", RUNNER_DEBUG="1")
    assert log == "Verify ***\nlooking\nerror: a.yml:3: unhealthy: down\nIt does not respond.\nFix: start it.\nmore\n"


def test_when_services_run_one_after_another_each_part_of_the_log_names_its_service() -> None:
    def do(one: Runner) -> None:
        for one.about in ("eu/api", "eu/web"):
            one.open_group("Put the previous image back")

    parts = [line for line in written(do).splitlines() if line.startswith("::group::")]
    assert parts == ["::group::eu/api: Put the previous image back", "::group::eu/web: Put the previous image back"]


def test_no_text_contains_a_secret_once_it_is_masked(tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    secrets = (Secret("tok-12345"),)

    def do(one: Runner) -> None:
        one.mask(secrets, redactor(secrets))
        one.say("say tok-12345")
        one.debug("debug tok-12345")
        one.open_group("group tok-12345")
        one.annotate("error", "title tok-12345", "message tok-12345")
        one.set_outputs({"version": "tok-12345"})
        one.write_summary("summary tok-12345 54321-kot")

    log = written(do, RUNNER_DEBUG="1", GITHUB_OUTPUT=output, GITHUB_STEP_SUMMARY=summary)
    assert log.count("tok-12345") == 1, "only in the mask itself"
    assert parsed(output.read_text()) == {"version": "***"}
    assert summary.read_text() == "summary *** ***"


def test_fixed_values_that_equal_a_secret_stay_in_the_outputs(tmp_path: Path) -> None:
    output = tmp_path / "output"
    secrets = (Secret("true"), Secret("deployed"), Secret("othing-Zq8-x_V4tWn2"))
    one, _ = runner(GITHUB_OUTPUT=output)
    one.mask(secrets, safeguard(secrets))
    one.set_outputs(
        {"verdict": "deployed", "rolled-back": "true", "report": json.dumps({"a": ["\nothing-Zq8-x_V4tWn2", 1]})}
    )
    found = parsed(output.read_text())
    assert (found["verdict"], found["rolled-back"]) == ("deployed", "true")
    assert json.loads(found["report"]) == {"a": ["\n***", 1]}, "the syntax of the document is not masked"


# the log


@pytest.mark.parametrize("text", HOSTILE)
def test_no_logged_text_becomes_a_command(text: str) -> None:
    for log in (
        written(lambda one: one.say(text)),
        written(lambda one: one.say(f"the service says {text}")),
        written(lambda one: one.debug(text)),
    ):
        assert commands(log) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_command_stays_data(text: str) -> None:
    def do(one: Runner) -> None:
        one.open_group(text)
        one.annotate("error", text, text)
        one.close_group()
        one.debug(text)

    log = written(do, RUNNER_DEBUG="1")
    assert [name for name, _, _ in commands(log)] == ["group", "endgroup", "error", "debug"]


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_runner_reads_only_our_commands_whatever_is_written(title: str, text: str) -> None:
    def do(one: Runner) -> None:
        one.say(text)
        one.open_group(title)
        one.annotate("warning", title, text)

    assert {name for name, _, _ in commands(written(do))} <= {"group", "endgroup", "warning"}


def test_long_lines_are_cut_and_line_breaks_are_kept() -> None:
    log = written(lambda one: one.say("x" * 5000 + "\nsecond"))
    assert [len(line) for line in log.splitlines()] == [1000, 6]


def test_debug_lines_appear_only_in_debug_runs() -> None:
    assert written(lambda one: one.debug("x")) == ""
    assert written(lambda one: one.debug("x"), RUNNER_DEBUG="0") == ""
    assert commands(written(lambda one: one.debug("50%"), RUNNER_DEBUG="1")) == [("debug", {}, "50%")]
    assert runner(RUNNER_DEBUG="1")[0].debugging


def test_groups_are_balanced() -> None:
    def do(one: Runner) -> None:
        one.close_group()
        one.open_group("one")
        one.open_group("two")
        one.say("inside")
        one.annotate("error", "t", "m")
        one.say("outside")
        one.close_group()
        one.open_group("three")
        one.close_group()
        one.close_group()

    names = [name for name, _, _ in commands(written(do))]
    assert names == ["group", "endgroup", "group", "endgroup", "error", "group", "endgroup"]


def test_a_lone_surrogate_does_not_stop_the_log() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict")
    Runner({}, stream).say("a \udcff b")
    assert stream.buffer.getvalue() == b"a ? b\n"


# annotations


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("plain", "plain"),
        ("100% : a, b = c", "100% : a, b\nsecond\r\nthird %0A %25"),
        ("a::b]c;d", "::error::x ] ; = ,"),
    ],
)
def test_titles_and_messages_arrive_unchanged(title: str, message: str) -> None:
    [(name, properties, data)] = commands(written(lambda one: one.annotate("error", title, message)))
    assert (name, properties["title"], data) == ("error", title, message)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="#"), max_size=100))
def test_any_message_makes_the_round_trip(message: str) -> None:
    [(_, _, data)] = commands(written(lambda one: one.annotate("notice", "t", message)))
    assert data == message


def test_a_long_message_is_cut_below_the_runners_limit() -> None:
    [(_, properties, data)] = commands(written(lambda one: one.annotate("error", "t" * 500, "%" * 9000)))
    assert len(data) <= LONGEST_ANNOTATION < 4096
    assert len(properties["title"]) <= 120


# outputs


@given(st.dictionaries(st.from_regex(r"[a-z]+(-[a-z]+)*", fullmatch=True), st.text(max_size=60), max_size=6))
def test_each_output_arrives_as_one_line_and_no_others_are_set(
    tmp_path_factory: pytest.TempPathFactory, outputs: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("runner") / "output"
    written(lambda one: one.set_outputs(outputs | {"last": "x"}), GITHUB_OUTPUT=path)
    found = parsed(path.read_bytes().decode())
    assert found.keys() == {*outputs, "last"}
    assert all(len(value.splitlines()) <= 1 for value in found.values())


@pytest.mark.parametrize("text", HOSTILE)
def test_no_value_can_set_another_output(tmp_path: Path, text: str) -> None:
    path = tmp_path / "output"
    written(lambda one: one.set_outputs({"version": text, "url": "u"}), GITHUB_OUTPUT=path)
    assert parsed(path.read_text(encoding="utf-8")).keys() == {"version", "url"}


def test_delimiters_cannot_be_predicted(tmp_path: Path) -> None:
    path = tmp_path / "output"
    written(lambda one: one.set_outputs({"a": "1", "b": "2"}), GITHUB_OUTPUT=path)
    found = re.findall(r"<<(\S+)", path.read_text())
    assert len(set(found)) == 2
    assert all(len(each) >= 32 for each in found)


def test_files_are_appended_to_and_never_truncated(tmp_path: Path) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    output.write_text("earlier=1\n")
    summary.write_text("# earlier\n")

    def do(one: Runner) -> None:
        one.set_outputs({"a": "1"})
        one.write_summary("later\n")

    written(do, GITHUB_OUTPUT=output, GITHUB_STEP_SUMMARY=summary)
    assert output.read_text().startswith("earlier=1\na<<")
    assert summary.read_text() == "# earlier\nlater\n"


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
@pytest.mark.parametrize("missing", ["unset", "empty", "a directory", "in a directory that is gone"])
def test_a_missing_file_is_reported_and_does_not_end_the_run(tmp_path: Path, variable: str, missing: str) -> None:
    places = {
        "unset": None,
        "empty": "",
        "a directory": tmp_path,
        "in a directory that is gone": tmp_path / "gone" / "x",
    }
    place = places[missing]

    def do(one: Runner) -> None:
        one.set_outputs({"a": "1"}) if variable == "GITHUB_OUTPUT" else one.write_summary("x")

    log = written(do, **({} if place is None else {variable: place}))
    assert variable in log
    if place:
        assert [name for name, _, _ in commands(log)] == ["warning"]


# the summary


def test_a_summary_of_any_size_fits(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    written(lambda one: one.write_summary("é" * 3_000_000), GITHUB_STEP_SUMMARY=path)
    content = path.read_bytes()
    assert SUMMARY_CAP < len(content) < 1_048_576
    assert "cut off" in content.decode("utf-8", "strict")


def test_a_summary_is_valid_text_whatever_it_quotes(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    written(lambda one: one.write_summary("a \ud800 b"), GITHUB_STEP_SUMMARY=path)
    assert path.read_bytes().decode("utf-8", "strict") == "a ? b"


# files of the workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    inside = tmp_path / "workspace"
    (inside / "sub").mkdir(parents=True)
    (inside / "ca.pem").write_text("PEM")
    (inside / "sub" / "ca.pem").write_text("SUB")
    (tmp_path / "outside.pem").write_text("secret of the host")
    return inside


@pytest.mark.parametrize(
    ("path", "content"),
    [("ca.pem", "PEM"), ("./ca.pem", "PEM"), ("sub/ca.pem", "SUB"), ("sub/../ca.pem", "PEM")],
)
def test_a_file_in_the_workspace_is_read(workspace: Path, path: str, content: str) -> None:
    assert runner(GITHUB_WORKSPACE=workspace)[0].read_workspace(path, CAP) == content
    assert runner(GITHUB_WORKSPACE=workspace)[0].read_workspace(str(workspace / path), CAP) == content


def test_a_link_within_the_workspace_is_followed(workspace: Path) -> None:
    (workspace / "link.pem").symlink_to("sub/ca.pem")
    assert runner(GITHUB_WORKSPACE=workspace)[0].read_workspace("link.pem", CAP) == "SUB"


def test_without_a_workspace_the_working_directory_is_used(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace)
    assert runner()[0].read_workspace("ca.pem", CAP) == "PEM"


def refused(workspace: Path, path: str) -> str:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the tests check its message
        runner(GITHUB_WORKSPACE=workspace)[0].read_workspace(path, CAP)
    return str(caught.value)


@pytest.mark.parametrize(
    "path", ["../outside.pem", "/etc/passwd", "sub/../../outside.pem", "/proc/self/environ", "/dev/stdin"]
)
def test_a_file_outside_is_refused(workspace: Path, path: str) -> None:
    assert "outside the workspace" in refused(workspace, path)


@pytest.mark.parametrize("target", ["../outside.pem", "/etc/passwd", "/proc/self/environ"])
def test_a_link_out_of_the_workspace_is_refused(workspace: Path, target: str) -> None:
    (workspace / "link.pem").symlink_to(target)
    assert "outside the workspace" in refused(workspace, "link.pem")


def test_a_linked_folder_outside_the_workspace_is_refused(workspace: Path) -> None:
    (workspace / "folder").symlink_to("..")
    assert "outside the workspace" in refused(workspace, "folder/outside.pem")


def test_circular_links_are_refused(workspace: Path) -> None:
    (workspace / "one.pem").symlink_to("two.pem")
    (workspace / "two.pem").symlink_to("one.pem")
    assert "cannot be read" in refused(workspace, "one.pem")


def test_a_pipe_is_refused_without_waiting(workspace: Path) -> None:
    os.mkfifo(workspace / "pipe.pem")
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(refused(workspace, "pipe.pem")), daemon=True)
    reader.start()
    reader.join(20)
    assert found == ["names something that is not a file"]


@pytest.mark.parametrize("path", ["sub", ".", "missing.pem", "ca.pem/x", "x" * 5000, "a\0b"])
def test_an_unreadable_file_is_refused_in_one_line(workspace: Path, path: str) -> None:
    message = refused(workspace, path)
    assert message
    assert "\n" not in message
    assert "\0" not in message
    assert len(message) < 300


@pytest.mark.parametrize(("size", "fits"), [(CAP, True), (CAP + 1, False)])
def test_the_size_of_a_file_is_capped(workspace: Path, size: int, fits: bool) -> None:
    (workspace / "large.pem").write_bytes(b"x" * size)
    if fits:
        assert len(runner(GITHUB_WORKSPACE=workspace)[0].read_workspace("large.pem", CAP)) == size
    else:
        assert "more than 1 MiB" in refused(workspace, "large.pem")


def test_a_file_that_is_not_text_is_read_as_far_as_possible(workspace: Path) -> None:
    (workspace / "binary.pem").write_bytes(b"\xff\xfeabc")
    assert runner(GITHUB_WORKSPACE=workspace)[0].read_workspace("binary.pem", CAP) == "\ufffd\ufffdabc"


def test_an_output_starts_on_a_new_line_whatever_the_file_contained(tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.write_text("earlier<<E\n1\nE")
    written(lambda one: one.set_outputs({"version": "2"}), GITHUB_OUTPUT=output)
    assert parsed(output.read_text()) == {"earlier": "1", "version": "2"}


def test_an_annotation_points_to_line_and_column_and_the_file_name_cannot_end_a_property() -> None:
    name = "a,line=9::b%.yml\n"
    log = written(lambda one: one.annotate("error", "Config file", "is wrong", file=name, line=7, column=3))
    ((kind, properties, message),) = commands(log)
    assert (kind, message) == ("error", "is wrong")
    assert properties == {"file": "a,line=9::b%.yml", "line": "7", "col": "3", "title": "Config file"}


def test_bytes_of_the_workspace_are_read_unchanged(workspace: Path) -> None:
    (workspace / "raw").write_bytes(b"\xff\r\n")
    assert runner(GITHUB_WORKSPACE=workspace)[0].workspace_bytes("raw", CAP) == b"\xff\r\n"
