"""The job summaries as GitHub shows them: `python -m tools.preview` renders those of all scenarios into one page.

It is not shipped. `make screenshots` takes pictures of the same page with a browser.
"""
