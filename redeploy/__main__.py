"""`python -m redeploy`: the same engine for a person at a terminal. A command is loaded only when it is used."""

import argparse
import importlib
import os
import signal
import sys

from redeploy import ISSUES, __version__

TYPE_CHECKING = False  # typing loads slowly, and a command should respond at once
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType

COMMANDS: "Mapping[str, str]" = {
    "doctor": "examine the whole chain from here to the running service, and change nothing",
    "env": "write secrets from the environment into the file that Compose reads, and recreate the containers that use it",
    "init": "write the files that a service and its server need, and print the next steps",
    "token": "print a new token for Watchtower's HTTP API, or the steps that replace the one in use",
}
"""Each module of `redeploy.commands`, and what it is for."""

OLDEST_PYTHON = (3, 11)
USAGE = 2
DEFECT = 70
BROKEN_PIPE = 128 + 13
"""As a shell reports a program that SIGPIPE ended. Windows does not have that signal."""


def main(arguments: "Sequence[str]", load: "Callable[[str], ModuleType]" = importlib.import_module) -> int:
    """Run one command and return its exit code. It never prints a traceback, which could quote a secret."""
    if sys.version_info < OLDEST_PYTHON:
        _complain(f"Python 3.11 or newer is needed, and {sys.executable} is {sys.version.split()[0]}.")
        return USAGE
    try:
        return _run(arguments, load)
    except (KeyboardInterrupt, EOFError):  # Ctrl-C, or Ctrl-D at a question
        _complain("")
        return 128 + signal.SIGINT
    except BrokenPipeError:  # the reader of the output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror}." if error.filename else f"{error}.")
        return USAGE
    except ModuleNotFoundError as error:
        if (error.name or "redeploy").partition(".")[0] == "redeploy":
            return _defect(error)
        _complain(
            f"This command needs the library `{error.name}`, which {sys.executable} does not have. In a checkout run "
            "`make setup` once, and then `.venv/bin/python -m redeploy`."
        )
        return USAGE
    except Exception as error:  # noqa: BLE001 - shown without its text, which may quote a secret
        return _defect(error)


def _run(arguments: "Sequence[str]", load: "Callable[[str], ModuleType]") -> int:
    parser = argparse.ArgumentParser(
        prog="python -m redeploy",
        description="Sets up, checks and maintains the server that the action redeploys.",
        epilog="`python -m redeploy COMMAND --help` says more about each.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = next((each for each in arguments if not each.startswith("-")), "")
    for name, purpose in COMMANDS.items():
        described = choices.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
        if name == asked:
            command = load(f"redeploy.commands.{name}")
            command.declare(described)
            described.set_defaults(run=command.run)
    chosen = parser.parse_args(arguments)
    code = chosen.run(chosen)
    sys.stdout.flush()
    return int(code)


def _defect(error: Exception) -> int:
    if os.environ.get("RUNNER_DEBUG") == "1":
        import traceback

        _complain("".join(traceback.format_exception(error)))
    _complain(
        f"{type(error).__name__} in redeploy itself. Run it again with RUNNER_DEBUG=1, and report at {ISSUES} what it "
        "says, without secrets."
    )
    return DEFECT


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    # As an exception, so that files are tidied up.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
