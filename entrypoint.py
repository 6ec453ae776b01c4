"""What the container starts: `python -I -u /app/entrypoint.py`."""

import _signal  # type: ignore[import-not-found]  # `signal` takes longer to load than all that happens up to its handlers
import os
import sys

# What comes now waits until `main` can end the run on it: Python's own ways to end leave no outputs behind.
_signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGTERM))

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib takes longer to load than the rest

from redeploy.cli import main  # noqa: E402 - signals first

if __name__ == "__main__":
    sys.exit(main())
