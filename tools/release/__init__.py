"""The steps of a release: `python -m tools.release --help`."""
