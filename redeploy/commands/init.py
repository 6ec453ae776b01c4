"""`python -m redeploy init`: the files for a service, from a few answers."""

import argparse
import difflib
import secrets
import shutil
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redeploy.core import kit
from redeploy.core.cleaners import choice
from redeploy.core.dotenv import without_values
from redeploy.core.hostile import block
from redeploy.core.secret import Secret
from redeploy.core.walkthrough import next_steps
from redeploy.init import File, NoKitError, drafted, write

SIZE = 32
"""Bytes of chance in a token."""
LONGEST_DIFF = 400
DIFFERENT = 1
UNFIT = 2
_ISSUES = "https://github.com/leok974/redeploy-action"


@dataclass(frozen=True)
class Question:
    """What is asked where the flag of this name is not given."""

    name: str
    text: str
    clean: Callable[[str], object]
    default: str = ""
    choices: tuple[str, ...] = ()


QUESTIONS = (
    Question("domain", "host name of the service, such as api.example.com", kit.domain),
    Question("image", "its image, such as ghcr.io/owner/app:latest", kit.tagged),
    Question("port", "port that it listens on in its container", kit.port, "8000"),
    Question("health-path", "path that says whether it is well", kit.health_path, "/api/ready"),
    Question("nginx", "where nginx runs", lambda text: kit.Nginx(choice(text, kit.Nginx)), "host", tuple(kit.Nginx)),
    Question("tls", "what ends TLS", lambda text: kit.Tls(choice(text, kit.Tls)), "tunnel", tuple(kit.Tls)),
    Question("access", "whether Cloudflare Access stands before it", kit.yes, "no", ("yes", "no")),
    Question("pages", "whether nginx serves pages of its own, too", kit.yes, "no", ("yes", "no")),
)


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.epilog = (
        "At a terminal it asks for what is not given; else the defaults hold. Exit codes: 0; 1 if another file is there, "
        "when nothing is written; 2 if an answer is wrong or missing."
    )
    for each in QUESTIONS:
        default = f" ({each.default})" if each.default else ""
        shown = "{" + ",".join(each.choices) + "}" if each.choices else each.name.upper()
        parser.add_argument(f"--{each.name}", metavar=shown, help=each.text + default)
    parser.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="the service's repository; here if not given"
    )
    parser.add_argument(
        "--force", action="store_true", help="overwrite files that are different; their difference is shown"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask, write the files, and say what is left to do."""
    answered = _answers(arguments)
    if answered is None:
        return UNFIT
    answers = kit.Answers(**answered)  # type: ignore[arg-type] # each cleaner returns what its field takes
    try:
        drafts = drafted(answers, arguments.into, Secret(secrets.token_urlsafe(SIZE)))
    except NoKitError as error:
        _complain(f"{error} of redeploy-action is not here. This command needs a checkout: git clone {_ISSUES}")
        return UNFIT
    different = [draft for draft in drafts if draft.differs]
    for draft in different:
        sys.stdout.write(_difference(draft, kit.asked_about(answers)))
    if different and not arguments.force:
        _complain(f"{len(different)} files are there and different, so nothing was written. --force overwrites them.")
        return DIFFERENT
    write(drafts, arguments.into)
    for draft in drafts:
        done = "written" if draft.is_new else "overwritten" if draft.differs else "unchanged"
        sys.stdout.write(f"{done:<11} {arguments.into / draft.path}\n")
    elsewhere = str(arguments.into) if arguments.into.resolve() != Path.cwd() else ""
    sys.stdout.write(f"\n{next_steps(answers, elsewhere)}")
    return 0


def _answers(arguments: argparse.Namespace) -> dict[str, object] | None:
    """Return the answers by field, None where they do not do; what is wrong with them has been said then."""
    answers: dict[str, object] = {}
    asking = sys.stdin.isatty() and sys.stdout.isatty()
    problems, open_questions = [], dict[str, Question]()
    for question in QUESTIONS:
        field = question.name.replace("-", "_")
        given = getattr(arguments, field)
        if given is None and asking:
            open_questions[field] = question
            continue
        try:
            answers[field] = _cleaned(question, question.default if given is None else given)
        except ValueError as error:
            problems.append(f"--{question.name} {error}.")
    for problem in problems:
        _complain(problem)
    if problems:
        return None
    return answers | {field: _asked(question) for field, question in open_questions.items()}


def _asked(question: Question) -> object:
    """Return the answer that somebody gives, once it does."""
    hint = f" [{question.default}]" if question.default else ""
    choices = f" ({'/'.join(question.choices)})" if question.choices else ""
    while True:
        try:
            answer = input(f"{question.text[0].upper()}{question.text[1:]}{choices}{hint}: ").strip()
            return _cleaned(question, answer or question.default)
        except ValueError as error:
            _complain(f"That {error}.")


def _cleaned(question: Question, text: str) -> object:
    if not text:
        msg = "is missing"
        raise ValueError(msg)
    return question.clean(text)


def _difference(draft: File, harmless: set[str]) -> str:
    """Return how a file differs; of an environment file only values that were asked about are shown."""
    before, after = (
        without_values(text, harmless) if draft.path == kit.ENVIRONMENT else text
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
