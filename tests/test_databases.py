"""Every published database is recognised in its official layout and read as its authors meant it."""

import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_layouts import (
    BIQ2021_FILES,
    BIQ2021_ROWS,
    BUILDERS,
    CID2013_FILES,
    KONIQ10K_ROWS,
    build_biq2021,
    build_cid2013,
    build_kadid10k,
    build_koniq10k,
    build_live_challenge,
    build_tid2013,
    koniq10k_mos,
    save_picture,
)

from metaiqa_core.databases.biq2021 import BIQ2021
from metaiqa_core.databases.catalogue import OFFICIAL, find_official
from metaiqa_core.databases.kadid10k import KADID10K
from metaiqa_core.databases.koniq10k import KONIQ10K
from metaiqa_core.databases.reading import read_database, read_sheet
from metaiqa_core.databases.score_sheet import ScoreRow, ScoreSheet, match_images
from metaiqa_core.databases.tid2013 import TID2013
from metaiqa_core.distortions import kadid10k, tid2013
from metaiqa_core.errors import DatabaseError


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    return {key: build(tmp_path_factory.mktemp("databases") / key) for key, build in BUILDERS.items()}


def refusal(*arguments, **options):
    with pytest.raises(DatabaseError) as caught:
        read_database(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("official", OFFICIAL, ids=lambda official: official.key)
def test_every_layout_is_recognised_and_gives_unit_scores_that_keep_the_order(layouts, official):
    database = read_database(layouts[official.key])
    assert (database.name, database.raw_range) == (official.name, official.raw_range)
    assert all(0 <= image.unit_score <= 1 and image.path.is_file() for image in database)
    by_raw = sorted(database, key=lambda image: image.raw_score)
    assert by_raw == sorted(database, key=lambda image: image.unit_score)
    assert len({image.path for image in database}) == len(database)


@pytest.mark.parametrize("official", OFFICIAL, ids=lambda official: official.key)
def test_the_folder_around_a_database_will_do(layouts, official, tmp_path):
    shutil.copytree(layouts[official.key], tmp_path / "unpacked")
    assert len(read_database(tmp_path)) == len(read_database(layouts[official.key]))


def test_tid2013_names_are_found_whatever_their_case(layouts):
    database = read_database(layouts["tid2013"])
    assert [image.path.name for image in database] == [
        "i01_01_1.bmp",
        "i01_01_2.bmp",
        "I01_11_1.bmp",
        "I25_24_5.BMP",
    ]
    assert [image.reference for image in database] == ["I01", "I01", "I01", "I25"]
    assert database.distortion_types() == ("tid2013:AGN", "tid2013:JP2K", "tid2013:SSR")
    assert [image.level for image in database] == [1, 2, 1, 5]
    assert [image.raw_score for image in database] == [5.51429, 4.94444, 0.24242, 7.21429]
    assert database.images[0].unit_score == pytest.approx(5.51429 / 9)


def test_kadid10k_scores_are_higher_for_better_images_and_its_references_are_not_rated(layouts):
    first, second, third = read_database(layouts["kadid10k"])
    assert (first.distortion_type, first.level, first.reference) == ("kadid10k:GB", 1, "I01")
    assert (second.distortion_type, second.level, second.unit_score) == ("kadid10k:CC", 5, 0)
    assert (third.distortion_type, third.level, third.reference, third.unit_score) == ("kadid10k:JP2K", 3, "I81", 1)


def test_the_readers_know_the_types_that_the_distortion_catalogue_knows():
    assert TID2013.distortion_types == tuple(entry.key for entry in tid2013.TID2013)
    assert KADID10K.distortion_types == tuple(entry.key for entry in kadid10k.KADID10K)


def test_cid2013_has_six_subsets_and_one_scale_for_all_of_them(layouts):
    folder = layouts["cid2013"]
    database = read_database(folder)
    assert [image.path for image in database] == [folder / name for name in CID2013_FILES]
    assert [image.subset for image in database] == ["IS1", "IS1", "IS2", "IS3", "IS4", "IS5", "IS6"]
    assert [image.raw_score for image in database] == [61.25, 25, 0, 100, 40, 41, 42]
    assert database.subsets() == ("IS1", "IS2", "IS3", "IS4", "IS5", "IS6")


def test_live_challenge_leaves_out_the_practice_photos(layouts):
    database = read_database(layouts["live-challenge"])
    assert [image.path.name for image in database] == ["3.bmp", "4.bmp", "246.bmp", "333.bmp", "1169.JPG"]
    assert database.images[0].unit_score == pytest.approx(0.44446122)
    groups = database.groups()
    assert groups[2] == groups[3]
    assert len(set(groups)) == 4


def test_koniq10k_gives_the_same_scores_whichever_of_its_files_is_there(tmp_path):
    expected = [(koniq10k_mos(votes) - 1) / 4 for _, votes, *_ in KONIQ10K_ROWS]
    sets = [part for *_, part in KONIQ10K_ROWS]
    for files, subsets in {
        ("scores", "sets"): sets,
        ("sets",): sets,
        ("scores",): [None] * 4,
    }.items():
        database = read_database(build_koniq10k(tmp_path / "-".join(files), files))
        assert [image.unit_score for image in database] == pytest.approx(expected)
        assert [image.subset for image in database] == subsets


def test_koniq10k_photos_come_at_full_size_unless_there_is_only_half_or_it_is_asked_for(tmp_path):
    def folders(folder, **options):
        return {image.path.parent.name for image in read_database(folder, **options)}

    both = build_koniq10k(tmp_path / "both", sizes=("512x384", "1024x768"))
    assert folders(both) == {"1024x768"}
    assert folders(both, images=both / "512x384") == {"512x384"}
    assert folders(build_koniq10k(tmp_path / "half", sizes=("512x384",))) == {"512x384"}


def test_koniq10k_scores_may_lie_in_the_folder_that_their_archive_makes(tmp_path):
    folder = build_koniq10k(tmp_path / "koniq", files=("scores",))
    inner = folder / "koniq10k_scores_and_distributions"
    inner.mkdir()
    (folder / f"{inner.name}.csv").rename(inner / f"{inner.name}.csv")
    assert len(read_database(folder)) == 4


def test_biq2021_reads_both_official_splits_by_name_and_finds_the_photo_that_is_spelled_otherwise(layouts):
    database = read_database(layouts["biq2021"])
    assert [image.path.name for image in database] == [
        "ss03 (3753).jpg",
        "ss01 (1726).jpg",
        "ss02 (1014).JPG",
        "ss02 (7).jpg",
    ]
    assert [image.subset for image in database] == ["training", "training", "training", "test"]
    assert [image.unit_score for image in database] == [0.8471, 0, 0.3201, 1]
    assert database.series


@pytest.mark.parametrize(("split", "other"), [("training", "test"), ("test", "training")])
def test_biq2021_reads_one_split_where_the_other_is_not_laid_out(tmp_path, split, other):
    folder = build_biq2021(tmp_path / split, splits=(split,))
    assert [image.subset for image in read_database(folder)] == [split] * len(BIQ2021_ROWS[split])
    assert read_sheet(folder).notes == (
        f"Only the {split} split is read: there is no {BIQ2021_FILES[other]}, which names the {other} photos.",
    )


def test_series_are_a_choice_of_the_database_and_every_part_of_it_keeps_it(layouts):
    assert [official.key for official in OFFICIAL if official.series] == ["biq2021"]
    database = read_database(layouts["biq2021"])
    assert database.take([0, 2]).series
    assert database.take([0]).series


@given(
    st.sampled_from([official.raw_range for official in OFFICIAL]),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_scores_within_the_scale_become_unit_scores_in_the_same_order(tmp_path_factory, raw_range, shares):
    folder = tmp_path_factory.getbasetemp() / "scores"
    folder.mkdir(exist_ok=True)
    low, high = raw_range
    scores = [min(low + share * (high - low), high) for share in shares]
    for number in range(len(scores)):
        (folder / f"{number}.png").touch()
    rows = tuple(ScoreRow(f"row {number}", f"{number}.png", repr(score)) for number, score in enumerate(scores))
    matched = match_images(ScoreSheet("any", "MOS", raw_range, (folder,), rows, "", ""))
    assert not matched.findings
    units = [image.unit_score for image in matched.rated]
    assert all(0 <= unit <= 1 for unit in units)
    pairs = list(zip(scores, units, strict=True))
    assert all(a[1] <= b[1] for a in pairs for b in pairs if a[0] <= b[0])


def test_official_subsets_share_no_image_and_use_every_image(layouts):
    for key, official in (("cid2013", find_official("cid2013")), ("koniq10k", KONIQ10K), ("biq2021", BIQ2021)):
        database = read_database(layouts[key])
        parts = [{image.path for image in database.images if image.subset == name} for name, _ in official.subsets]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(database)
    for official in (KONIQ10K, BIQ2021):
        assert sum(size for _, size in official.subsets) == official.size


def test_synthesised_folders_are_read_through_their_scores_csv(tmp_path):
    for name in ("lake_01_1", "lake_08_2"):
        save_picture(tmp_path / "images" / f"{name}.png", len(name))
    (tmp_path / "database.json").write_text('{"name": "tid2013-kodak", "raw_range": [0, 9]}')
    (tmp_path / "scores.csv").write_text(
        "image,reference,type,level,mos,mos_std,label_source\n"
        "images/lake_01_1.png,lake,tid2013:AGN,1,4.5,,people\n"
        "images/lake_08_2.png,lake,tid2013:GB,2,0.9,0.2,means\n"
    )
    (tmp_path / "recipe.csv").write_text("another table\n")
    database = read_database(tmp_path)
    assert (database.name, [image.unit_score for image in database]) == ("tid2013-kodak", [0.5, 0.1])
    assert database.distortion_types() == ("tid2013:AGN", "tid2013:GB")


def test_a_csv_database_beside_an_unpacked_one_is_not_mistaken_for_it(tmp_path):
    build_kadid10k(tmp_path / "kadid10k")
    save_picture(tmp_path / "a.png", 0)
    (tmp_path / "mine.csv").write_text("image,mos\na.png,50\n")
    assert read_database(tmp_path).name == "mine"
    assert read_database(tmp_path, "KADID-10k").name == "KADID-10k"
    assert read_database(tmp_path, "csv").name == "mine"


def test_what_is_not_recognised_says_what_was_looked_for(tmp_path):
    assert refusal(tmp_path / "none") == (
        f"There is no folder or file {tmp_path / 'none'}: expected a database of rated photos."
    )
    assert refusal(tmp_path) == (
        f"The folder {tmp_path} holds no database: looked for scores.csv or one other CSV file; "
        "mos_with_names.txt (TID2013); dmos.csv (KADID-10k); CID2013 data*.xlsx (CID2013); "
        "Data/AllMOS_release.mat (LIVE Challenge); koniq10k_scores_and_distributions.csv (KonIQ-10k); "
        "Train (Images and MOS).csv (BIQ2021)."
    )
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).touch()
    assert refusal(tmp_path) == f"The folder {tmp_path} holds 2 CSV files: name the one with image and mos."
    assert refusal(tmp_path, "tid2013") == (
        f"{tmp_path} does not hold TID2013: expected mos_with_names.txt with distorted_images/. "
        "This program downloads no database: ask for it at http://www.ponomarenko.info/tid2013.htm."
    )
    assert refusal(tmp_path, "tid2014") == (
        "There is no database 'tid2014': expected one of tid2013, kadid10k, cid2013, live-challenge, koniq10k, "
        "biq2021, or csv."
    )


def test_two_databases_in_one_folder_must_be_told_apart(layouts, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(layouts["tid2013"], tmp_path / name)
    assert refusal(tmp_path) == f"{tmp_path} holds TID2013 twice, in one and two: name one."
    shutil.rmtree(tmp_path / "two")
    shutil.copytree(layouts["kadid10k"], tmp_path / "two")
    assert refusal(tmp_path) == f"{tmp_path} holds TID2013 and KADID-10k: name the folder of one of them."


def test_options_that_do_not_fit_are_refused(layouts, tmp_path):
    assert refusal(layouts["tid2013"], mos_range=(0, 9)) == "TID2013 has its own scale: leave --mos-range out."
    assert refusal(layouts["tid2013"], images=tmp_path / "no") == (
        f"There is no folder {tmp_path / 'no'}: --images names the folder of the image files."
    )


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


RESCORED = {
    "tid2013": ("mos_with_names.txt", "5.51429"),
    "kadid10k": ("dmos.csv", "4.57"),
    "koniq10k": ("koniq10k_scores_and_distributions.csv", "1.146788990825688"),
    "biq2021": ("Train (Images and MOS).csv", "0.8471"),
}


@pytest.mark.parametrize("key", RESCORED)
@pytest.mark.parametrize(
    ("score", "words"),
    [
        ("99", "99 lies outside"),
        ("nan", "nan lies outside"),
        ("", "must be a number, got ''"),
        ("-1", "-1 lies outside"),
    ],
)
def test_a_score_that_is_missing_or_out_of_range_is_named_with_its_place(layouts, tmp_path, key, score, words):
    folder = tmp_path / key
    shutil.copytree(layouts[key], folder)
    file, old = RESCORED[key]
    change(folder / file, old, score)
    assert re.match(rf"{re.escape(file)}, line \d: d?(MOS|mos) {re.escape(words)}", refusal(folder))


def test_mistakes_in_the_score_files_are_named(tmp_path):
    def changed(build, name, file, old, new):
        folder = build(tmp_path / name)
        change(folder / file, old, new)
        return refusal(folder)

    tid = "mos_with_names.txt"
    assert changed(build_tid2013, "a", tid, "i01_01_2.bmp", "i01_25_2.bmp") == (
        "mos_with_names.txt, line 2: expected a MOS and a name such as 5.51429 I01_01_1.bmp, "
        "got '4.94444 i01_25_2.bmp'."
    )
    assert changed(build_tid2013, "b", tid, "i01_01_2.bmp", "i01_01_1.bmp") == (
        "mos_with_names.txt, line 2: i01_01_1.bmp was rated already in mos_with_names.txt, line 1; "
        "keep one of the two rows."
    )
    assert changed(build_kadid10k, "c", "dmos.csv", "I81.png", "I80.png") == (
        "dmos.csv, line 4: I81_09_03.png belongs to I81.png, but ref_img says 'I80.png'."
    )
    assert changed(build_kadid10k, "d", "dmos.csv", "dmos,var", "mos,var") == (
        "dmos.csv has no column 'dmos': expected a header line with dist_img, ref_img and dmos, "
        "found dist_img, ref_img, mos, var."
    )
    sets = "koniq10k_distributions_sets.csv"
    assert changed(build_koniq10k, "e", sets, "validation", "valid") == (
        f"{sets}, line 4: set must be training, validation or test, got 'valid'."
    )
    assert changed(build_koniq10k, "f", sets, "10007357496.jpg", "10004473376.jpg") == (
        f"{sets}, line 3: 10004473376.jpg is in two sets, training and test; unpack the file anew."
    )
    assert changed(build_koniq10k, "g", sets, "10007357496.jpg", "1.jpg") == (
        "koniq10k_scores_and_distributions.csv, line 3: "
        f"{sets} names no set for 10007357496.jpg; use the two files of one release."
    )


def test_mistakes_in_the_split_files_of_biq2021_are_named(tmp_path):
    def changed(name, split, old, new):
        folder = build_biq2021(tmp_path / name)
        change(folder / BIQ2021_FILES[split], old, new)
        return refusal(folder)

    train, test = BIQ2021_FILES["training"], BIQ2021_FILES["test"]
    assert changed("a", "test", "ss02 (7).jpg", "SS03 (3753).jpg") == (
        f"{test}, line 2: SS03 (3753).jpg is in both splits, here and in {train}, line 2; unpack the two files anew."
    )
    assert changed("b", "test", "ss02 (7).jpg", "ss02 (8).jpg") == (
        f"{test}, line 2: there is no image ss02 (8).jpg in {tmp_path / 'b' / 'Images'}; "
        "unpack the images anew, or name their folder with --images."
    )
    assert changed("c", "training", "ss01 (1726).jpg", "ss03 (3753).jpg") == (
        f"{train}, line 3: ss03 (3753).jpg was rated already in {train}, line 2; keep one of the two rows."
    )
    assert changed("d", "training", "ss01 (1726).jpg", "") == f"{train}, line 3: the image name is empty."
    assert changed("e", "training", "Image Name", "image") == (
        f"{train} has no column 'Image Name': expected a header line with Image Name and MOS, found image, MOS, , ."
    )


def test_mistakes_in_binary_score_files_are_named(tmp_path):
    live = build_live_challenge(tmp_path / "live", scores=[1, 2, float("nan"), 4, 5])
    assert refusal(live).startswith("AllImages_release.mat, entry 10: MOS nan lies outside 0 to 100; ")
    short = build_live_challenge(tmp_path / "short", scores=[1, 2])
    assert refusal(short).startswith("AllImages_release.mat names 12 photos and AllMOS_release.mat holds 9 scores: ")
    (short / "Data" / "AllMOS_release.mat").write_bytes(b"no MATLAB file" * 20)
    assert re.fullmatch(r"AllMOS_release\.mat cannot be read as a MATLAB file: .*\.", refusal(short), re.DOTALL)
    (short / "Data" / "AllImages_release.mat").unlink()
    assert refusal(short) == (f"There is no file {short / 'Data' / 'AllImages_release.mat'}; LIVE Challenge has one.")
    cid = build_cid2013(tmp_path / "cid", sheet="Other")
    assert refusal(cid) == ("CID2013 data - version 12112014.xlsx has no sheet 'CID2013 MOS', but Read me, Other.")
    headless = build_cid2013(tmp_path / "headless", header=("Source_ID", "MOS", "Sharpness"))
    assert refusal(headless) == (
        "CID2013 data - version 12112014.xlsx has no columns Source_ID and Realigned MOS in the first rows "
        "of the sheet CID2013 MOS."
    )
    (cid / "CID2013 data - version 12112014.xlsx").write_bytes(b"no workbook")
    assert re.fullmatch(r"CID2013 data.*\.xlsx cannot be read as an Excel workbook: .*\.", refusal(cid))
