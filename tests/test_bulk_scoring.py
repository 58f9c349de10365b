"""Bulk scoring without a cluster: manifests, parts that are kept, processes that die, full disks."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from page_fixtures import jpeg
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core.assessment import ROW_FIELDS
from metaiqa_core.bulk import PhotoPaths, ScoreFolder, Scoring, open_manifest, score_in_bulk
from metaiqa_core.bulk.part_scoring import score_part
from metaiqa_core.bulk.photo_lists import digest_of
from metaiqa_core.bulk.scoring import LostProcessError
from metaiqa_core.errors import ClusterError, DatabaseError, OutputError
from metaiqa_core.models.model_files import read_card_of
from metaiqa_core.progress import finish


class PretendedProcesses:
    """Scores in this process; `dying` photos end it, and after `lasting` pieces the cluster is gone."""

    most_at_once = 3

    def __init__(self, dying=(), lasting=10**6):
        self.waiting, self.dying, self.lasting, self.scored = [], set(dying), lasting, []

    def start(self, photos, scoring):
        self.waiting.append((object(), photos, scoring))
        return self.waiting[-1][0]

    def next_outcome(self):
        if not self.lasting:
            raise ClusterError("The cluster went away.")
        self.lasting -= 1
        key, photos, scoring = self.waiting.pop()  # the last one comes first: parts come back in any order

        def outcome():
            if self.dying & {Path(photo.path).name for photo in photos}:
                raise LostProcessError
            self.scored += [photo.file for photo in photos]
            return score_part(photos, scoring)

        return key, outcome


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(11):
        (folder / f"{number:02}.jpg").write_bytes(jpeg(photo_pixels(number)))
    (folder / "04.jpg").write_bytes(b"no photo")
    return folder


@pytest.fixture
def scoring(tiny_checkpoint):
    card = read_card_of(tiny_checkpoint)
    return Scoring(str(tiny_checkpoint), card.name, card.sha256, "torch")


def score(photos, scoring, output, processes, part_size=3):
    """Score photos into a folder, as the command does."""
    total, digest = digest_of(photos)
    settings = {"photos": total, "photos_sha256": digest, "model": scoring.model_name, "part_size": part_size}
    folder = ScoreFolder(output, settings, part_size=10)
    return finish(score_in_bulk(photos, scoring, folder, processes, total=total))


def rows_in(folder):
    return pq.read_table(folder).to_pylist()


def paths_of(folder):
    return PhotoPaths(sorted(folder.iterdir()))


def test_rows_are_those_of_score_in_the_order_of_the_list_and_a_failing_photo_is_one(
    photos, scoring, run, tmp_path, tiny_checkpoint
):
    listed = PhotoPaths([*sorted(photos.iterdir()), photos / "missing.jpg"])
    summary = score(listed, scoring, tmp_path / "out", PretendedProcesses())
    rows = rows_in(tmp_path / "out")
    assert (summary.photos, summary.failed, summary.finished_before) == (12, 2, 0)
    assert [tuple(row) for row in rows] == [ROW_FIELDS] * 12
    _, out, _ = run("score", photos, "--model", tiny_checkpoint, "--engine", "torch", "--format", "json")
    assert rows[:11] == json.loads(out)
    assert rows[4]["error"].startswith("04.jpg is not a picture") or "04.jpg" in rows[4]["error"]
    assert rows[11]["error"] == "missing.jpg does not exist: check the path."
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_scoring.json", *(f"part-00000{number}.parquet" for number in range(4))
    ]  # fmt: skip


def test_a_run_whose_cluster_went_away_goes_on_and_scores_no_photo_twice(photos, scoring, tmp_path):
    first, second = PretendedProcesses(lasting=2), PretendedProcesses()
    with pytest.raises(ClusterError, match=r"^The cluster went away\.$"):
        score(paths_of(photos), scoring, tmp_path / "out", first)
    assert len(rows_in(tmp_path / "out")) == len(first.scored) == 5
    summary = score(paths_of(photos), scoring, tmp_path / "out", second, part_size=None)
    assert summary.finished_before == 5
    assert sorted(first.scored + second.scored) == [str(path) for path in sorted(photos.iterdir())]
    assert [row["file"] for row in rows_in(tmp_path / "out")] == [str(path) for path in sorted(photos.iterdir())]
    third = PretendedProcesses()
    assert score(paths_of(photos), scoring, tmp_path / "out", third).failed == 1
    assert third.scored == []


def test_a_part_that_was_damaged_is_scored_again(photos, scoring, tmp_path):
    score(paths_of(photos), scoring, tmp_path / "out", PretendedProcesses())
    before = rows_in(tmp_path / "out")
    part = tmp_path / "out" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-9])
    again = PretendedProcesses()
    score(paths_of(photos), scoring, tmp_path / "out", again)
    assert len(again.scored) == 3
    assert rows_in(tmp_path / "out") == before


def test_a_photo_that_kills_its_process_is_a_row_and_the_others_of_its_part_have_scores(photos, scoring, tmp_path):
    summary = score(paths_of(photos), scoring, tmp_path / "out", PretendedProcesses(dying=["07.jpg"]), part_size=11)
    rows = rows_in(tmp_path / "out")
    assert [Path(row["file"]).name for row in rows if row["error"]] == ["04.jpg", "07.jpg"]
    assert rows[7]["error"].startswith("07.jpg ended each process that scored it: it may need more memory")
    assert len(rows) == 11
    assert summary.failed == 2


def test_a_machine_with_another_version_or_model_is_named_and_scores_nothing(photos, scoring, tmp_path):
    for other, sentence in (
        ({"version": "0.0.1"}, r"^A machine cannot score: .*: this machine has version .*, and 0\.0\.1 was started\.$"),
        ({"model_sha256": "0" * 64}, r"is another one here: give all machines the same file\.$"),
        ({"model": str(tmp_path / "none.safetensors")}, r"There is no model called"),
    ):
        changed = Scoring(**(vars(scoring) | other))
        with pytest.raises(ClusterError, match=sentence):
            score(paths_of(photos), changed, tmp_path / "out", PretendedProcesses())
    assert list((tmp_path / "out").glob("*.parquet")) == []


def test_rows_of_another_list_or_other_files_in_the_folder_are_left_alone(photos, scoring, tmp_path):
    score(paths_of(photos), scoring, tmp_path / "out", PretendedProcesses())
    (photos / "11.jpg").write_bytes(b"one more")
    with pytest.raises(OutputError, match=r"holds rows that were made otherwise \(the number of photos 11, a list"):
        score(paths_of(photos), scoring, tmp_path / "out", PretendedProcesses())
    with pytest.raises(OutputError, match=r"photos holds other files: name a new or an empty folder for the output\.$"):
        score(paths_of(photos), scoring, photos, PretendedProcesses())
    with pytest.raises(OutputError, match=r"04\.jpg is a file: name a folder for the parts of the output\.$"):
        score(paths_of(photos), scoring, photos / "04.jpg", PretendedProcesses())
    (tmp_path / "out" / "_scoring.json").write_text("{")
    with pytest.raises(OutputError, match=r"_scoring\.json is damaged: name another folder for the output\.$"):
        score(paths_of(photos), scoring, tmp_path / "out", PretendedProcesses())


def test_a_full_disk_keeps_whole_parts_and_the_run_goes_on_once_there_is_room(photos, scoring, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"mounting a small disk is not allowed here: {mounted.stderr.strip()}")
    try:
        with pytest.raises(OutputError, match=r"^The disk is full, so .*/out is not finished: its parts are kept;"):
            score(paths_of(photos), scoring, disk / "out", PretendedProcesses())
        kept = rows_in(disk / "out")
        assert 0 < len(kept) < 11
        assert not [path for path in (disk / "out").iterdir() if path.name.startswith(".")]
        subprocess.run(["mount", "-o", "remount,size=1m", disk], check=True)
        summary = score(paths_of(photos), scoring, disk / "out", PretendedProcesses())
        assert summary.finished_before == len(kept)
        assert [row["file"] for row in rows_in(disk / "out")] == [str(path) for path in sorted(photos.iterdir())]
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_manifest_names_the_same_photos_as_text_csv_and_parquet(tmp_path):
    names = ["a.jpg", "sub folder/b, c.jpg", str(tmp_path / "elsewhere" / "d.jpg"), "=1+1.jpg", "é.jpg"]
    (tmp_path / "list.txt").write_text("\n".join([*names[:2], "", *names[2:]]) + "\r\n", encoding="utf-8")
    cells = "".join(f'{number},"{name}"\n' for number, name in enumerate(names)).replace('"=', "\"'=")
    (tmp_path / "list.csv").write_text(f"number, file\n{cells}9,\n", encoding="utf-8-sig")
    pq.write_table(pa.table({"image": [*names, None], "mos": np.arange(6.0)}), tmp_path / "list.parquet")
    lists = [list(open_manifest(tmp_path / f"list.{kind}")) for kind in ("txt", "csv", "parquet")]
    assert lists[0] == lists[1] == lists[2]
    assert [photo.path for photo in lists[0]] == [str(tmp_path / name) for name in names]
    assert [photo.file for photo in lists[0]] == [name.replace("=", "./=") for name in names]


def test_a_name_that_is_not_utf8_stays_the_file_that_it_is(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"caf\xe9.jpg\n")
    (photo,) = open_manifest(tmp_path / "list.txt")
    assert photo.file == r"caf\xE9.jpg"
    assert os.fsencode(photo.path) == os.fsencode(tmp_path) + b"/caf\xe9.jpg"


def test_the_column_of_a_manifest_can_be_named(tmp_path):
    (tmp_path / "list.csv").write_text("left,right\na.jpg,b.jpg\n")
    assert [photo.file for photo in open_manifest(tmp_path / "list.csv", "right")] == ["b.jpg"]
    with pytest.raises(DatabaseError, match=r"one column file or image or path with the paths, found left, right:"):
        open_manifest(tmp_path / "list.csv")
    with pytest.raises(DatabaseError, match=r"must have one column middle with the paths, found left, right:"):
        open_manifest(tmp_path / "list.csv", "middle")


@pytest.mark.parametrize("name", ["gone.txt", "gone.csv", "gone.parquet"])
def test_a_manifest_that_does_not_exist_or_is_something_else_is_one_sentence(name, tmp_path):
    with pytest.raises(DatabaseError, match=r"cannot be read \(No such file or directory\): expected a Parquet"):
        open_manifest(tmp_path / name)
    if name != "gone.txt":
        (tmp_path / name).write_bytes(b"\xff\x00\n" * 9)
        with pytest.raises(DatabaseError, match="cannot be read|must have one column"):
            open_manifest(tmp_path / name)
    pq.write_table(pa.table({"file": [1, 2]}), tmp_path / "numbers.parquet")
    with pytest.raises(DatabaseError, match=r"\(the column file holds int, not text\)"):
        list(open_manifest(tmp_path / "numbers.parquet"))


def test_a_picture_and_utf16_text_are_no_manifests(run, photos, tmp_path):
    (tmp_path / "list.txt").write_text("photos/00.jpg\n", encoding="utf-16")
    (tmp_path / "list.csv").write_bytes(b"file\nphotos/00.jpg\nphotos/\0.jpg\n")
    pq.write_table(pa.table({"file": ["photos/00.jpg", "\0"]}), tmp_path / "list.parquet")
    Image.new("RGB", (64, 64)).save(tmp_path / "picture.png")
    for name in ("list.txt", "list.csv", "list.parquet", "picture.png"):
        status, out, err = run("bulk-score", "--manifest", tmp_path / name, "--output", tmp_path / "out")
        assert (status, out) == (2, "")
        assert err == (
            f"The manifest {tmp_path / name} cannot be read (it holds bytes of value zero, as pictures and UTF-16 text "
            "do): expected a Parquet file, a CSV file with a header, or a text file with one path a line, in UTF-8.\n"
        )
    assert not (tmp_path / "out").exists()


def test_a_manifest_of_which_no_photo_exists_is_refused_and_one_that_misses_some_is_not(run, photos, tmp_path):
    (tmp_path / "rated.csv").write_text("image,mos\nphotos/99.jpg,10.0\nphotos/00.jpg,20.5\n")
    (tmp_path / "gone.txt").write_text("elsewhere/00.jpg\n")
    for words, sentence in (
        (
            ["rated.csv", "--column", "mos"],
            "rated.csv must name photos in its column mos, as paths from its own folder or from the root on, but there "
            "is no file 10.0, nor any other of the first 2: correct the paths, or name another column with --column.\n",
        ),
        (
            ["gone.txt"],
            "gone.txt must name photos, as paths from its own folder or from the root on, but there is no file "
            "elsewhere/00.jpg: correct the paths.\n",
        ),
    ):
        status, _, err = run("bulk-score", "--manifest", tmp_path / words[0], *words[1:], "--output", tmp_path / "out")
        assert (status, err) == (2, f"The manifest {tmp_path}/{sentence}")
    assert not (tmp_path / "out").exists()
    open_manifest(tmp_path / "rated.csv").refuse_without_files()


def test_a_missing_photo_of_a_manifest_is_a_row_with_its_reason(photos, scoring, tmp_path):
    (tmp_path / "rated.csv").write_text("image,mos\nphotos/99.jpg,10.0\nphotos/00.jpg,20.5\n")
    summary = score(open_manifest(tmp_path / "rated.csv"), scoring, tmp_path / "out", PretendedProcesses())
    assert (summary.photos, summary.failed) == (2, 1)
    missing, scored = rows_in(tmp_path / "out")
    assert (missing["score"], scored["error"]) == (None, None)
    assert "99.jpg" in missing["error"]


def test_what_the_command_cannot_do_it_says_before_any_process_is_started(run, photos, tmp_path):
    (tmp_path / "empty.txt").write_text("\n\n")
    for words, sentence in (
        ([], "Name photos and folders, or a list of them with --manifest, and not both.\n"),
        (
            [photos, "--manifest", "x.txt"],
            "Name photos and folders, or a list of them with --manifest, and not both.\n",
        ),
        ([photos, "--column", "file"], "--column names a column of a manifest: name that with --manifest.\n"),
        (["--manifest", tmp_path / "empty.txt"], f"The manifest {tmp_path}/empty.txt names no photo.\n"),
    ):
        assert run("bulk-score", *words, "--output", tmp_path / "out") == (2, "", sentence)
    status, _, err = run("bulk-score", photos, "--output", tmp_path / "out", "--workers", "0")
    assert status == 2
    assert "argument --workers: expected a whole number from 1 to 999,999, got '0'" in err
    assert not (tmp_path / "out").exists()
