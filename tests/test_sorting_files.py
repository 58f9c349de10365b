"""Files that carry decisions elsewhere: scripts that are run, sidecars that another program reads, archives, tables."""

import io
import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from metaiqa_core.errors import OutputError
from metaiqa_core.sorting import archives, powershell_script, tables
from metaiqa_core.sorting.decisions import Decision
from metaiqa_core.sorting.shell_script import shell_script
from metaiqa_core.sorting.sidecars import SidecarNames, sidecar_path, write_sidecar
from metaiqa_core.sorting.sorted_photo import SortedPhoto
from metaiqa_core.sorting.xmp import OWN, RDF, XMP, Rating, rating_of, write_rating

KEEP, REJECT, UNDECIDED = Decision.KEEP, Decision.REJECT, Decision.UNDECIDED
HOSTILE = [
    "plain.jpg",
    "it's $(touch pwned) `touch pwned`.jpg",
    "-rf.jpg",
    'a "b" \\ %d %s *.jpg',
    "two\nlines.jpg",
    "trip/day 1/x.jpg",
    "caf\udce9.jpg",  # a name that is not UTF-8
    "‘typographic’.jpg",
]


@pytest.fixture
def folder(tmp_path):
    """A folder of photos with names that a careless script would run."""
    for number, name in enumerate([*HOSTILE, "kept.jpg"]):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(10 + number))
    return tmp_path


def photos_of(folder):
    rejected = [SortedPhoto(name, (folder / name).stat().st_size, REJECT) for name in HOSTILE]
    return [*rejected, SortedPhoto("kept.jpg", 18, KEEP)]


def run_script(folder, script, *arguments):
    place = folder.parent / f"{folder.name}.sh"
    place.write_bytes(script)
    return subprocess.run(["sh", str(place), *arguments], cwd=folder, capture_output=True, text=True, timeout=60)


def files_in(folder):
    return {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}


def test_the_script_moves_the_rejected_and_back_whatever_their_names_hold(folder):
    script, before = shell_script(photos_of(folder)), files_in(folder)
    outcome = run_script(folder, script)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout == "8 of 8 photos were moved.\n"
    assert files_in(folder) == {"kept.jpg", *(f"rejected/{name}" for name in HOSTILE)}
    assert run_script(folder, script, "back").returncode == 0
    assert files_in(folder) == before
    assert not (folder / "rejected").exists()


def test_the_script_overwrites_nothing_moves_no_other_file_and_says_so(folder):
    script = shell_script(photos_of(folder))
    (folder / "rejected").mkdir()
    (folder / "rejected" / "plain.jpg").write_bytes(b"older")
    (folder / "-rf.jpg").write_bytes(b"another photo of this name")
    (folder / "two\nlines.jpg").unlink()
    outcome = run_script(folder, script)
    assert outcome.returncode == 1
    assert outcome.stdout == "5 of 8 photos were moved.\n"
    assert (folder / "rejected" / "plain.jpg").read_bytes() == b"older"
    assert (folder / "plain.jpg").exists()
    assert (folder / "-rf.jpg").exists()
    for reason in ("there is a file already", "this is not the file that was judged", "there is no such file here"):
        assert reason in outcome.stderr
    assert run_script(folder, script, "sideways").returncode == 2


def test_a_name_that_leads_elsewhere_is_refused():
    on_windows = ("C:\\x.jpg", "\\\\server\\x.jpg", "a\\..\\..\\x.jpg", "a/.. /x.jpg")
    for name in ("/etc/passwd", "../x.jpg", "a/../../x.jpg", "", *on_windows):
        for make in (shell_script, powershell_script.powershell_script, lambda p: archives.zip_of_photos(p, None)):
            with pytest.raises(OutputError, match="leads out of the folder of the photos: rename the photo first"):
                make([SortedPhoto(name, 1, REJECT)])


def test_in_the_script_for_windows_every_kind_of_quote_is_doubled(folder):
    script = powershell_script.powershell_script(photos_of(folder)).decode("utf-8-sig")
    assert "Move-Photo 11 'it''s $(touch pwned) `touch pwned`.jpg'\r\n" in script
    assert "Move-Photo 17 '‘‘typographic’’.jpg'\r\n" in script
    assert "kept.jpg" not in script


def read_back(sidecar):
    """Stars, label and score of a sidecar, by another parser than the one that wrote it."""
    [place] = ElementTree.fromstring(sidecar).iter(f"{{{RDF}}}Description")

    def value(namespace, name):
        inner = place.find(f"{{{namespace}}}{name}")
        return place.get(f"{{{namespace}}}{name}") if inner is None else inner.text

    return value(XMP, "Rating"), value(XMP, "Label"), value(OWN, "Score")


def exiftool(path):
    if shutil.which("exiftool") is None:
        pytest.skip("no exiftool on this machine (Debian: libimage-exiftool-perl)")
    command = ["exiftool", "-j", "-n", "-G1", "-XMP:all", str(path)]
    [found] = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    return found


@pytest.mark.parametrize(
    ("word", "decision", "expected"),
    [
        ("Excellent", KEEP, (5, "Green")),
        ("Bad", UNDECIDED, (1, None)),
        ("Good", REJECT, (-1, "Red")),
        (None, KEEP, (0, "Green")),
    ],
)
def test_exiftool_reads_the_stars_and_the_label(word, decision, expected, tmp_path):
    path = tmp_path / "photo.jpg.xmp"
    assert write_sidecar(path, rating_of(word, decision, 71.25, "lite0 & <co>"))
    assert read_back(path.read_bytes()) == (str(expected[0]), expected[1], "71.25")
    found = exiftool(path)
    assert (found["XMP-xmp:Rating"], found.get("XMP-xmp:Label")) == expected


# As darktable 4 writes it, shortened: the rating as an attribute, lists as elements, a history that nobody may lose.
DARKTABLE = """<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="%s" darktable:history_end="7" darktable:import_timestamp="63837">
   <!-- a comment -->
   <dc:subject><rdf:Bag><rdf:li>summer &amp; sea</rdf:li></rdf:Bag></dc:subject>
   <darktable:history><rdf:Seq>
    <rdf:li darktable:operation="exposure" darktable:params="00ff"/>
   </rdf:Seq></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
"""
ELEMENTS = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:z="http://ns.adobe.com/xap/1.0/"><rdf:Description rdf:about=""><z:Rating>%s</z:Rating><z:Label>%s</z:Label>
 <z:CreatorTool>Somebody</z:CreatorTool></rdf:Description></rdf:RDF></x:xmpmeta>"""


def test_everything_else_in_an_existing_sidecar_stays():
    merged = write_rating(Rating(4, "Green", 70.0, "m"), (DARKTABLE % "0").encode())
    assert read_back(merged) == ("4", "Green", "70.00")
    text = merged.decode()
    for kept in ('darktable:history_end="7"', "<!-- a comment -->", "summer &amp; sea", 'darktable:params="00ff"'):
        assert kept in text
    assert text.count("xmlns:xmp=") == 1


def test_exiftool_reads_a_merged_sidecar_with_both_contents(tmp_path):
    path = tmp_path / "a.jpg.xmp"
    path.write_text(DARKTABLE % "0")
    write_sidecar(path, Rating(3, "Red"))
    found = exiftool(path)
    assert (found["XMP-xmp:Rating"], found["XMP-xmp:Label"]) == (3, "Red")
    assert found["XMP-dc:Subject"] == "summer & sea"


def test_properties_as_elements_and_under_other_prefixes_are_understood():
    merged = write_rating(Rating(2, "Red", 30.0), (ELEMENTS % ("", "")).encode())
    assert read_back(merged) == ("2", "Red", "30.00")
    assert b"Somebody" in merged
    assert merged.count(b"Rating=") == 2  # the standard's and the own one
    assert write_rating(Rating(2), (ELEMENTS % ("3", "")).encode()) is None


def test_stars_that_somebody_else_gave_stay_unless_they_may_be_replaced(tmp_path):
    path = tmp_path / "a.jpg.xmp"
    path.write_text(DARKTABLE % "5")
    assert not write_sidecar(path, Rating(1))
    assert path.read_text() == DARKTABLE % "5"
    assert write_sidecar(path, Rating(1), replace=True)
    assert read_back(path.read_bytes())[0] == "1"


def test_ones_own_stars_and_label_follow_a_new_decision_and_a_second_writing_changes_nothing(tmp_path):
    path = tmp_path / "a.jpg.xmp"
    write_sidecar(path, Rating(4, "Green", 70.0))
    first = path.read_bytes()
    before = path.stat().st_mtime_ns
    assert write_sidecar(path, Rating(4, "Green", 70.0))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (first, before)
    assert write_sidecar(path, Rating(-1, None))
    assert read_back(path.read_bytes()) == ("-1", None, None)
    path.write_text(path.read_text().replace('xmp:Rating="-1"', 'xmp:Rating="5"'))  # somebody gave five stars since
    assert not write_sidecar(path, Rating(4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no well-formed XML"),
        ("<x>", "no well-formed XML"),
        ("<x/>", "no rdf:Description"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "document type"),
    ],
)
def test_a_sidecar_that_cannot_be_read_stays_as_it_is_with_one_sentence(content, reason, tmp_path):
    path = tmp_path / "a.jpg.xmp"
    path.write_text(content)
    with pytest.raises(OutputError, match=f"^a.jpg.xmp stays as it is, since it .*{reason}.*: move it away, and start"):
        write_sidecar(path, Rating(3))
    assert path.read_text() == content


def test_sidecars_have_the_names_that_programs_look_for():
    assert sidecar_path(Path("a/b.c.jpg")) == Path("a/b.c.jpg.xmp")
    assert sidecar_path(Path("a/b.c.jpg"), SidecarNames.STEM) == Path("a/b.c.xmp")


def opened_zip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_archive_holds_the_bytes_of_each_photo_and_both_of_two_with_one_name():
    photos = [SortedPhoto("trip/a.jpg", 1), SortedPhoto("trip/A.jpg", 2), SortedPhoto("trip/a.jpg", 3)]
    found = opened_zip(archives.zip_of_photos(photos, lambda photo: bytes(photo.size)))
    assert found == {"trip/a.jpg": bytes(1), "trip/A (2).jpg": bytes(2), "trip/a (3).jpg": bytes(3)}


def test_archives_are_divided_where_they_would_be_too_large():
    photos = [SortedPhoto(str(size), size) for size in (4, 4, 4, 20, 1)]
    assert [[photo.size for photo in part] for part in archives.parts(photos, 10)] == [[4, 4], [4], [20], [1]]
    assert archives.parts([]) == []


def test_the_archive_of_sidecars_holds_one_for_each_photo_with_something_to_say():
    photos = [
        SortedPhoto("a.jpg", 1, KEEP, 90.0, "Excellent", "m"),
        SortedPhoto("b/c.png", 1, REJECT),
        SortedPhoto("waiting.jpg", 1),
    ]
    found = opened_zip(archives.zip_of_sidecars(photos))
    assert {name: read_back(content)[:2] for name, content in found.items()} == {
        "a.jpg.xmp": ("5", "Green"),
        "b/c.png.xmp": ("-1", "Red"),
    }
    twins = [SortedPhoto("a.jpg", 1, KEEP), SortedPhoto("a.png", 1, KEEP)]
    with pytest.raises(OutputError, match="Two photos would share the sidecar a.xmp: rename one of them."):
        archives.zip_of_sidecars(twins, SidecarNames.STEM)


def test_the_list_has_one_line_a_photo():
    assert tables.file_names([{"file": "a b.jpg"}, {"file": "c\nd.jpg"}]) == b"a b.jpg\nc\\nd.jpg\n"
