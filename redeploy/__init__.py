"""Redeploys a Docker host through Watchtower and proves that the new build is live."""

__version__ = "1.0.0"

ISSUES = "https://github.com/leok974/redeploy-action/issues/new"
"""Where to report a defect."""
