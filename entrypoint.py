"""What the container starts: `python -I -u /app/entrypoint.py`."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib takes longer to load than the rest

from redeploy.cli import main

if __name__ == "__main__":
    sys.exit(main())
