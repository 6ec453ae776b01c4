"""`python -m redeploy token`: a new token, or how to replace the one in use."""

import argparse
import secrets
import sys

from redeploy.core.rotation import FROM_GITHUB, FROM_THE_SERVER, steps

SIZE = 32
"""Bytes of chance in a token."""


def declare(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument(
        "--rotate",
        nargs="?",
        const=FROM_THE_SERVER,
        choices=(FROM_THE_SERVER, FROM_GITHUB),
        metavar="FROM",
        help="print the steps that replace the token in use, instead: from `server`, where somebody logs in (the default), "
        "or from `github`, where deploy-secrets-nightly.yml brings secrets to the server",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a token that needs no quotes in any file, header or URL, or the steps."""
    sys.stdout.write(steps(arguments.rotate) if arguments.rotate else f"{secrets.token_urlsafe(SIZE)}\n")
    return 0
