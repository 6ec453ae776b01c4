"""What a release does, step by step: `python -m tools.release --help`."""
