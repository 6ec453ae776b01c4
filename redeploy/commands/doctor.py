"""`python -m redeploy doctor`: the examination for a person at a terminal, with the inputs of the action as flags."""

import argparse
import getpass
import os
import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from redeploy.settings.defaults import DEFAULTS, secrets_in
from redeploy.settings.inputs import parse
from redeploy.settings.reading import InvalidInputsError, Problem, Workspace
from redeploy.text.secret import redactor, safeguard

VARIABLES = {
    "watchtower-url": "WATCHTOWER_UPDATE_URL",
    "watchtower-token": "WATCHTOWER_HTTP_API_TOKEN",
    "github-token": "GITHUB_TOKEN",
}
"""Variables that are read for an input if its own `INPUT_` variable is empty."""

SECRET = frozenset({"watchtower-token", "headers", "service-headers", "github-token", "registry-password"})
"""Inputs without a flag: every process can read the command lines of others."""

_NOT_ASKED = frozenset(
    {"mode", "timeout", "stable-for", "request-rate", "require-proof", "breaking-changes", "smoke", "openapi-reference"}
)
"""Inputs that doctor does not need."""

_INVALID = 2


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.epilog = (
        "Inputs without a flag are read from the environment: INPUT_HEALTH_PATH and the like for every input, and "
        "WATCHTOWER_UPDATE_URL, WATCHTOWER_HTTP_API_TOKEN and GITHUB_TOKEN. Secrets have no flag, because every process "
        "can read command lines; if the token is not set, doctor asks for it, unless a config file is given. Exit code 0: "
        "ready; 1: not ready; 2: an input is wrong."
    )
    inputs = parser.add_argument_group("inputs", "The action's inputs; README.md says what each means.")
    for name, default in DEFAULTS.items():
        if name not in _NOT_ASKED | SECRET:
            inputs.add_argument(
                f"--{name}", metavar="TEXT", default="", help=f"default: {default}" if default else None
            )


def run(arguments: argparse.Namespace) -> int:
    """Examine the chain, show what was found, and return the exit code of the verdict."""
    environment = inputs_of(vars(arguments), os.environ)
    # A config file says for each host which variable has its token.
    if not environment["INPUT_WATCHTOWER-TOKEN"] and not environment["INPUT_CONFIG"] and sys.stdin.isatty():
        environment["INPUT_WATCHTOWER-TOKEN"] = getpass.getpass("Watchtower's token: ")
    hidden = secrets_in(environment)
    redact, safe = redactor(hidden), safeguard(hidden)
    from redeploy.http.client import check_certificate

    workspace = Workspace(lambda path, cap: _read(path, cap).decode("utf-8", "replace"), check_certificate)
    try:
        if environment["INPUT_CONFIG"]:
            from redeploy.settings.config.load import load

            loaded = load(environment, _read, workspace)
            hidden = (*hidden, *loaded.secrets)
            redact, safe = redactor(hidden), safeguard(hidden)
            plan = loaded.only
        else:
            plan = parse(environment, workspace)
    except InvalidInputsError as error:
        for problem in error.problems:
            text = safe(_sentence(problem, environment))
            columns = max(shutil.get_terminal_size().columns, 40) if sys.stderr.isatty() else len(text) + 1
            sys.stderr.write(f"{textwrap.fill(text, columns - 1, break_long_words=False, break_on_hyphens=False)}\n")
        return _INVALID
    for each in plan.warnings:
        sys.stderr.write(f"warning: {safe(each)}\n")
    from redeploy.doctor.run import doctor
    from redeploy.doctor.terminal import screen

    found = doctor(plan, environment, redact, lambda _: None)
    columns = shutil.get_terminal_size().columns
    sys.stdout.write(safe(screen(found.chain, columns, coloured=_uses_colour(os.environ))))
    return found.conclusion.exit_code


def inputs_of(flags: Mapping[str, object], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that a runner would give: flags first, then `INPUT_` variables, then the usual names."""
    found = dict(environment)
    for name in DEFAULTS:
        upper = name.upper()
        asked = (
            str(flags.get(name.replace("-", "_"), "") or ""),
            environment.get(f"INPUT_{upper}", ""),
            environment.get(f"INPUT_{upper.replace('-', '_')}", ""),  # a shell can set no name with a hyphen
            environment.get(VARIABLES.get(name, ""), ""),
        )
        found[f"INPUT_{upper}"] = next((each for each in asked if each.strip()), "")
    found["INPUT_MODE"] = "doctor"
    return found


def _sentence(problem: Problem, environment: Mapping[str, str]) -> str:
    """Return what is wrong with an input; if it is missing, how to set it at a terminal instead of in a workflow."""
    name = problem.input
    if problem.place:
        return f"{problem.where}: {problem.sentence}"
    if name not in VARIABLES or environment[f"INPUT_{name.upper()}"]:
        return f"{name}: {problem.message}{'' if problem.message.endswith('?') else '.'}"
    return f"{name}: is empty; set {VARIABLES[name]}{'' if name in SECRET else f', or pass --{name}'}."


def _read(path: str, cap: int) -> bytes:
    """Return the content of a file that the user names."""
    try:
        text = Path(path).read_bytes()
    except OSError as error:
        msg = f"names a file that cannot be read ({os.strerror(error.errno or 0)})"
        raise ValueError(msg) from error
    if len(text) > cap:
        msg = f"names a file of more than {cap // 1024 // 1024} MiB"
        raise ValueError(msg)
    return text


def _uses_colour(environment: Mapping[str, str]) -> bool:
    """Return whether to use colours: at a terminal that has them, unless NO_COLOR is set (no-color.org)."""
    return sys.stdout.isatty() and not environment.get("NO_COLOR") and environment.get("TERM", "dumb") != "dumb"
