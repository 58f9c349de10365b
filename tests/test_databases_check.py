"""The check of a database tells all that is wrong with it, through Python and through the command line."""

import argparse
import dataclasses
import json
from importlib import import_module

import pytest
from official_layouts import (
    BUILDERS,
    LIVE_CHALLENGE_NAMES,
    build_biq2021,
    build_kadid10k,
    build_tid2013,
    save_picture,
)

from metaiqa_core.commands.options.database_choice import add_database_arguments, chosen_database
from metaiqa_core.databases import catalogue
from metaiqa_core.databases.catalogue import OFFICIAL
from metaiqa_core.databases.check import check_database
from metaiqa_core.errors import DatabaseError
from metaiqa_core.progress import finish

TINY_SIZES = {"tid2013": 4, "kadid10k": 3, "cid2013": 7, "live-challenge": 5, "koniq10k": 4, "biq2021": 4}
TINY_SETS = {
    "koniq10k": (("training", 2), ("validation", 1), ("test", 1)),
    "biq2021": (("training", 3), ("test", 1)),
}


@pytest.fixture
def tiny_official(monkeypatch):
    """The published databases as if they had as few images as the tiny copies."""
    import_module("metaiqa_core.commands.databases")  # imported later, it would keep the tiny list for good
    tiny = [dataclasses.replace(official, size=TINY_SIZES[official.key]) for official in OFFICIAL]
    tiny = [dataclasses.replace(each, subsets=TINY_SETS.get(each.key, each.subsets)) for each in tiny]
    monkeypatch.setattr(catalogue, "OFFICIAL", tuple(tiny))


def subjects(report, kind):
    return [finding.subject for finding in report.findings if finding.kind == kind]


@pytest.mark.parametrize("key", BUILDERS)
def test_a_whole_database_is_usable_and_complete(tiny_official, tmp_path, run, key):
    folder = BUILDERS[key](tmp_path / key)
    steps = []
    report = finish(check_database(folder, key), steps.append)
    assert (report.findings, report.usable, report.complete) == ((), True, True)
    assert report.listed == report.present == report.expected == TINY_SIZES[key]
    assert [step.step for step in steps] == list(range(1, TINY_SIZES[key] + 1))
    status, out, err = run("databases", "check", key, folder)
    assert (status, err) == (0, "")
    assert out.startswith(f"{report.name} in {folder}: usable, complete\n")


def test_the_report_counts_references_types_and_subsets(tiny_official, tmp_path):
    report = finish(check_database(BUILDERS["tid2013"](tmp_path / "tid"), "TID2013"))
    assert (report.references, report.distortion_types, report.subsets) == (2, 3, ())
    report = finish(check_database(BUILDERS["koniq10k"](tmp_path / "koniq"), "KonIQ-10k"))
    assert (report.references, dict(report.subsets)) == (0, {"training": 2, "test": 1, "validation": 1})


def test_the_photo_that_live_challenge_holds_twice_is_a_note(tiny_official, tmp_path):
    report = finish(check_database(BUILDERS["live-challenge"](tmp_path / "live"), "live-challenge"))
    assert report.notes == ("One photo under several names, also in the official release: 246.bmp, 333.bmp.",)
    assert report.listed == len(LIVE_CHALLENGE_NAMES)


def test_one_split_of_biq2021_is_usable_and_not_complete(tiny_official, tmp_path):
    report = finish(check_database(build_biq2021(tmp_path / "biq", splits=("training",)), "BIQ2021"))
    assert (report.usable, report.complete, dict(report.subsets)) == (True, False, {"training": 3})
    assert [finding.sentence for finding in report.findings] == [
        "BIQ2021 has 4 images, the score file 3.",
        "BIQ2021 (test) has 1 images, the score file 0.",
    ]
    assert report.notes == (
        "Only the training split is read: there is no Test (Images and MOS).csv, which names the test photos.",
    )


def test_what_is_wrong_with_the_photos_of_biq2021_is_one_sentence_each(tiny_official, tmp_path):
    folder = build_biq2021(tmp_path / "biq")
    images = folder / "Images"
    (images / "ss01 (1726).jpg").unlink()
    (images / "ss02 (7).jpg").write_bytes(b"no picture")
    save_picture(images / "ss03 (1).jpg", 70)
    report = finish(check_database(folder, "biq2021"))
    assert [(finding.kind, finding.sentence) for finding in report.findings] == [
        (
            "missing",
            f"Train (Images and MOS).csv, line 3: there is no image ss01 (1726).jpg in {images}; "
            "unpack the images anew, or name their folder with --images.",
        ),
        (
            "unreadable",
            "ss02 (7).jpg cannot be used: ss02 (7).jpg is not a photo that can be read: "
            "expected JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, GIF or JPEG 2000.",
        ),
        ("extra", "ss03 (1).jpg lies among the images but has no score; it is not used."),
    ]
    assert not report.usable


def test_a_tiny_copy_is_not_taken_for_the_whole_database(tmp_path):
    report = finish(check_database(BUILDERS["koniq10k"](tmp_path), "koniq10k"))
    assert (report.usable, report.complete) == (True, False)
    assert [finding.sentence for finding in report.findings] == [
        "KonIQ-10k has 10,073 images, the score file 4.",
        "KonIQ-10k (training) has 7,058 images, the score file 2.",
        "KonIQ-10k (validation) has 1,000 images, the score file 1.",
        "KonIQ-10k (test) has 2,015 images, the score file 1.",
    ]


@pytest.fixture
def damaged(tiny_official, tmp_path):
    """A copy of TID2013 with one mistake of every kind, and two rows that are right."""
    folder = build_tid2013(tmp_path / "tid")
    images = folder / "distorted_images"
    rows = {
        "i02_01_1.bmp": "5",
        "i02_01_2.bmp": "5",
        "i02_01_3.bmp": "9.5",
        "i02_01_4.bmp": "nan",
        "i02_01_5.bmp": "?",
        "i03_01_1.bmp": "5",
    }
    for seed, name in enumerate(rows, start=50):
        save_picture(images / name, seed)
    (images / "i02_01_1.bmp").unlink()
    (images / "i02_01_2.bmp").write_bytes(b"BM no picture")
    (images / "i03_01_1.bmp").write_bytes((images / "i01_01_1.bmp").read_bytes())
    (images / "i01_01_2.bmp").write_bytes((images / "i01_01_1.bmp").read_bytes())
    (images / "._i01_01_1.bmp").write_bytes(b"what macOS leaves")
    (images / "Thumbs.db").write_bytes(b"what Windows leaves")
    save_picture(images / "i04_01_1.bmp", 77)
    with (folder / "mos_with_names.txt").open("a") as file:
        file.writelines(f"{score} {name}\n" for name, score in rows.items())
        file.write("6 I03_01_1.BMP\n")
    return folder


def test_everything_that_is_wrong_is_reported_at_once(damaged):
    report = finish(check_database(damaged, "tid2013"))
    assert subjects(report, "missing") == ["i02_01_1.bmp"]
    assert subjects(report, "unreadable") == ["i02_01_2.bmp"]
    assert subjects(report, "out of range") == ["i02_01_3.bmp"]
    assert subjects(report, "no score") == ["i02_01_4.bmp", "i02_01_5.bmp"]
    assert subjects(report, "listed twice") == ["I03_01_1.BMP"]
    assert subjects(report, "extra") == ["i04_01_1.bmp"]
    assert subjects(report, "duplicated") == ["I01_01_1.bmp, i01_01_2.bmp, i03_01_1.bmp"]
    assert subjects(report, "incomplete") == ["TID2013"]
    assert sum(report.counts.values()) == len(report.findings) == 9
    assert (report.usable, report.complete, report.listed, report.present) == (False, False, 11, 9)


def test_json_holds_every_problem_and_the_table_the_first_of_each_kind(damaged, run):
    status, out, _ = run("databases", "check", "tid2013", damaged, "--format", "json")
    answer = json.loads(out)
    assert status == 1
    assert (answer["database"], answer["usable"], answer["complete"]) == ("TID2013", False, False)
    assert answer["counts"]["no score"] == 2
    assert {"kind", "subject", "sentence"} == set(answer["problems"][0])
    assert len(answer["problems"]) == 9
    assert answer["where"] == "http://www.ponomarenko.info/tid2013.htm"
    status, out, _ = run("databases", "check", "tid2013", damaged)
    assert status == 1
    assert f"TID2013 in {damaged}: not usable, not complete\n" in out
    assert "out of range: 1\n  mos_with_names.txt, line 8: MOS 9.5 lies outside 0 to 9; " in out
    assert "ask for TID2013 at http://www.ponomarenko.info/tid2013.htm\n" in out


def test_the_table_stays_short_when_thousands_are_missing(tiny_official, tmp_path, run):
    folder = BUILDERS["cid2013"](tmp_path / "cid")
    for path in folder.rglob("*.jpg"):
        path.unlink()
    status, out, _ = run("databases", "check", "CID2013", folder)
    assert status == 1
    assert "missing: 7\n" in out
    assert "  ... and 4 more (--format json names them)\n" in out


def test_identical_images_of_one_reference_are_a_note(tiny_official, tmp_path):
    folder = build_kadid10k(tmp_path / "kadid")
    (folder / "images" / "I01_01_01.png").write_bytes((folder / "images" / "I01_25_05.png").read_bytes())
    report = finish(check_database(folder, "kadid10k"))
    assert report.findings == ()
    assert report.notes == (
        "Byte-identical, of one reference, so that no split separates them: I01_01_01.png, I01_25_05.png.",
    )


def test_a_csv_database_is_checked_by_the_same_rules(tmp_path, run):
    for seed, name in enumerate(["a.png", "b.png", "c.png"]):
        save_picture(tmp_path / name, seed)
    path = tmp_path / "mine.csv"
    path.write_text("image,mos\na.png,1\nb.png,5\n")
    status, out, _ = run("databases", "check", "csv", tmp_path, "--mos-range", 1, 5, "--format", "json")
    answer = json.loads(out)
    assert (status, answer["usable"], answer["complete"], answer["expected"]) == (1, True, True, None)
    assert [problem["subject"] for problem in answer["problems"]] == ["c.png"]
    (tmp_path / "c.png").unlink()
    assert run("databases", "check", "csv", path, "--mos-range", 1, 5)[0] == 0


def test_a_folder_without_the_scores_is_reported_with_where_to_ask(tmp_path, run):
    status, out, _ = run("databases", "check", "kadid10k", tmp_path)
    assert status == 1
    assert f"{tmp_path} does not hold KADID-10k: expected dmos.csv with images/." in out
    assert "ask for it at https://database.mmsp-kn.de/kadid-10k-database.html." in out


def test_bad_usage_ends_with_one_line_and_status_2(tmp_path, run):
    assert run("databases", "check", "tid", tmp_path) == (
        2,
        "",
        "There is no database 'tid': expected one of tid2013, kadid10k, cid2013, live-challenge, koniq10k, "
        "biq2021, or csv.\n",
    )
    assert run("databases", "check", "tid2013", tmp_path / "none") == (
        2,
        "",
        f"There is no folder or file {tmp_path / 'none'}. "
        "TID2013 is not downloaded: ask for it at http://www.ponomarenko.info/tid2013.htm.\n",
    )
    refused = run("databases", "check", "tid2013", tmp_path, "--mos-range", 0, 9)
    assert refused == (2, "", "TID2013 has its own scale: leave --mos-range out.\n")
    assert run("databases", "check", "tid2013")[0] == 2
    assert run("databases", "check", "csv", tmp_path, "--mos-range", 5, 1)[0] == 2


def test_a_check_can_be_cancelled_between_two_images(tiny_official, tmp_path):
    work = check_database(build_tid2013(tmp_path / "tid"), "tid2013")
    assert next(work).stage == "reading i01_01_1.bmp"
    work.close()
    with pytest.raises(StopIteration):
        next(work)


def test_ctrl_c_ends_a_check_with_status_130(tiny_official, tmp_path, run, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("metaiqa_core.databases.check.decode", interrupted)
    assert run("databases", "check", "tid2013", build_tid2013(tmp_path / "tid")) == (130, "", "interrupted\n")


def test_the_list_names_every_database_its_size_where_to_ask_and_what_to_cite(run):
    status, out, _ = run("databases", "list")
    assert status == 0
    for official in OFFICIAL:
        assert f"{official.size:,}" in out
        assert f"{official.name}: ask at {official.where}\n  {official.citation}\n" in out
    rows = json.loads(run("databases", "list", "--format", "json")[1])
    assert [(row["name"], row["images"]) for row in rows] == [
        ("tid2013", 3000),
        ("kadid10k", 10125),
        ("cid2013", 474),
        ("live-challenge", 1162),
        ("koniq10k", 10073),
        ("biq2021", 12000),
    ]
    assert rows[0]["distortion_types"][0] == "tid2013:AGN"


def test_commands_take_the_folder_of_a_published_database(tmp_path):
    parser = argparse.ArgumentParser()
    add_database_arguments(parser)
    folder = BUILDERS["koniq10k"](tmp_path / "koniq")
    database = chosen_database(parser.parse_args(["--database", str(folder)]))
    assert (database.name, len(database)) == ("KonIQ-10k", 4)
    (tmp_path / "mine.csv").write_text("image,mos\n10004473376.jpg,9\n")
    options = ["--images", str(folder / "1024x768"), "--mos-range", "0", "10"]
    [image] = chosen_database(parser.parse_args(["--database", str(tmp_path / "mine.csv"), *options]))
    assert (image.path, image.unit_score) == (folder / "1024x768" / "10004473376.jpg", 0.9)


def test_an_unknown_folder_is_an_error(tmp_path):
    with pytest.raises(DatabaseError, match="^There is no folder or file .*none\\.$"):
        finish(check_database(tmp_path / "none", "csv"))
