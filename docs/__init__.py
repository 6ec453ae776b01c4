"""The pages that are rendered from the code: `python -m docs` writes them, and a test compares."""
