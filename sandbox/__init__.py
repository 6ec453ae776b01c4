"""A production environment on loopback: a service, its Watchtower, the proxies in front of them, and GitHub's runner.

`python -m sandbox` is the demo; the scenario tests use the same worlds. The product does not import it.
"""
