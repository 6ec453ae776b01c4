"""Measurements that anyone can run: `python -m tools.bench`."""
