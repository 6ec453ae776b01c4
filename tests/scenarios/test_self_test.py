"""The nightly self-test: its job results are served as a document, and the action opens one issue while one is red."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.network.github import GitHub
from sandbox.runner.launchers import FromCheckout
from sandbox.runner.runner import Runner

PROJECT = Path(__file__).resolve().parents[2]
JOBS: dict[str, Any] = yaml.safe_load((PROJECT / ".github/workflows/self-test-nightly.yml").read_text())["jobs"]
GREEN = {"published": "success", "image": "success", "slim": "success"}


class Results(BaseHTTPRequestHandler):
    """Responds with the results of the jobs, in the form of GitHub's context `needs`."""

    jobs: dict[str, str] = GREEN

    def do_GET(self) -> None:  # the name that http.server calls
        found = self.path.partition("?")[0] == "/results.json"
        body = json.dumps({name: {"result": result, "outputs": {}} for name, result in self.jobs.items()}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture
def results() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Results) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_job_that_fails_opens_one_issue_and_the_next_green_night_closes_it(
    results: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = JOBS["report"]
    assert set(report["needs"]) == set(GREEN) == JOBS.keys() - {"report"}
    given = report["steps"][-1]["with"] | {"base-url": results}
    github = GitHub()
    github.listen()
    runner = Runner(PROJECT, FromCheckout(Path(sys.executable)), github={"GITHUB_API_URL": github.api_url})

    def night(**jobs: str) -> str:
        monkeypatch.setattr(Results, "jobs", GREEN | jobs)
        run = runner.run(given)
        assert run.problems == (), run.log
        return run.outputs["verdict"]

    try:
        assert night() == "verified"
        assert github.issues.documents == []
        assert night(slim="failure") == "unhealthy"
        [issue] = github.issues.documents
        assert (issue["title"], issue["state"]) == ("The nightly self-test fails", "open")
        assert "slim.result" in issue["body"]
        assert night(slim="failure", image="cancelled") == "unhealthy"
        assert len(github.issues.documents) == 1
        assert night() == "verified"
        assert issue["state"] == "closed"
    finally:
        github.close()
