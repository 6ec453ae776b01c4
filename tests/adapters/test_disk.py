"""Files are written completely or not at all, and private ones are never readable by others, not even briefly."""

import os
import threading
from pathlib import Path

import pytest

from redeploy.setup import disk


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("mode", [disk.PRIVATE, disk.PUBLIC])
@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_a_file_gets_its_mode_whatever_the_umask(tmp_path: Path, mode: int, mask: int) -> None:
    before = os.umask(mask)
    try:
        disk.write(tmp_path / "folder" / "file", "text", mode)
    finally:
        os.umask(before)
    assert _mode(tmp_path / "folder" / "file") == mode


def test_a_file_that_others_could_read_is_private_afterwards(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o644)
    assert not disk.is_private(file)
    disk.write(file, "new", disk.PRIVATE)
    assert disk.is_private(file)
    assert disk.read(file) == "new"


def test_a_concurrent_reader_sees_the_old_text_or_the_new_one(tmp_path: Path) -> None:
    file, texts, seen, done = tmp_path / "file", ["a" * 100_000, "b" * 100_000], set[str](), threading.Event()
    disk.write(file, texts[0], disk.PRIVATE)

    def read() -> None:
        while not done.is_set():
            seen.add(file.read_text())
            assert _mode(file) == disk.PRIVATE

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(200):
        disk.write(file, texts[turn % 2], disk.PRIVATE)
    done.set()
    reader.join()
    assert seen <= set(texts)


def test_a_failed_write_keeps_the_old_text_and_leaves_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file"
    disk.write(file, "old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("redeploy.setup.disk.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        disk.write(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_is_kept_and_its_target_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("file")
    disk.write(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    file = tmp_path / "file"
    disk.write(file, "old")
    os.chown(file, 12345, 12345)
    disk.write(file, "new", disk.PRIVATE)
    assert (file.stat().st_uid, file.stat().st_gid) == (12345, 12345)


def test_a_missing_file_has_no_text(tmp_path: Path) -> None:
    assert disk.read(tmp_path / "file") is None
