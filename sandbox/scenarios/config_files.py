"""Scenarios whose services and hosts are described in a file of the workspace."""

from dataclasses import replace

from sandbox.scenarios.scenario import Earlier, story
from sandbox.server.builds import V1, V2
from sandbox.worlds import Neighbour, Scene, World

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

_SICK = replace(V2, readiness="never")

_SERVICES = """\
defaults: {version-path: /api/dev/status, timeout: 8s, stable-for: 1s, request-timeout: 2s, openapi-path: "off"}
services:
  api: {base-url: "${API}", container: api}
  web: {base-url: "${WEB}", container: web, smoke: [GET /api/ready]}
  jobs: {base-url: "off", container: jobs}
hosts:
  eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}"}
"""
_OF_SERVICES = {"API": "{origin}", "WEB": "{web:origin}", "EU_URL": "{update}", "EU_TOKEN": "{token}"}
_JOBS = Neighbour(image="registry.test/o/jobs:latest")

_UNTRIGGERED = """\
defaults: {version-path: /api/dev/status, timeout: 12s, stable-for: 1s, request-timeout: 2s, openapi-path: "off"}
services:
  api: {base-url: "${API}"}
  web: {base-url: "${WEB}"}
"""
_LOOK = {"config": FILE, "mode": "verify"}


def _deploy_both(world: World) -> None:
    """Let another deployer replace both services, and wait until it is done."""
    for container in world.host.containers:
        container.replace(world.host.registry.pull(container.image), grace=1.0, gap=0.2)


_TO_STABLE = """\
defaults: {version-path: /api/dev/status, timeout: 8s, stable-for: 1s, request-timeout: 2s, openapi-path: "off"}
services:
  api: {base-url: "${API}", image: "${API_IMAGE}", rollback-to: stable}
  web: {base-url: "${WEB}", image: "${WEB_IMAGE}", rollback-to: stable}
hosts:
  eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}"}
"""
_OF_BOTH = {**_OF_SERVICES, "API_IMAGE": "{image}", "WEB_IMAGE": "{registry}/o/web:latest"}


def _keep_stable(world: World) -> None:
    """Tag the build before the live one."""
    for container in world.host.containers:
        world.host.push(V1, f"{container.repository}:stable")


_ONLY_JOBS = """\
services:
  jobs: {base-url: "off", container: jobs, timeout: 8s, stable-for: 1s}
hosts:
  eu: {watchtower-url: "${EU_URL}", watchtower-token: "${EU_TOKEN}"}
"""
_OF_JOBS = {"EU_URL": "{update}", "EU_TOKEN": "{token}"}

_FLEET = (
    """\
defaults: {version-path: /api/dev/status, timeout: 8s, stable-for: 1s, request-timeout: 2s, openapi-path: "off"}
services:
  api: {expect-version: "VERSION", on-failure: rollback}
  web: {health-path: /api/ready}
hosts:
""".replace("VERSION", V2.git_sha)
    + "".join(
        f"""\
  {host}:
    watchtower-url: "${{{variable}_URL}}"
    watchtower-token: "${{{variable}_TOKEN}}"
    services:
      api: {{base-url: "${{{variable}_API}}", image: "${{{variable}_IMAGE}}"}}
      web: {{base-url: "${{{variable}_WEB}}"}}
"""
        for host, variable in (("canary", "CANARY"), ("eu", "EU"), ("us", "US"))
    )
    + "waves: [[canary], [eu, us]]\n"
)
_OF_FLEET = {
    f"{host.upper()}_{name}": f"{{{prefix}{value}}}"
    for host, prefix in (("canary", ""), ("eu", "eu:"), ("us", "us:"))
    for name, value in (
        ("URL", "update"),
        ("TOKEN", "token"),
        ("API", "origin"),
        ("WEB", "web:origin"),
        ("IMAGE", "image"),
    )
}
_HOST = Scene(details=True, image="{registry}/o/api:latest", neighbours={"web": Neighbour()})
_TO_PUT_BACK = Neighbour(before=V2, pushed=None, image="{registry}/o/web:latest")

SCENARIOS = (
    story(
        "config-file",
        "A file describes the service and its host",
        "One service in a file works as with inputs, and a smoke request can have a body.",
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
        "Every mistake becomes an annotation at its line, in one run, and no request is sent.",
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
    story(
        "services",
        "Three services behind one Watchtower",
        "One trigger updates two services and a worker; each is proven separately.",
    )
    .plays(Scene(details=True, neighbours={"web": Neighbour(), "jobs": _JOBS}), {"config": FILE})
    .ends(
        "deployed",
        proof="change",
        result="updated",
        files={FILE: _SERVICES},
        variables=_OF_SERVICES,
        shown=("| Service | Before | After |", "eu/jobs"),
    ),
    story(
        "services-one-sick",
        "One of three services does not become ready",
        "The others are still proven, and the page of the failed one is folded below the table.",
    )
    .plays(Scene(details=True, neighbours={"web": Neighbour(pushed=_SICK), "jobs": _JOBS}), {"config": FILE})
    .ends(
        "unhealthy",
        "never-ready",
        result="updated",
        failed=None,
        files={FILE: _SERVICES},
        variables=_OF_SERVICES,
        shown=("1 of 3 services", "<summary>eu/web: unhealthy"),
    ),
    story(
        "services-after-deployer",
        "Two services that another deployer replaces",
        "Each is compared with its own part of the earlier step's report, and each change is proven.",
    )
    .plays(Scene(neighbours={"web": Neighbour()}), {**_LOOK, "wait-for-build": "true", "baseline": "{baseline}"})
    .ends(
        "verified",
        proof="change",
        triggers=0,
        outputs={"version": V2.git_sha, "previous-version": V1.git_sha},
        files={FILE: _UNTRIGGERED},
        variables=_OF_SERVICES,
        earlier=(Earlier(_LOOK, _deploy_both),),
        unremarked=True,
    ),
    story(
        "services-rollback",
        "Two services are rolled back on request",
        "Mode rollback takes one service after the other, and proves the image of each.",
    )
    .plays(
        replace(_HOST, before=V2, pushed=None, neighbours={"web": _TO_PUT_BACK}, finish=_keep_stable),
        {"config": FILE, "mode": "rollback"},
    )
    .ends(
        "deployed",
        proof="digest",
        triggers=2,
        outputs={"version": V1.git_sha, "previous-version": V2.git_sha, "rolled-back": "true"},
        files={FILE: _TO_STABLE},
        variables=_OF_BOTH,
        shown=("eu/api", "eu/web"),
    ),
    story(
        "worker",
        "A worker without an address",
        "Its container proves the build; no request is sent to a service.",
    )
    .plays(Scene(details=True, neighbours={"jobs": _JOBS}), {"config": FILE})
    .ends(
        "deployed",
        proof="change",
        result="updated",
        files={FILE: _ONLY_JOBS},
        variables=_OF_JOBS,
        asked={"GET /api/ready": 0},
        unremarked=True,
    ),
    story(
        "worker-verified",
        "Verify: a worker runs",
        "Nothing is triggered; Watchtower lists the container of the worker.",
    )
    .plays(Scene(details=True, neighbours={"jobs": _JOBS}), {"config": FILE, "mode": "verify"})
    .ends("verified", triggers=0, files={FILE: _ONLY_JOBS}, variables=_OF_JOBS, unremarked=True),
    story(
        "worker-doctor",
        "Doctor examines the chain of a worker",
        "Only Watchtower's part of the chain is examined.",
    )
    .plays(Scene(details=True, metrics=True, neighbours={"jobs": _JOBS}), {"config": FILE, "mode": "doctor"})
    .is_ready(files={FILE: _ONLY_JOBS}, variables=_OF_JOBS),
    story(
        "fleet",
        "Two services on three hosts; the canary fails and is rolled back",
        "The first wave has one host. Its service fails and is rolled back, and the other hosts are not touched.",
    )
    .plays(replace(_HOST, pushed=_SICK, others={"eu": _HOST, "us": _HOST}), {"config": FILE})
    .ends(
        "rolled-back",
        "never-ready",
        triggers=2,
        failed=None,
        outputs={"rolled-back": "true"},
        files={FILE: _FLEET},
        variables=_OF_FLEET,
        says=("so 4 services were not started: eu/api, eu/web, us/api, us/web",),
        shown=("eu/web", "earlier-wave"),
    ),
)
