"""Renders `slim/action.yml`: the inputs and outputs of `action.yml`, around steps that need no container."""

import re
from pathlib import Path

import yaml

_ROOT = Path(__file__).parents[2]

_HEAD = """\
# Rendered from action.yml by `make docs`. The same action for runners without Docker: it installs what
# requirements/runtime.txt locks, and nothing else, for a Python that is there. docs/runners.md says when to use which.
name: Redeploy with proof, without Docker
description: The same as leok974/redeploy-action, for runners that cannot run container actions. Needs Python 3.11 or newer.
author: leok974

"""

_STEPS = r"""
runs:
  using: composite
  steps:
    # It knows no input, so that nothing of what is installed could read one.
    - name: Install what is locked
      id: set-up
      shell: bash
      run: |
        for python in python3 python python3.14 python3.13 python3.12 python3.11; do
          if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then
            found=$python
            break
          fi
        done
        if [ -z "${found:-}" ]; then
          echo "::error title=Python is missing::This runner has no Python 3.11 or newer. Put a step with" \
            "actions/setup-python and python-version 3.13 before this one."
          exit 1
        fi
        place=$RUNNER_TEMP/redeploy-action
        if ! "$found" -I "$GITHUB_ACTION_PATH/../requirements/install.py" --lean "$place" \
          "$GITHUB_ACTION_PATH/../requirements/runtime.txt"; then
          echo "::error title=The set-up failed::The packages of the action could not be installed on this runner. The log" \
            "above says why and what to do. On Linux with Docker, leok974/redeploy-action needs no set-up."
          exit 1
        fi
        for python in "$place/bin/python" "$place/Scripts/python.exe"; do
          if [ -e "$python" ]; then
            echo "python=$python" >> "$GITHUB_OUTPUT"
          fi
        done

    - name: Redeploy
      id: redeploy
      shell: bash
      run: exec "$REDEPLOY_PYTHON" -I -u "$GITHUB_ACTION_PATH/../entrypoint.py"
      env:
        REDEPLOY_PYTHON: ${{ steps.set-up.outputs.python }}
        MSYS2_ENV_CONV_EXCL: INPUT_ # bash on Windows takes /api/ready for a file, and would put its own folder before it
"""


def action() -> str:
    """Return the composite action. Its inputs are those of `action.yml`, word for word."""
    text = (_ROOT / "action.yml").read_text(encoding="utf-8")
    inputs = text[text.index("\ninputs:\n") + 1 : text.index("\noutputs:\n") + 1]
    declared = yaml.safe_load(text)
    parts = re.split(r"(?m)^(?=  [a-z-]+:$)", text[text.index("\noutputs:\n") + 1 : text.index("\nruns:\n") + 1])
    outputs = parts[0]
    for name, part in zip(declared["outputs"], parts[1:], strict=True):
        outputs += part.rstrip("\n") + f"\n    value: ${{{{ steps.redeploy.outputs.{name} }}}}\n"
    handed_on = [f"        INPUT_{name.upper()}: ${{{{ inputs.{name} }}}}\n" for name in declared["inputs"]]
    return _HEAD + inputs + outputs + _STEPS + "".join(handed_on)
