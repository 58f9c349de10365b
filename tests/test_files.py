"""Files are written whole or not at all."""

import contextlib
import hashlib
import os
import resource
import stat

import pytest

from metaiqa_core.files import sha256_of, write_text, write_whole


@contextlib.contextmanager
def full_disk(free_bytes):
    """Let no file of this process grow beyond some bytes, as a full disk would; the kernel enforces it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_was_written_is_what_is_read(tmp_path):
    write_text(tmp_path / "new" / "folder" / "note.txt", "größer ✓\n")
    assert (tmp_path / "new" / "folder" / "note.txt").read_bytes() == "größer ✓\n".encode()


def test_a_full_disk_leaves_the_older_file_as_it_was_and_no_rest(tmp_path):
    path = tmp_path / "note.txt"
    write_text(path, "old")
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        write_text(path, "new" * 10_000)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_nothing_where_there_was_nothing(tmp_path):
    with full_disk(1000), pytest.raises(OSError, match="File too large"):
        write_text(tmp_path / "note.txt", "new" * 10_000)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_halfway_leaves_the_older_file_as_it_was(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(b"old")

    def fail(temporary):
        temporary.write_bytes(b"half")
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_readers_see_the_old_file_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "data.bin"
    path.write_bytes(b"old")
    seen = []

    def write(temporary):
        temporary.write_bytes(b"new")
        seen.append((temporary.parent, temporary.suffix, path.read_bytes()))

    write_whole(path, write)
    assert seen == [(tmp_path, ".bin", b"old")]
    assert path.read_bytes() == b"new"


def test_a_new_file_has_the_permissions_that_the_umask_asks_for(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "note.txt", "text")
        assert os.umask(0o027) == 0o027  # and the umask is what it was
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "note.txt").stat().st_mode) == 0o640


def test_the_sha256_is_hashlibs(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "data").write_bytes(data)
    assert sha256_of(tmp_path / "data") == hashlib.sha256(data).hexdigest()
