"""Responses of a service that names its build."""

import json

from redeploy.http.response import Response

OLD, NEW = "1" * 40, "2" * 40


def names(build: str) -> Response:
    """Return a healthy response that names its build."""
    return Response(
        200, {"content-type": "application/json"}, json.dumps({"status": "ready", "commit": build}).encode()
    )
