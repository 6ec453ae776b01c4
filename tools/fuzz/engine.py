"""One target under atheris, guided by coverage of the action: `python -m tools.fuzz.engine TARGET [libFuzzer's flags]`.

It runs only in the environment of `requirements/fuzz.txt`.
"""

import sys

import atheris


def main() -> None:
    """Fuzz the target that the first argument names."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["redeploy"]):
        from tools.fuzz.targets import TARGETS
    atheris.Setup(sys.argv, TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
