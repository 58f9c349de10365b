"""Sessions on the disk: what was noted is there again, damage costs one line, age and a request delete everything."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metaiqa_core.errors import SessionError
from metaiqa_core.sessions.session_folder import SessionFolder, delete_old_sessions

ROOT = Path(__file__).resolve().parents[1]
DIGEST = "ab" * 32


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sessions" / "one"


def reopened(session):
    session._journal.close()
    return SessionFolder(session.path)


def test_events_and_files_are_there_again(folder):
    session = SessionFolder(folder)
    events = [{"name": "é\n\udce9.jpg"}, {"score": 0.1 + 0.2}, {"keys": ["a", "b"]}]
    for event in events:
        session.note(event)
    session.write("photos", DIGEST, b"pixels")
    again = reopened(session)
    assert again.events == events
    assert again.read("photos", DIGEST) == b"pixels"
    assert (again.has("photos", DIGEST), again.has("thumbnails", DIGEST)) == (True, False)


def test_only_its_owner_can_read_it(folder):
    SessionFolder(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "journal.jsonl").stat().st_mode) == 0o600


def test_a_half_written_line_and_a_damaged_one_cost_only_themselves(folder):
    session = SessionFolder(folder)
    session.note({"n": 1})
    with (folder / "journal.jsonl").open("ab") as file:
        file.write(b'garbage\n[1, 2]\n{"n": 2}\n{"n": 3')
    again = reopened(session)
    assert again.events == [{"n": 1}, {"n": 2}]
    again.note({"n": 4})
    assert [event["n"] for event in reopened(again).events] == [1, 2, 4]


def test_a_full_disk_leaves_the_journal_as_it_was(folder, monkeypatch):
    session = SessionFolder(folder)
    session.note({"n": 1})
    whole = session._journal._file._file

    class Full:
        """A file that takes three bytes."""

        left = 3

        def write(self, content):
            if not self.left:
                raise OSError(28, "No space left on device")
            written, self.left = whole.write(content[: self.left]), 0
            return written

        def __getattr__(self, name):
            return getattr(whole, name)

    monkeypatch.setattr(session._journal._file, "_file", Full())
    with pytest.raises(OSError, match="No space left"):
        session.note({"n": 2})
    monkeypatch.undo()
    assert (folder / "journal.jsonl").read_text() == json.dumps({"n": 1}) + "\n"


def test_two_processes_never_write_one_session(folder):
    SessionFolder(folder)  # closed at once, since nobody holds it
    session = SessionFolder(folder)
    code = (
        "import sys, pathlib; from metaiqa_core.sessions.session_folder import SessionFolder; "
        "SessionFolder(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", code, str(folder)]
    other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert SessionError.__name__ in other.stderr
    assert "Another MetaIQA has the session in" in other.stderr
    session.note({"still": "mine"})


def test_on_request_everything_is_deleted_and_the_session_goes_on(folder):
    session = SessionFolder(folder)
    session.write("photos", DIGEST, b"pixels")
    session.note({"n": 1})
    session.empty()
    assert [file.name for file in folder.rglob("*")] == ["journal.jsonl"]
    assert session.events == []
    session.note({"n": 2})
    assert reopened(session).events == [{"n": 2}]


def test_old_sessions_are_deleted_and_open_ones_are_not(folder):
    root, now = folder.parent, time.time()
    for name, age in (("one", 10), ("old", 100), ("open", 100)):
        SessionFolder(root / name)
        os.utime(root / name / "journal.jsonl", (now - age, now - age))
    (root / "notes").mkdir()
    assert delete_old_sessions(root, 50, kept=frozenset({root / "open"})) == 1
    assert {path.name for path in root.iterdir()} == {"one", "open", "notes"}
    assert delete_old_sessions(root / "nowhere", 50) == 0
    visited = SessionFolder(root / "open")
    visited.touch()
    assert delete_old_sessions(root, 50) == 0


@pytest.mark.parametrize("digest", ["../x", "AB" * 32, "ab", ""])
def test_a_file_never_leaves_the_folder(folder, digest):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        SessionFolder(folder).write("photos", digest, b"")
