"""The files of an image, read without running it."""

import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def files_of(image: str, *options: str) -> Iterator[tarfile.TarFile]:
    """Yield the files of an image, as in a container that was never started.

    Args:
        image: its tag or digest.
        options: those of `docker create`, such as `--platform`.

    Raises:
        subprocess.CalledProcessError: if the engine does not have the image and cannot pull it.
    """
    created = subprocess.run(["docker", "create", *options, image], check=True, capture_output=True, text=True)
    container = created.stdout.strip()
    try:
        with (
            subprocess.Popen(["docker", "export", container], stdout=subprocess.PIPE) as exporting,
            tarfile.open(fileobj=exporting.stdout, mode="r|") as archive,
        ):
            yield archive
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)
