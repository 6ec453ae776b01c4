"""An embedded production on loopback: a service, its Watchtower, what stands in front of them, and GitHub's runner.

`python -m sandbox` is the demo; the scenario tests use the same worlds. Nothing of the product imports it.
"""
