"""The page and the JSON Schema of the config file, rendered from the tables with which the action reads it."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path

import yaml

from redeploy.settings.config.hosts import MOST_SERVICES
from redeploy.settings.config.keys import ID, schema
from redeploy.settings.config.load import BESIDE
from redeploy.settings.config.plans import OFF
from redeploy.settings.config.source import CAP, MOST_NESTED, MOST_VALUES
from redeploy.settings.defaults import DEFAULTS, LISTED, NAMED_VALUES, OF_HOST, of_service
from tools.docs.build_names import NOTE

_ROOT = Path(__file__).parents[2]
EXAMPLE = "examples/config/redeploy.yml"


def _described() -> dict[str, str]:
    inputs = yaml.safe_load((_ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    return {name: " ".join(each["description"].split()) for name, each in inputs.items()}


def json_schema() -> str:
    """Return the schema with which editors complete and validate a file."""
    described = _described()
    return json.dumps(schema(lambda name: described[name]), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Return the page on the config file."""
    example = (_ROOT / EXAMPLE).read_text(encoding="utf-8").rstrip()
    lines = [NOTE, "", "# The config file", ""]
    lines += [_INTRODUCTION, "", "```yaml", *example.splitlines(), "```", ""]
    lines += [
        f"[That file]({'../' + EXAMPLE}) is in `examples/`, and so is [a workflow](../examples/several-services.yml) that",
        f"runs it. Its first line lets editors complete and check it by [the JSON Schema]({ID.rpartition('/')[2]}).",
        "",
    ]
    lines += ["## Keys", "", _KEYS, "", *_table(of_service())]
    lines += [
        "A host has these keys, and `services`: a list of names, or a mapping with keys that hold at this host.",
        "",
    ]
    lines += [*_table(OF_HOST), _HOSTS, ""]
    lines += ["## How it is read", "", _READING, "", "## Beside it", "", _beside(), ""]
    lines += ["## Smoke requests", "", _SMOKE, ""]
    lines += ["## Several services and hosts", "", _SEVERAL, ""]
    lines += ["## Workers", "", _WORKERS, ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(names: Sequence[str]) -> list[str]:
    rows = ["| key | default | may be a |", "|---|---|---|"]
    for name in names:
        kinds = "list or text" if name in LISTED else "mapping or text" if name in NAMED_VALUES else "text"
        default = f"`{DEFAULTS[name]}`" if DEFAULTS[name] else ""
        rows.append(f"| [`{name}`](../README.md#inputs) | {default} | {kinds} |")
    return [*rows, ""]


def _beside() -> str:
    names = ", ".join(f"`{name}`" for name in DEFAULTS if name in BESIDE and name != "config")
    text = (
        f"These inputs may be given with `config`: {names}. `watchtower-url`, `watchtower-token` and `containers-url` "
        "only where the file has no `hosts`. Any other input is an error that names the key to use. `services` chooses "
        "services by name; variables that only the others read need not be set. Of the report in `baseline`, each service "
        "takes the part under its own name."
    )
    return textwrap.fill(text, 125, break_long_words=False, break_on_hyphens=False)


_INTRODUCTION = """\
`config: .github/redeploy.yml` names a YAML file in the workspace that describes services, hosts and richer checks. One
service of a file behaves exactly as the inputs would have it behave; a smoke request can say more than one line can.
`python3 -m redeploy init` with `--service` for each service writes such a file."""

_SEVERAL = """\
**One host, several services.** One trigger updates all of them. It is narrowed to their images if every service names
one, to their containers if every service names containers and none names an image, and else not at all. Each service
is watched, proven and checked side by side, with its own evidence, window and verdict. Services of one origin share
its bucket in turn, and the lowest `request-rate` counts; if that is too low for all of them, the log says before the
trigger which one, or which `timeout`, would do. A service that could then not be watched ends `unhealthy` with the
reason `throttled`, and nothing is put back for it. Where one service cannot be proven at all (its image is missing,
or nothing lists its digest), its host is not triggered.

**Waves.** The hosts of a wave are updated side by side, at most `max-parallel` at once. A wave begins once every service
of the one before is green; what is not reached is `not-started` with the reason `earlier-wave`. `timeout` begins with
each host.

**The run's verdict** is the worst of all services, and so is the exit code. The outputs are those of the first worst
service; `services` and `report` have all of them, by `service` or by `host/service`, and the summary has a table of them,
with the page of each that is not green folded below it.

**Rollback.** Where a service that says `on-failure: rollback` fails, its image reference is put back, with every service
of the run that uses it and had moved, green ones and earlier waves included: one write, then one trigger for each host,
the last wave first. Services with another image stay where they are, unless they failed as well. Where hosts ran
different digests of the reference before, nothing is written.

Modes `doctor` and `rollback` take one service after the other. At a terminal, in a checkout of this project in which
`make setup` was run once, this says all that is wrong with the file, and examines that service:
`.venv/bin/python -m redeploy doctor --config ../my-service/.github/redeploy.yml --services api`.

GitHub's own [matrix](../examples/matrix.yml) is the better choice where hosts need environments of their own, approvals
between waves, or a job each."""

_KEYS = """\
A service has a name of 1 to 40 lower-case letters, digits and hyphens, and the inputs that speak of one service as keys,
with the same meaning and default. The nearest one counts: the key under a host's service, then the service's own, then
`defaults`, then the input, then its default. Lists and mappings replace each other and are never merged."""

_HOSTS = """\
A host without its own `headers`, `ca-certificate` or `allow-http` has those of the inputs. `waves` are lists of hosts, each
host in one of them; without `waves` all hosts are one wave."""

_READING = f"""\
- **Every text stays as it is written**: `1.10`, `off`, `no` and `2026-01-20` are words. Only the `body` of a smoke request
  has numbers, booleans and null.
- **`${{NAME}}`** is a variable of the step (`env:`), put in once. `$${{` is a literal `${{`. One that is not set or is empty
  is an error; so are names that begin with `INPUT_`, `ACTIONS_`, `RUNNER_` or `STATE_`, and `${{{{ }}}}`, which GitHub
  expands in workflows only.
- **Secrets are not written into a file.** `watchtower-token` and `registry-password` are exactly one `${{NAME}}`. Headers
  named Authorization, Cookie, Proxy-Authorization or CF-Access-Client-*, and those with token, secret, password or key in
  their names, hold at least one.
- **Paths stay inside the workspace**; links that lead out of it are refused.
- **Quotes are needed** around a text that begins with `!`, `{{`, `[`, `*`, `&`, `?`, `%`, `@`, `|` or `>`, or holds `: ` or
  ` #`.
- The file has at most {CAP // 1024 // 1024} MiB, {MOST_NESTED} levels and {MOST_VALUES:,} values, and an alias counts
  with all that it repeats; all hosts together have at most {MOST_SERVICES:,} services. Tags and merge keys are refused. A
  key that is given twice or is not known is an error.
- **Every problem is found in one run**, before anything is sent: `invalid-config`, with an annotation at the line of each.
  GitHub shows ten; the log and the job summary have all."""

_SMOKE = """\
An item of `smoke` is a line [as in the input](checks.md#smoke-requests), or a mapping:

| key | meaning |
|---|---|
| `request` | `METHOD PATH`, with `!` before it where it may change something on the server, as in the input |
| `status` | the expected status, or a list of them; 2xx if it is left out |
| `expect` | a [condition](conditions.md), or a list of which all must hold |
| `headers` | headers of this request; they win over all others |
| `body` | what is sent: text as it is, all else as JSON; `Content-Type` says which, unless `headers` give it |
| `max-latency` | how long the response may take, such as `800ms` |
| `warn` | `true` makes a failure a warning |"""

_WORKERS = f"""\
A service that no address leads to says `base-url: {OFF}` and names its `image` or its `container`. Watchtower's containers
endpoint proves it. Keys that need requests to the service are errors for it; `defaults` of that kind are ignored."""
