"""What the container starts: `python -I -u /app/entrypoint.py`."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))  # -I keeps the script's own folder off the path

from redeploy.cli import main

if __name__ == "__main__":
    sys.exit(main())
