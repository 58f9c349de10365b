"""Folders of real life, and names that would do harm in a terminal or a spreadsheet."""

import csv
import io
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from metaiqa_core.commands.options.photo_choice import find_photos
from metaiqa_core.commands.output import as_csv, as_json, as_table
from metaiqa_core.errors import PhotoError
from metaiqa_core.foreign_text import path_from_text, path_text
from metaiqa_core.images.photo_folders import FolderScan


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def test_what_systems_put_beside_photos_is_skipped_and_counted(tmp_path):
    ours = ["DCIM/100CANON/IMG_1.JPG", "Mine/a.png", "a.jpg", "mine.jpg/b.jpg"]
    theirs = [
        *("._a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", ".thumbnails/1.jpg", "Thumbs.db", ".Trashes/501/c.jpg"),
        *("$RECYCLE.BIN/S-1/$R1.jpg", "#recycle/d.jpg", ".@__thumb/e.jpg", "__MACOSX/._f.jpg", "lost+found/g.jpg"),
        *(".Trash-1000/files/h.jpg", "DCIM/EOSMISC/i.jpg", "DCIM/.thumbnails/j.jpg", ".trashed-17-k.jpg"),
        *("FOUND.000/l.jpg", "PRIVATE/M4ROOT/THMBNL/m.jpg", "x.photoslibrary/resources/derivatives/n.jpg"),
    ]
    touch(tmp_path, *ours, *theirs, "x.photoslibrary/originals/0/o.heic", "notes.txt")
    choice = find_photos([str(tmp_path)])
    assert [str(file.relative_to(tmp_path)) for file in choice.files] == [*ours, "x.photoslibrary/originals/0/o.heic"]
    [remark] = choice.remarks()
    assert remark.startswith(f"skipped {len(theirs)} files of the system")
    assert find_photos([str(tmp_path / "._a.jpg")]).files == (tmp_path / "._a.jpg",)


def test_a_raw_file_and_its_jpeg_are_one_photo_and_a_lone_raw_file_is_named(tmp_path):
    touch(tmp_path, "IMG_1.CR2", "img_1.jpg", "P.RAW-01.COVER.jpg", "P.RAW-02.ORIGINAL.dng", "IMG_2.NEF")
    choice = find_photos([str(tmp_path)])
    assert [file.name for file in choice.files] == ["P.RAW-01.COVER.jpg", "img_1.jpg"]
    assert "camera raw file without a JPEG beside it (IMG_2.NEF)" in choice.remarks()[0]
    named = find_photos([str(tmp_path / "IMG_1.CR2"), str(tmp_path / "img_1.jpg")])
    assert named.files == (tmp_path / "img_1.jpg",)


def test_an_empty_name_is_not_taken_for_the_folder_of_the_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").touch()
    for names in ([""], ["a.jpg", ""]):
        with pytest.raises(
            PhotoError, match=r"^An empty name was given for a photo: expected a photo, a folder or a gl"
        ):
            find_photos(names)


def test_links_that_go_round_end_and_no_photo_counts_twice(tmp_path):
    touch(tmp_path, "a/1.jpg", "b/2.jpg")
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    expected = [tmp_path / "a/1.jpg", tmp_path / "b/2.jpg", tmp_path / "self.jpg"]
    assert list(find_photos([str(tmp_path), str(tmp_path / "a")]).files) == expected
    assert list(find_photos([f"{tmp_path}/**/*.jpg"]).files) == expected
    os.mkfifo(tmp_path / "pipe.jpg")
    assert len(find_photos([str(tmp_path)]).files) == 3


def test_a_folder_that_cannot_be_read_is_named(tmp_path):
    if os.geteuid():
        pytest.skip("needs root, to become somebody else")
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o755)
        touch(folder, "a.jpg", "closed/b.jpg")
        (folder / "closed").chmod(0)
        os.seteuid(65534)
        try:
            choice = find_photos([str(folder)])
            with pytest.raises(PhotoError, match="closed cannot be read"):
                find_photos([str(folder / "closed")])
        finally:
            os.seteuid(0)
    finally:
        shutil.rmtree(folder)
    assert choice.files == (folder / "a.jpg",)
    assert not choice.is_complete
    assert f"the folder {folder}/closed cannot be read (Permission denied)" in choice.remarks()[0]


NAMES = [b"caf\xe9.jpg", b"caf\xc3\xa9.jpg", b"a\nb\r\x1b[31m.jpg", b"=1+1.jpg", b"\\x41\\.jpg", b"\xc2\x9b31m.jpg"]


@pytest.mark.parametrize("raw", NAMES)
def test_a_name_is_written_faithfully_and_shown_harmlessly(tmp_path, raw):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / os.fsdecode(raw)).write_bytes(b"x")
    [photo] = FolderScan().photos_in(tmp_path / "x")
    name = path_text(photo.relative_to(tmp_path / "x"))
    text = as_csv([{"file": name}], ["file"])
    [row] = csv.DictReader(io.StringIO(text.encode().decode(), newline=""))
    assert os.fsencode(path_from_text(row["file"])) == raw
    assert not row["file"].startswith("=")
    as_object = as_json({"file": name})
    assert os.fsencode(path_from_text(json.loads(as_object.encode())["file"])) == raw
    assert all(line.isprintable() for line in as_object.splitlines())
    table = as_table([[name]], ["file"])
    assert len(table.split("\n")) == 3
    assert table.replace("\n", "").isprintable()
