"""The sandbox's runner and the rules of GitHub's runner: one test per rule."""

import base64
import json
import os
import signal
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from sandbox.runner.commands import Annotation, LineSplitter, MalformedFileError, annotation, pairs, parse
from sandbox.runner.launchers import FromCheckout, FromImage, Room
from sandbox.runner.log import StepLog
from sandbox.runner.masks import Masker, leaked
from sandbox.runner.results import Run
from sandbox.runner.runner import Interrupt, Runner

MANIFEST = """
name: probe
inputs:
  first-name:
    description: a name
    default: Ada
  plain:
    description: nothing by default
  github-token:
    description: a token
    default: ${{ github.token }}
  commit:
    description: two expressions in one
    default: "${{ github.sha }} of ${{github.repository}}"
  watchtower-token:
    description: a secret
outputs:
  said:
    description: what was said
runs:
  using: docker
  image: Dockerfile
"""
SAY = "open(os.environ['GITHUB_OUTPUT'], 'a').write('said=yes\\n')\n"
Play = Callable[..., Run]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run a few lines of Python as the action."""
    (tmp_path / "action.yml").write_text(MANIFEST)
    runner = Runner(tmp_path, FromCheckout(Path(sys.executable)), patience=20)

    def run(code: str, inputs: dict[str, str] | None = None, *, say: bool = True, **more: object) -> Run:
        lead = "import os, sys, json, time\n" + (SAY if say else "")
        (tmp_path / "entrypoint.py").write_text(lead + textwrap.dedent(code))
        return runner.run(inputs or {}, **more)  # type: ignore[arg-type]

    return run


def logged(*lines: str, must: tuple[str, ...] = ()) -> StepLog:
    log = StepLog(Masker(), must)
    for line in lines:
        log.add(line)
    log.end()
    return log


# The environment


def test_every_declared_input_is_set_to_its_default_or_empty(play: Play) -> None:
    run = play("print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('INPUT_')}))")
    inputs = json.loads(run.log)
    assert inputs["INPUT_FIRST-NAME"] == "Ada"
    assert inputs["INPUT_PLAIN"] == ""
    assert inputs["INPUT_COMMIT"].endswith(" of leok974/leo-portfolio")
    assert inputs["INPUT_GITHUB-TOKEN"] == "***"
    assert run.problems == ()


def test_an_empty_input_stays_empty_whatever_its_default(play: Play) -> None:
    assert play("print([os.environ['INPUT_FIRST-NAME']])", {"first-name": ""}).log == "['']"


def test_an_undeclared_input_is_passed_on_with_a_warning(play: Play) -> None:
    run = play("print(os.environ['INPUT_SECOND_NAME'])", {"second name": "Byron"})
    assert run.log.splitlines()[-1] == "Byron"
    assert run.messages("warning")[0].startswith(
        "Unexpected input(s) 'second name', valid inputs are ['entryPoint', 'args'"
    )


def test_an_input_takes_precedence_over_the_environment_of_the_step(play: Play) -> None:
    assert play("print(os.environ['INPUT_PLAIN'])", {"plain": "a"}, environment={"INPUT_PLAIN": "b"}).log == "a"


def test_the_hosts_environment_is_not_passed_on(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEFT_OVER", "x")
    assert (
        play("print('LEFT_OVER' in os.environ, 'GITHUB_TOKEN' in os.environ, os.environ['CI'])").log
        == "False False true"
    )


def test_the_folders_are_the_runners_and_standard_input_is_closed(play: Play, tmp_path: Path) -> None:
    run = play(
        """
        assert os.getcwd() == os.environ["GITHUB_WORKSPACE"]
        assert os.path.isdir(os.environ["HOME"]) and os.path.isdir(os.environ["RUNNER_TEMP"])
        assert json.load(open(os.environ["GITHUB_EVENT_PATH"])) == {}
        print(repr(sys.stdin.read()), sys.stdin.isatty(), sys.flags.isolated)
        """
    )
    assert run.log == "'' False 1"
    assert run.problems == ()


def test_each_step_gets_its_own_files(play: Play) -> None:
    names = {play("print(os.path.basename(os.environ['GITHUB_OUTPUT']))").log for _ in range(2)}
    assert len(names) == 2
    assert all(name.startswith("set_output_") for name in names)


# Lines and commands


@pytest.mark.parametrize("text", ["a\nb\nc", "a\r\nb\r\nc", "a\rb\rc", "a\nb\rc\r"])
def test_lines_end_at_lf_at_crlf_and_at_a_bare_cr(text: str) -> None:
    whole, single = LineSplitter(), LineSplitter()
    assert [*whole.feed(text), *whole.end()] == ["a", "b", "c"]
    assert [line for character in text for line in single.feed(character)] + [*single.end()] == ["a", "b", "c"]


def test_other_separators_do_not_end_a_line() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed("a\x0bb\x0cc\x85d\u2028e\n")) == ["a\x0bb\x0cc\x85d\u2028e"]


@pytest.mark.parametrize("space", ["", "  ", "\t", "\u00a0", "\u2028", "\u0085", "\u3000"])
def test_a_command_may_follow_any_white_space(space: str) -> None:
    found = parse(f"{space}::error title=a%3Ab,file=x.py::50%25 of%0Ait")
    assert found is not None
    assert (found.name, found.properties, found.data) == ("error", {"title": "a:b", "file": "x.py"}, "50% of\nit")


@pytest.mark.parametrize(
    "line", ["x ::error::y", "\x1c::error::y", "::error:y", "::nonsense::y", ":: error::y", "\ufeff::error::y"]
)
def test_other_lines_are_text(line: str) -> None:
    assert parse(line) is None


@pytest.mark.parametrize("line", ["##[error]y", "x ##[error]y", ">>> ##[set-env name=a;]y"])
def test_the_old_spelling_is_found_anywhere_in_a_line(line: str) -> None:
    found = parse(line)
    assert found is not None
    assert (found.spelling, found.data) == (1, "y")
    assert logged(line).problems


def test_command_names_are_case_insensitive() -> None:
    found = parse("::Add-Mask::x")
    assert found is not None
    assert found.name == "add-mask"


def test_the_percent_sign_is_unescaped_last_and_escapes_are_case_sensitive() -> None:
    found = parse("::notice::%250A %0d %0A")
    assert found is not None
    assert found.data == "%0A %0d \n"


@pytest.mark.parametrize(
    "line",
    [
        "::set-output name=a::b",
        "::set-env name=a::b",
        "::add-path::/x",
        "::save-state name=a::b",
        "::add-matcher::x",
        "::echo::on",
    ],
)
def test_a_command_outside_the_list_is_a_breach(line: str) -> None:
    assert logged(line).problems


def test_commands_on_standard_error_count_too(play: Play) -> None:
    run = play("sys.stderr.write('::set-output name=a::b\\n')")
    assert any("set-output" in problem for problem in run.problems)


def test_stopped_commands_are_text_until_their_token() -> None:
    log = logged("::stop-commands::abcdef1", "::error::x", "::set-output name=a::b", "::ABCDEF1::", "::notice::y")
    assert log.problems == []
    assert [one.message for one in log.annotations] == ["y"]
    assert "::error::x" in log.lines


def test_stopped_commands_that_are_never_resumed_are_a_breach() -> None:
    assert logged("::stop-commands::abcdef1", "text").problems


@pytest.mark.parametrize("token", ["", "pause-logging", "error"])
def test_a_token_that_the_runner_refuses_is_a_breach(token: str) -> None:
    assert logged(f"::stop-commands::{token}", f"::{token}::").problems


def test_groups_must_be_balanced() -> None:
    assert logged("::group::a", "x", "::endgroup::").problems == []
    assert logged("::group::a").problems
    assert logged("::endgroup::").problems
    assert logged("::group::a", "::group::b", "::endgroup::").problems


def test_a_group_is_shown_with_its_lines_below_it() -> None:
    assert logged("::group::Trigger", "sent", "::endgroup::", "done").lines == ["▼ Trigger", "  sent", "done"]


def test_debug_lines_appear_only_with_debug_logging(play: Play) -> None:
    assert play("print('::debug::x')").log == ""
    assert play("print('::debug::x')", environment={"RUNNER_DEBUG": "1"}).log == "Debug: x"


# Annotations


def test_an_annotation_is_shown_and_listed() -> None:
    log = logged("::error title=Stale::it%0Afailed", "::warning::w", "::notice::n")
    assert log.lines == ["Error: it", "failed", "Warning: w", "Notice: n"]
    assert log.annotations[0] == Annotation("error", "it\nfailed", "Stale")


def test_a_blank_message_makes_no_annotation() -> None:
    assert logged("::error::  ").annotations == []


def test_a_message_is_cut_at_4096_characters() -> None:
    assert len(logged("::error::" + "x" * 5000).annotations[0].message) == 4096


def test_the_eleventh_annotation_of_a_level_is_dropped() -> None:
    log = logged(*["::error::x"] * 11, "::warning::y")
    assert len(log.annotations) == 11
    assert log.problems == ["1 error annotations beyond the tenth"]


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ("line=3,endLine=2", (None, None, None, None)),
        ("endLine=4", (4, 4, None, None)),
        ("col=2", (None, None, None, None)),
        ("line=1,col=5,endColumn=2", (1, None, None, None)),
        ("line=1,endLine=2,col=5", (1, 2, None, None)),
        ("line=1,endColumn=5", (1, None, 5, 5)),
        ("line=x", (None, None, None, None)),
    ],
)
def test_invalid_positions_are_dropped(properties: str, expected: tuple[int | None, ...]) -> None:
    command = parse(f"::error file=a.py,{properties}::m")
    assert command is not None
    found = annotation(command, "m")
    assert (found.line, found.end_line, found.column, found.end_column) == expected


# Masks


def test_a_mask_hides_the_value_each_of_its_lines_and_derived_forms() -> None:
    masker = Masker()
    masker.add("first&line\nsecond/line")
    for form in ("first&line", "second/line", quote("second/line", safe=""), "first&amp;line"):
        assert masker.mask(f"a {form} b") == "a *** b"
    for shift in range(3):
        assert masker.mask(base64.b64encode(b"second/line"[shift:]).decode()) == "***"


def test_adjacent_masks_are_merged() -> None:
    masker = Masker()
    masker.add("abc")
    masker.add("bcd")
    assert masker.mask("xabcdx abcabc") == "x***x ***"


def test_masks_are_case_sensitive() -> None:
    masker = Masker()
    masker.add("Secret")
    assert masker.mask("secret Secret") == "secret ***"


SECRET = "wt+Zk9/aB3==x&y%"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        SECRET[::-1],
        SECRET[:12],
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(b"u:" + SECRET.encode()).decode(),
        base64.b64encode(b"user:" + SECRET.encode() + b"tail").decode(),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace(SECRET[:2].lower(), SECRET[:2])
        and quote(quote(SECRET, safe=""), safe=""),
        SECRET.lower(),
        "".join(f"&#{ord(character)};" for character in SECRET),
        "".join(f"\\u{ord(character):04x}" for character in SECRET),
    ],
)
def test_a_secret_is_found_in_forms_that_the_masker_lets_through(form: str) -> None:
    assert leaked(f"before{form}after", SECRET)


def test_other_text_contains_no_secret() -> None:
    assert leaked("wt+ Zk9 aB3 and more", SECRET) is None


def test_a_secret_input_must_be_masked_before_any_other_output(play: Play) -> None:
    inputs = {"watchtower-token": "a-token-of-mine"}
    assert play("print('::add-mask::a-token-of-mine'); print('x')", inputs).problems == ()
    assert play("print('x'); print('::add-mask::a-token-of-mine')", inputs).problems


def test_a_secret_in_a_title_is_a_breach_for_titles_are_not_masked(play: Play) -> None:
    run = play("print('::notice title=the-secret-of-all::x')", secrets=["the-secret-of-all"])
    assert any("title" in problem for problem in run.problems)


# Files


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b\n", [("a", "b")]),
        ("a=b=c<<d\n", [("a", "b=c<<d")]),
        ("a=\n", [("a", "")]),
        ("\n\na=b\n\n", [("a", "b")]),
        ("a<<E\nx\ny\nE\n", [("a", "x\ny")]),
        ("a<<E\nE\n", [("a", "")]),
        ("a<<E\n\nE", [("a", "")]),
        ("a<<E\nx\r\nE\n", [("a", "x\r")]),
        ("a<<E=F\nx\nE=F\n", [("a", "x")]),
        ("\ufeffa=b\n", [("a", "b")]),
    ],
)
def test_outputs_are_read_as_the_runner_reads_them(text: str, expected: list[tuple[str, str]]) -> None:
    assert list(pairs(text)) == expected


@pytest.mark.parametrize("text", ["nonsense\n", "a<<\nx\n\n", "<<E\nx\nE\n", "a<<E\nx\n", "a<<E\nx", "=b\n", "a<<E"])
def test_a_malformed_file_fails_the_step(text: str) -> None:
    with pytest.raises(MalformedFileError):
        list(pairs(text))


def test_outputs_before_a_malformed_line_are_set(play: Play) -> None:
    run = play("open(os.environ['GITHUB_OUTPUT'], 'a').write('nonsense\\n')")
    assert run.outputs == {"said": "yes"}
    assert any("Invalid format" in problem for problem in run.problems)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "the output said was not set"),
        ("said=a\\nsaid=b\\n", "the output said was set twice"),
        ("said=a\\nmore=b\\n", "the output more is not declared"),
        ("said=a", "GITHUB_OUTPUT does not end with a line feed"),
        ("said<<E\\na\\nb\\nE\\n", "the output said has several lines"),
        ("said=known-secret\\n", "GitHub would drop the output said, for it contains a mask"),
    ],
)
def test_every_declared_output_is_set_once_on_one_line(written: str, complaint: str, play: Play) -> None:
    run = play(f"open(os.environ['GITHUB_OUTPUT'], 'a').write('{written}')", say=False, secrets=["known-secret"])
    assert complaint in run.problems


def test_a_summary_is_masked_line_by_line(play: Play) -> None:
    run = play("open(os.environ['GITHUB_STEP_SUMMARY'], 'a').write('# A b\\n')", secrets=["b"])
    assert run.summary == "# A ***\n"


@pytest.mark.parametrize("form", [SECRET, SECRET.replace("=", "&#61;"), "\N{ZERO WIDTH SPACE}".join(SECRET)])
def test_a_secret_that_appears_in_the_rendered_summary_is_a_breach(form: str, play: Play) -> None:
    run = play(f"open(os.environ['GITHUB_STEP_SUMMARY'], 'wb').write({form.encode()!r})", secrets=[SECRET])
    assert [problem for problem in run.problems if problem.startswith("secret 0 in the summary, as it is shown")]


def test_a_summary_beyond_a_mebibyte_is_a_breach(play: Play) -> None:
    write = "open(os.environ['GITHUB_STEP_SUMMARY'], 'a').write('x' * {})"
    assert play(write.format(1 << 20)).problems == ()
    assert play(write.format((1 << 20) + 1)).problems


@pytest.mark.parametrize("name", ["GITHUB_ENV", "GITHUB_PATH"])
def test_a_change_to_the_environment_of_later_steps_is_a_breach(name: str, play: Play) -> None:
    assert play(f"open(os.environ['{name}'], 'a').write('x')").problems == (f"{name} was written",)


def test_the_workspace_contains_the_checked_out_files(play: Play) -> None:
    run = play("print(open('docs/openapi.yaml').read())", files={"docs/openapi.yaml": "openapi: 3.1.0"})
    assert "openapi: 3.1.0" in run.log
    assert run.problems == ()


def test_a_change_to_the_workspace_is_a_breach(play: Play, tmp_path: Path) -> None:
    workspace = tmp_path / "checkout"
    workspace.mkdir()
    (workspace / "kept").touch()
    run = play("open('kept', 'w'); open('new', 'w')", workspace=workspace)
    assert run.problems == ("left in the workspace: new",)


# The end


def test_a_failed_run_needs_an_error_annotation_and_a_successful_one_must_have_none(play: Play) -> None:
    assert play("print('::error::x'); sys.exit(1)").problems == ()
    assert play("sys.exit(3)").problems == ("exit code 3 without an error annotation",)
    assert play("print('::error::x')").problems == ("an error annotation, and exit code 0",)


def test_a_traceback_is_a_breach(play: Play) -> None:
    assert "a traceback" in play("print('::error::x', flush=True); raise ValueError('x')").problems


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\u202eb", "x\x00y", "##[group]"])
def test_control_sequences_for_a_terminal_or_a_log_are_a_breach(text: str) -> None:
    assert logged(text).problems


def test_lines_are_passed_on_as_they_are_written(play: Play) -> None:
    lines: list[str] = []
    run = play("print('a'); print('::group::b'); print('c'); print('::endgroup::')", on_line=lines.append)
    assert lines == ["a", "▼ b", "  c"] == run.log.splitlines()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_cancellation_sends_a_signal_to_the_process(number: signal.Signals, code: int, play: Play) -> None:
    started: list[str] = []
    run = play(
        f"""
        import signal
        def stop(*_):
            print('::error::cancelled')
            sys.exit({code})
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGTERM, stop)
        print('ready')
        time.sleep(30)
        """,
        interrupt=Interrupt(signal=number, when=lambda: bool(started)),
        on_line=started.append,
    )
    assert run.exit_code == code
    assert run.problems == ()
    assert run.seconds < 5


def test_an_action_that_ignores_a_signal_gets_the_next_one(play: Play) -> None:
    started: list[str] = []
    run = play(
        """
        import signal
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print('ready')
        time.sleep(30)
        """,
        interrupt=Interrupt(signal=signal.SIGTERM, when=lambda: bool(started)),
        on_line=started.append,
    )
    assert run.exit_code == -signal.SIGKILL
    assert "SIGTERM did not end it within 2.5 s" in run.problems


def test_an_image_runs_with_the_runners_flags_and_no_value_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    room = Room(tmp_path / "temp", tmp_path / "work")
    launcher = FromImage("redeploy:test")
    launch = launcher.launch(tmp_path, room, {"INPUT_HEALTH-PATH": "/secret", "HOME": "/github/home"})
    command = " ".join(launch.command)
    assert command.startswith(f"{docker} run --name redeploy_")
    assert "--workdir /github/workspace --rm -e INPUT_HEALTH-PATH -e HOME -e GITHUB_ACTIONS=true -e CI=true" in command
    assert f"-v {tmp_path}/temp/_runner_file_commands:/github/file_commands" in command
    assert f"-v {tmp_path}/work:/github/workspace" in command
    assert command.endswith("redeploy:test")
    assert "/secret" not in command
    assert launch.environment["INPUT_HEALTH-PATH"] == "/secret"
    assert launcher.inside(room.commands / "set_output_x", room) == "/github/file_commands/set_output_x"
    assert launcher.inside(room.workspace, room) == "/github/workspace"
