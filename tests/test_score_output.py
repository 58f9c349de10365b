"""Rows of `score` are never lost: processes that are killed, interrupted and out of disk; outputs of any kind."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from metaiqa_core.errors import OutputError
from metaiqa_core.files import check_output, write_text

# Scores stand-ins for photos, each in some milliseconds, so that the test measures what is kept and not the network.
PROGRAM = """
import json, sys, time
from pathlib import Path
from metaiqa_core.commands.score_output import score_to_file, score_to_stream
from metaiqa_core.commands.streaming import json_pieces
from metaiqa_core.errors import OutputError
folder, output, pace, resume = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), "--resume" in sys.argv
def scored(files):
    for file in files:
        time.sleep(pace)
        yield file, {"file": str(file), "score": file.stat().st_size, "error": None}
files = sorted(folder.iterdir())
try:
    if "--stream" in sys.argv:
        sys.exit(score_to_stream(scored, files, output, json_pieces, as_utf8=False))
    sys.exit(score_to_file(scored, files, output, json_pieces, settings={"model": "tiny"}, resume=resume))
except OutputError as error:
    sys.stderr.write(f"{error}\\n")
    sys.exit(2)
"""


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:03}.jpg").write_bytes(b"x" * (number + 1))
    return folder


def start(folder, output, *words, pace=0.01):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, folder, output, str(pace), *words], stdout=-1, stderr=-1, text=True
    )


def wait_for_rows(journal, number):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if journal.exists() and journal.read_bytes().count(b"\n") > number:
            return
        time.sleep(0.01)
    raise AssertionError("no rows came")


def test_a_score_that_is_killed_three_times_loses_and_doubles_no_row(photos, tmp_path):
    output, journal = tmp_path / "scores.json", tmp_path / "scores.json.unfinished.jsonl"
    moments = random.Random(5)
    for round_number in range(3):
        process = start(photos, output, "--resume", pace=0.02)
        wait_for_rows(journal, 8 * (round_number + 1))
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.communicate()
        assert not output.exists()
    kept = journal.read_bytes().count(b"\n") - 1
    journal.write_bytes(journal.read_bytes() + b'{"path": "half')
    process = start(photos, output, "--resume")
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, f"Going on: {kept} of 60 photos are finished.\n")
    assert [row["score"] for row in json.loads(output.read_text())] == list(range(1, 61))
    assert sorted(tmp_path.iterdir()) == [photos, output]


def test_an_interrupt_says_what_is_kept_and_another_start_does_not_throw_it_away(photos, tmp_path):
    output, journal = tmp_path / "scores.json", tmp_path / "scores.json.unfinished.jsonl"
    process = start(photos, output, pace=0.05)
    wait_for_rows(journal, 3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    kept = journal.read_bytes().count(b"\n") - 1
    assert process.returncode == 130
    assert err == (
        f"interrupted: {kept} of 60 rows are kept in {journal}; start the same command with --resume to go on from "
        "there.\n"
    )
    process = start(photos, output)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.startswith(f"{journal} keeps {kept} finished rows of a run that did not end: add --resume")


def test_a_full_disk_keeps_what_is_finished_and_the_score_goes_on_once_there_is_room(photos, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk is not allowed here: {mounted.stderr.strip()}")
    try:
        process = start(photos, disk / "scores.json", pace=0)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert err.startswith(f"The disk is full, so {disk}/scores.json is not finished: ")
        assert err.endswith("make room and start the same command with --resume to go on from there.\n")
        kept = (disk / "scores.json.unfinished.jsonl").read_bytes().splitlines()[1:]
        assert [json.loads(line)["size"] for line in kept] == list(range(1, len(kept) + 1))
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        process = start(photos, disk / "scores.json", "--resume", pace=0)
        process.communicate(timeout=60)
        assert process.returncode == 0
        assert [row["score"] for row in json.loads((disk / "scores.json").read_text())] == list(range(1, 61))
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_photo_that_changed_meanwhile_is_scored_again(photos, tmp_path):
    output = tmp_path / "scores.json"
    process = start(photos, output, pace=0.05)
    wait_for_rows(tmp_path / "scores.json.unfinished.jsonl", 3)
    process.kill()
    process.communicate()
    (photos / "000.jpg").write_bytes(b"x" * 1000)
    start(photos, output, "--resume", pace=0).communicate(timeout=60)
    assert [row["score"] for row in json.loads(output.read_text())] == [1000, *range(2, 61)]


def test_a_pipe_gets_the_rows_and_stays_a_pipe(photos, tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    process = start(photos, pipe, "--stream", pace=0)
    process.communicate(timeout=60)
    reader.join(60)
    assert process.returncode == 0
    assert len(json.loads(got[0])) == 60
    assert pipe.is_fifo()


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "link to /dev/stdout"])
def test_the_names_of_standard_output_are_standard_output(photos, tmp_path, name):
    if name.startswith("link"):
        (tmp_path / "link").symlink_to("/dev/stdout")
        name = str(tmp_path / "link")
    out, _ = start(photos, name, "--stream", pace=0).communicate(timeout=60)
    assert len(json.loads(out)) == 60


def test_a_list_that_is_interrupted_is_still_json(photos):
    process = start(photos, "-", "--stream", pace=0.05)
    first = process.stdout.readline()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=60)
    assert (process.returncode, first) == (130, "[\n")
    assert rest.endswith("\n]\n")
    assert err.startswith("interrupted: the rows of ")


def test_a_link_and_a_file_of_two_names_are_written_through(tmp_path):
    (tmp_path / "real").write_text("old, and longer")
    (tmp_path / "link").symlink_to("real")
    os.link(tmp_path / "real", tmp_path / "twin")
    (tmp_path / "real").chmod(0o640)
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "twin").read_text() == (tmp_path / "real").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640


def test_a_device_stays_a_device():
    before = Path("/dev/null").stat().st_rdev
    write_text(Path("/dev/null"), "gone")
    assert Path("/dev/null").stat().st_rdev == before


def test_an_output_that_is_an_input_is_refused_under_every_name(tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"x")
    (tmp_path / "link").symlink_to(photo)
    os.link(photo, tmp_path / "twin")
    for name in ("photo.jpg", "link", "twin"):
        with pytest.raises(OutputError, match="is one of the inputs"):
            check_output(tmp_path / name, [photo])
    with pytest.raises(OutputError, match="is a folder: name a file for the output"):
        check_output(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match="symbolic links"):
        check_output(tmp_path / "loop")
    with pytest.raises(OutputError, match="Not a directory"):
        check_output(photo / "scores.csv")
    check_output(tmp_path / "new" / "scores.csv", [photo])
