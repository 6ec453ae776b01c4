"""Runs whose services and hosts a file of the workspace describes."""

from sandbox.scenarios.scenario import story
from sandbox.server.builds import V2
from sandbox.worlds import Scene

FILE = ".github/redeploy.yml"

_RIGHT = f"""\
defaults: {{timeout: 6s, stable-for: 1s, request-timeout: 2s}}
services:
  api:
    base-url: "${{ORIGIN}}"
    version-path: /api/dev/status
    expect-version: {V2.git_sha}
    smoke:
      - GET /api/ready
      - {{request: "!POST /api/cache/purge", status: [202], headers: {{X-Test: "1"}}, body: {{name: a}}, max-latency: 2s}}
hosts:
  eu: {{watchtower-url: "${{EU_URL}}", watchtower-token: "${{EU_TOKEN}}"}}
"""

_WRONG = """\
services:
  api:
    timeout: soon
    health-pth: /api/ready
    expect-version: "${NOT_SET}"
hosts:
  eu: {watchtower-url: "${EU_URL}", watchtower-token: "not-a-variable-but-a-secret"}
waves: [[eu], [us]]
"""

_OF_EU = {"ORIGIN": "{origin}", "EU_URL": "{update}", "EU_TOKEN": "{token}"}

SCENARIOS = (
    story(
        "config-file",
        "A file describes the service and its host",
        "One service of a file runs as the inputs would have it run, with a body in a smoke request.",
    )
    .plays(Scene(), {"config": FILE})
    .ends(
        "deployed",
        proof="version",
        result="updated",
        files={FILE: _RIGHT},
        variables=_OF_EU,
        asked={"POST /api/cache/purge": 1},
        unremarked=True,
    ),
    story(
        "config-file-wrong",
        "A file with several mistakes",
        "Every mistake is an annotation at its line, in one run, and nothing is sent.",
    )
    .plays(Scene(), {"config": FILE})
    .ends(
        "invalid-config",
        triggers=0,
        silent=True,
        files={FILE: _WRONG},
        variables=_OF_EU,
        places=((FILE, 3), (FILE, 4), (FILE, 5), (FILE, 7), (FILE, 8)),
        says=("`${NOT_SET}`", "did you mean `health-path`?", "which is not a host"),
        shown=(f"{FILE}:3:14",),
    ),
)
