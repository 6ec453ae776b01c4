"""What the container starts: `python -I -u /app/entrypoint.py`."""

import _signal  # type: ignore[import-not-found]  # `signal` takes longer to load than all that happens up to its handlers
import gc
import os
import sys

# What is loaded stays in use: searching it for garbage again and again takes a tenth of the time to the first request.
gc.set_threshold(50_000)

# From here, signals wait until `main` can end the run: Python's own way to end would leave no outputs. Windows cannot block
# signals.
if sys.platform != "win32":
    _signal.pthread_sigmask(_signal.SIG_BLOCK, (_signal.SIGINT, _signal.SIGTERM))

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib takes longer to load than the rest

from redeploy.cli import main  # noqa: E402 - signals first

if __name__ == "__main__":
    sys.exit(main())
