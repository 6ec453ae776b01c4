"""`python -m redeploy token`: a new token, or how to replace the one in use."""

import argparse
import secrets
import sys
from pathlib import Path

from redeploy.setup.places import SHIPPED_NAME
from redeploy.setup.questionnaire import environment, name
from redeploy.setup.token_rotation import FROM_GITHUB, FROM_THE_SERVER, steps

UNFIT = 2
SIZE = 32
"""Random bytes in a token."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--rotate",
        nargs="?",
        const=FROM_THE_SERVER,
        choices=(FROM_THE_SERVER, FROM_GITHUB),
        metavar="FROM",
        help="print the steps that replace the token in use instead: from `server`, if you log in there (the default), or "
        "from `github`, if deploy-secrets-nightly.yml brings secrets to the server",
    )
    parser.add_argument(
        "--name", help="with --rotate: the service's name in `init` (default: from the compose file in ./deploy)"
    )
    parser.add_argument(
        "--environment",
        default="production",
        help="with --rotate: the GitHub environment with the secrets, or `none` (production)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a token that needs no quotes in any file, header or URL, or the steps."""
    if not arguments.rotate:
        sys.stdout.write(f"{secrets.token_urlsafe(SIZE)}\n")
        return 0
    given, problems = {"name": arguments.name or _name_here(), "environment": arguments.environment}, []
    for flag, clean in (("name", name), ("environment", environment)):
        try:
            given[flag] = clean(given[flag])
        except ValueError as error:
            problems.append(f"--{flag} {error}.\n")
    if problems:
        sys.stderr.write("".join(problems))
        return UNFIT
    sys.stdout.write(steps(arguments.rotate, **given))
    return 0


def _name_here() -> str:
    """Return the name in that of the only compose file that `init` has written here; else that of the shipped one."""
    found = [each.name.split(".")[1].removesuffix("-prod") for each in Path("deploy").glob("docker-compose.*-prod.yml")]
    return found[0] if len(found) == 1 else SHIPPED_NAME
