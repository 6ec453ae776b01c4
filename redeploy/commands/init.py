"""`python -m redeploy init`: the files for a service, from a few answers."""

import argparse
import difflib
import secrets
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from redeploy.setup import disk, files, git, places, services
from redeploy.setup.dotenv import without_values
from redeploy.setup.init import File, NoKitError, drafted, write
from redeploy.setup.next_steps import next_steps
from redeploy.setup.questionnaire import QUESTIONS, Answers, Question
from redeploy.text.secret import Secret
from redeploy.text.untrusted import block, one_line

SIZE = 32
"""Random bytes in a token."""
LONGEST_DIFF = 400
DIFFERENT = 1
UNFIT = 2
_ISSUES = "https://github.com/leok974/redeploy-action"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = (
        "At a terminal it asks for every value without a flag; elsewhere it uses the defaults. Exit codes: 0; 1 if a "
        "different file exists (then nothing is written); 2 if a value is wrong or missing, or git tracks the file for the "
        "token."
    )
    for each in QUESTIONS:
        default = each.default({})
        shown = "{" + ",".join(each.choices) + "}" if each.choices else each.name.upper()
        parser.add_argument(f"--{each.name}", metavar=shown, help=each.text + (f" ({default})" if default else ""))
    parser.add_argument(
        "--service",
        action="append",
        metavar=services.FORM,
        help=f"given for each of several services: {services.FILE} is written, and nothing is asked; `domain=none` for a "
        "worker, and framework, health-path, version-path and version-field as above",
    )
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="the service's repository; here if not given"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that are different; their difference is shown"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask, write the files, and say what is left to do."""
    if arguments.service:
        return _write_config_file(arguments)
    if not _is_fit(arguments.into):
        return UNFIT
    answered = _answers(arguments)
    if answered is None:
        return UNFIT
    known, typed = answered
    answers = Answers(**known)  # type: ignore[arg-type] # each cleaner returns the type of its field
    try:
        drafts = drafted(answers, arguments.into, Secret(secrets.token_urlsafe(SIZE)))
    except NoKitError as error:
        _complain(f"{error} of redeploy-action is not here. This command needs a checkout: git clone {_ISSUES}")
        return UNFIT
    if not _write(drafts, arguments, files.asked_about(answers)):
        return DIFFERENT
    elsewhere = str(arguments.into) if arguments.into.resolve() != Path.cwd() else ""
    sys.stdout.write(f"\n{next_steps(answers, elsewhere, has_gh=shutil.which('gh') is not None)}")
    if typed:
        command = _same_again({**vars(arguments), **typed})
        sys.stdout.write(f"\nTo change an answer later, change it in this command:\n\n  {command}\n")
    return 0


def _write(drafts: list[File], arguments: argparse.Namespace, harmless: set[str]) -> bool:
    """Write files and say so; return whether they were written: existing files stay, unless `--force` is given."""
    different = [draft for draft in drafts if draft.differs]
    for draft in different:
        sys.stdout.write(_difference(draft, harmless))
    if different and not arguments.force:
        _complain(f"{len(different)} files exist and are different, so nothing was written. --force overwrites them.")
        return False
    write(drafts, arguments.into)
    for draft in drafts:
        done = "written" if draft.is_new else "overwritten" if draft.differs else "unchanged"
        sys.stdout.write(f"{done:<11} {arguments.into / draft.path}\n")
    return True


def _write_config_file(arguments: argparse.Namespace) -> int:
    """Write the config file of several services, and say how they are redeployed."""
    from redeploy.settings.config.keys import ID

    found: list[services.ServiceAnswers] = []
    problems = [
        f"--{each.name} cannot be combined with --service, which "
        + (
            "gives it for each service."
            if each.name in services.QUESTIONS_OF_EACH
            else f"writes {services.FILE} alone. docs/existing-server.md says what the server needs."
        )
        for each in QUESTIONS
        if getattr(arguments, each.field) is not None
    ]
    for text in arguments.service:
        try:
            found.append(services.read(text))
        except ValueError as error:
            problems.append(f"--service {error}.")
    if len(arguments.service) == 1:
        problems.append("--service is for several services; one needs no config file, so leave it out.")
    if unlike := services.unlike(found):
        problems.append(f"--service: {unlike}.")
    for problem in problems:
        _complain(problem)
    if problems or not _is_folder(arguments.into):
        return UNFIT
    place = services.FILE
    draft = File(place, disk.read(arguments.into / place), services.config_file(found, ID))
    if not _write([draft], arguments, set()):
        return DIFFERENT
    sys.stdout.write(f"\n{services.NEXT_STEP}")
    return 0


def _is_fit(repository: Path) -> bool:
    """Return whether the files may be written there; if not, the reason has been printed."""
    if not _is_folder(repository):
        return False
    secret = repository / places.ENVIRONMENT
    try:
        tracked = git.tracked(secret)
    except git.UnknownError as error:
        _complain(
            f"It is unknown whether git tracks {secret}, so no token was written into it. git said: {one_line(str(error))}"
        )
        return False
    if tracked:
        _complain_of_git(tracked, repository)
    return not tracked


def _is_folder(repository: Path) -> bool:
    """Return whether there is a folder to write into; if not, the reason has been printed."""
    if not repository.is_dir():
        beside = repository.absolute().parent
        folders = [each.name for each in beside.iterdir() if each.is_dir()] if beside.is_dir() else []
        near = difflib.get_close_matches(repository.absolute().name, folders, n=1)
        hint = f" Did you mean {repository.parent / near[0]}?" if near else " Clone the service's repository first."
        _complain(f"--into {repository} is not a folder.{hint}")
        return False
    return True


def _complain_of_git(tracked: Path, repository: Path) -> None:
    secret = repository / places.ENVIRONMENT
    folder, file, shown = repository, places.ENVIRONMENT, f"{secret}"
    if tracked != secret.absolute():
        folder, file, shown = tracked.parent, tracked.name, f"{tracked}, which {secret} leads to"
    _complain(
        f"git tracks {shown}. The token belongs there, and the next commit would publish it, even if .gitignore lists it. "
        "Nothing was written. Remove the file from git, which keeps it on this machine, and run this again:"
    )
    sys.stderr.write(f"\n  git -C {shlex.quote(str(folder))} rm --cached {shlex.quote(file)}\n\n")
    _complain("Its content stays in the history, so replace every secret in it.")


def _answers(arguments: argparse.Namespace) -> tuple[dict[str, object], dict[str, str]] | None:
    """Return the answers by field, and what was typed; None if a flag is not valid, and the problems have been printed."""
    answers: dict[str, object] = {}
    typed: dict[str, str] = {}
    asking = sys.stdin.isatty() and sys.stdout.isatty()
    problems: list[str] = []
    for question in QUESTIONS:
        given = getattr(arguments, question.field)
        if given is None and asking:
            continue
        try:
            answers[question.field] = question.answer(question.default(answers) if given is None else given)
        except ValueError as error:
            problems.append(f"--{question.name} {_ended(error)}")
    for problem in problems:
        _complain(problem)
    if problems:
        return None
    for question in QUESTIONS:
        if question.field not in answers:
            typed[question.field], answers[question.field] = _asked(question, answers)
    return answers, typed


def _same_again(flags: Mapping[str, object]) -> str:
    """Return the command that gives these answers without a question."""
    given = [word for each in QUESTIONS for word in (f"--{each.name}", str(flags[each.field]))]
    return shlex.join(["python3", "-m", "redeploy", "init", "--force", "--into", str(flags["into"]), *given])


def _asked(question: Question, before: Mapping[str, object]) -> tuple[str, object]:
    """Ask until the answer is valid; return the text that was typed, and the answer."""
    default = question.default(before)
    hint = f" [{default or 'none'}]" if default or question.optional else ""
    choices = f" ({'/'.join(question.choices)})" if question.choices else ""
    while True:
        try:
            typed = input(f"{question.text[0].upper()}{question.text[1:]}{choices}{hint}: ").strip() or default
            return typed, question.answer(typed)
        except ValueError as error:
            _complain(f"That {_ended(error)}")


def _ended(error: ValueError) -> str:
    """Return the end of a sentence with its full stop, unless it is a question."""
    return str(error) if str(error).endswith("?") else f"{error}."


def _difference(draft: File, harmless: set[str]) -> str:
    """Return how a file differs; of an environment file, only values from the answers are shown."""
    before, after = (
        without_values(text, harmless) if draft.path == places.ENVIRONMENT else text
        for text in (draft.before or "", draft.after)
    )
    lines = difflib.unified_diff(
        before.splitlines(),
        after.splitlines(),
        f"{draft.path} (as it is)",
        f"{draft.path} (as it would be)",
        lineterm="",
        n=0,
    )
    return "\n".join([*block("\n".join(lines), LONGEST_DIFF), ""])


def _complain(text: str) -> None:
    columns = max(shutil.get_terminal_size().columns, 40) if sys.stderr.isatty() else len(text) + 1
    wrapped = textwrap.fill(text, columns - 1, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    sys.stderr.write(f"{wrapped}\n")
