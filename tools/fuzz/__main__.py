"""Fuzzes every target for a share of the time; the exit code says whether one failed, or was too slow on an input."""

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.fuzz.targets import TARGETS

_SECONDS = 30.0
_LONGEST_INPUT, _SLOW = 4096, 2
"""The maximum bytes of an input, and the maximum whole seconds for one."""


def main() -> int:
    """Fuzz, or run one input again."""
    options = _options()
    if options.input:
        TARGETS[options.only[0]].run(options.input.read_bytes())
        print(f"{options.only[0]} takes {options.input}.")
        return 0
    names = options.only or list(TARGETS)
    cores = os.cpu_count() or 1
    rounds = -(-len(names) // cores)
    with ThreadPoolExecutor(cores) as pool:
        broken = list(pool.map(lambda name: _fuzz(name, max(1, int(options.seconds / rounds))), names))
    return int(any(broken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="for all targets together (default: 30)")
    parser.add_argument("--only", nargs=1, choices=list(TARGETS), metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--input", type=Path, metavar="FILE", help="run this input once; with --only")
    options = parser.parse_args()
    if options.input and not options.only:
        parser.error("--input needs --only TARGET")
    return options


def _fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target, show the input that broke it, and return whether there was one."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, found = Path(folder) / "corpus", Path(folder) / "found"
        corpus.mkdir()
        found.mkdir()
        for number, seed in enumerate(TARGETS[name].seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
        command = [sys.executable, "-m", "tools.fuzz.engine", name, f"-max_total_time={seconds}"]
        command += [f"-max_len={_LONGEST_INPUT}", f"-timeout={_SLOW}", f"-artifact_prefix={found}/", str(corpus)]
        ran = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = ran.stdout.decode("utf-8", "replace").splitlines()
        inputs = sorted(found.iterdir())
        print(f"{name}: {len(list(corpus.iterdir()))} inputs found new ways in {seconds} s", flush=True)
        if ran.returncode == 0 and not inputs:
            return False
        print("\n".join(output[-40:]))
        for path in inputs:
            print(f"{name} breaks with {path.name.partition('-')[0]} for {path.read_bytes()!r}")
        print(f"Add that input to `BROKE` in tests/unit/tools/test_fuzz.py, and see it fail there: {name}.", flush=True)
        return True


if __name__ == "__main__":
    sys.exit(main())
