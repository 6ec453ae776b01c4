"""The steps of a release: `python -m tools.release STEP VERSION ...`. `.github/workflows/release.yml` runs them in order."""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tools.release import changelog, engine, metadata, sbom, steps
from tools.release.checkout import Checkout
from tools.release.version import RefusedError, Version, parse

_CHECKOUT = Checkout(Path(__file__).parents[2])


def main() -> int:
    """Run one step, and return the exit code."""
    options = _options()
    try:
        options.step(parse(options.version), options)
    except RefusedError as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    except subprocess.CalledProcessError as failed:
        sys.stderr.write(f"`{failed.cmd}` failed with exit code {failed.returncode}.\n{failed.stderr or ''}")
        return 1
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="The steps of a release.")
    choices = parser.add_subparsers(metavar="STEP", required=True)

    def step(name: str, does: object, purpose: str) -> argparse.ArgumentParser:
        one = choices.add_parser(name, help=purpose)
        one.set_defaults(step=does)
        one.add_argument("version", help="such as 1.2.3")
        return one

    step("check", _check, "check that the tree may be released as that version")
    step("notes", _notes, "print what CHANGELOG.md says of it")
    push = step("push", _push, "push an image for one platform, and give its digest")
    push.add_argument("--image", required=True, help="the image that was built")
    index = step("index", _index, "join the images of all platforms, and give the index's digest")
    index.add_argument("--digest", action="append", required=True, help="of an image; once for each platform")
    bill = step("sbom", _sbom, "write the bill of materials")
    bill.add_argument("--index", required=True, help="the digest that it is about")
    bill.add_argument("--digest", action="append", required=True, help="PLATFORM=DIGEST; once for each platform")
    bill.add_argument("--output", type=Path, required=True, help="the file to write")
    smoke = step("smoke", _smoke, "use the published image as a runner does")
    smoke.add_argument("--index", required=True, help="its digest")
    commit = step("commit", _commit, "make the commit whose action.yml runs the published image, and give its name")
    commit.add_argument("--index", required=True, help="its digest")
    move = step("move", _move, "move the image's tag of the major version")
    move.add_argument("--index", required=True, help="the digest to which it must point")
    move.add_argument("--digest", action="append", required=True, help="of an image; once for each platform")
    rehearse = step("rehearse", _rehearse, "go through everything but the pushes")
    rehearse.add_argument("--base-image", default="", help="the base image")
    rehearse.add_argument("--build-flags", default="", help="for docker build")
    rehearse.add_argument("--no-checks", action="store_true", help="leave out lint and tests")
    return parser.parse_args()


def _check(version: Version, _: argparse.Namespace) -> None:
    print("\n".join(steps.check(_CHECKOUT, version, _CHECKOUT.published_tags())))


def _notes(version: Version, _: argparse.Namespace) -> None:
    print(changelog.notes((_CHECKOUT.folder / "CHANGELOG.md").read_text(encoding="utf-8"), version), end="")


def _push(version: Version, options: argparse.Namespace) -> None:
    platform = engine.platform()
    _give(platform, engine.push(options.image, f"{metadata.IMAGE}:{version}-{platform}"))


def _index(version: Version, options: argparse.Namespace) -> None:
    digest = engine.push_index(f"{metadata.IMAGE}:{version}", options.digest)
    found = engine.platforms(f"{metadata.IMAGE}@{digest}")
    if len(found) != len(options.digest):
        raise RefusedError(f"The index {digest} has the platforms {sorted(found)}: {len(options.digest)} were pushed.")
    _give("digest", digest)


def _sbom(version: Version, options: argparse.Namespace) -> None:
    held = steps.contents(metadata.IMAGE, dict(each.split("=", 1) for each in options.digest))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = sbom.document(version, metadata.IMAGE, options.index, held, now)
    options.output.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _smoke(version: Version, options: argparse.Namespace) -> None:
    from tools.release import smoke  # the sandbox needs packages that no other step needs

    reference = f"{metadata.IMAGE}@{options.index}"
    engine.pull(reference)
    with tempfile.TemporaryDirectory() as folder:
        text = metadata.with_image((_CHECKOUT.folder / "action.yml").read_text(encoding="utf-8"), reference)
        (Path(folder) / "action.yml").write_text(text, encoding="utf-8")
        print(f"{version} on {engine.platform()}")
        smoke.play(Path(folder), smoke.GREEN_AND_RED, print)


def _commit(version: Version, options: argparse.Namespace) -> None:
    _give("commit", steps.release_commit(_CHECKOUT, version, f"{metadata.IMAGE}@{options.index}"))


def _move(version: Version, options: argparse.Namespace) -> None:
    steps.move_tag(metadata.IMAGE, version, options.index, options.digest)


def _rehearse(version: Version, options: argparse.Namespace) -> None:
    from tools.release.rehearsal import Rehearsal  # as above

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    rehearsal = Rehearsal(_CHECKOUT, version, port, lambda text: print(text, flush=True))
    rehearsal.run(options.base_image, options.build_flags, checks=not options.no_checks)
    print(f"\nNothing that was tried keeps {version} from being released.")


def _give(name: str, value: str) -> None:
    """Print a value, and set it as an output for later steps."""
    print(value)
    place = os.environ.get("GITHUB_OUTPUT")
    if place:
        with Path(place).open("a", encoding="utf-8") as outputs:
            outputs.write(f"{name}={value}\n")


if __name__ == "__main__":
    sys.exit(main())
