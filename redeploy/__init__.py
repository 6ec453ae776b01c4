"""Redeploys a Docker host through Watchtower and proves that the new build is live."""

__version__ = "1.0.0"
