"""`python -m redeploy env`: secrets from the environment into the file that Compose reads."""

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from redeploy.github.runner import Runner
from redeploy.setup.dotenv import PREFIX, TemplateError, traces
from redeploy.setup.env import Brought, bring
from redeploy.text.secret import Secret, redactor

UNFIT = 2
NOT_FOUND = 127


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.usage = "python -m redeploy env [-h] --template FILE --output FILE [-- COMMAND ...]"
    parser.epilog = (
        f"Each line `NAME=` of the template is filled in from the environment variable `{PREFIX}NAME`. If one is missing "
        "or not in the template, nothing is written. Values are quoted so that docker compose v2 and docker-compose 1.29 "
        "read the same. Exit codes: 0; 1 if COMMAND fails, which is then run again next time; 2 if template "
        "and secrets do not match."
    )
    parser.add_argument("--template", type=Path, required=True, metavar="FILE", help="the file with the lines `NAME=`")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="what is written, mode 0600")
    parser.add_argument(
        "command", nargs="*", metavar="COMMAND", help="run if a value has changed, as `docker compose ... up -d`"
    )


def run(arguments: argparse.Namespace) -> int:
    """Bring the secrets of this process's environment into the file."""
    named = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    secrets = {name.removeprefix(PREFIX): Secret(value) for name, value in named.items()}
    runner = Runner(os.environ, sys.stdout)
    redact = redactor(Secret(trace) for value in named.values() for trace in traces(value))
    runner.mask((), redact)  # the runner itself masks what comes from secrets

    def apply() -> int:
        unburdened = {name: value for name, value in os.environ.items() if name not in named}
        runner.say(f"Running {shlex.join(arguments.command)}")
        try:
            running = subprocess.Popen(  # noqa: S603 - the caller says what to run
                arguments.command,
                env=unburdened,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            runner.say(f"{arguments.command[0]}: {error.strerror}")
            return NOT_FOUND
        with running:
            for line in running.stdout or ():
                runner.say(line)
        return running.returncode

    def report(brought: Brought) -> None:
        runner.say(f"{arguments.output}: {_sentence(brought)}")
        if os.environ.get("GITHUB_OUTPUT"):
            runner.set_outputs({"changed": str(brought.anything).lower()})

    try:
        brought = bring(arguments.template, arguments.output, secrets, apply if arguments.command else None, report)
    except TemplateError as error:
        for problem in error.problems:
            _complain(runner, problem)
        runner.say(f"Nothing was written; {arguments.output} is as it was.")
        return UNFIT
    except OSError as error:
        _complain(runner, f"{error.filename or arguments.output}: {error.strerror}.")
        return UNFIT
    if brought.code:
        _complain(runner, f"`{arguments.command[0]}` ended with {brought.code}. It is run again next time.")
    return bool(brought.code)


def _sentence(brought: Brought) -> str:
    if brought.changed:
        return f"changed ({', '.join(brought.changed)})."
    if brought.pending:
        return "unchanged, but an earlier change has not been applied completely."
    return "unchanged."


def _complain(runner: Runner, problem: str) -> None:
    if os.environ.get("GITHUB_ACTIONS") == "true":
        runner.annotate("error", "Secrets for the server", problem)
    else:
        sys.stderr.write(f"{problem}\n")
