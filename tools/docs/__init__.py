"""The pages that are rendered from the code: `python -m tools.docs` writes them, and a test compares them."""
