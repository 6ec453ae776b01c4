"""The fuzz targets without an engine: their seeds, and every input that once broke something."""

import pytest

from tools.fuzz.targets import TARGETS

BROKE = [
    ("commands", b"a\r##[b\r##[c"),  # an output was cut, because an escaped command has one character more
]
"""Target and input; `make fuzz` says what to add here."""


@pytest.mark.parametrize(
    ("target", "data"),
    [(name, data) for name, target in TARGETS.items() for data in (b"", b"\xff\xfe\x00", *target.seeds)] + BROKE,
)
def test_every_fuzz_target_accepts_its_seeds_and_regressions(target: str, data: bytes) -> None:
    TARGETS[target].run(data)
