"""A CSV database is read as it is meant, and every mistake in it is named with its line."""

import json
import re

import pytest

from metaiqa_core.databases.csv_database import read_csv_sheet
from metaiqa_core.databases.rated_image import Database, RatedImage
from metaiqa_core.databases.reading import read_database
from metaiqa_core.databases.score_sheet import to_database
from metaiqa_core.errors import DatabaseError


@pytest.fixture
def folder(tmp_path):
    """Three image files, of which two are identical; their content plays no part in reading a database."""
    for name, content in {"a.jpg": b"one", "b.jpg": b"two", "copy of a.jpg": b"one"}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def write_csv(folder, text, encoding="utf-8"):
    path = folder / "mine.csv"
    path.write_bytes(text.encode(encoding))
    return path


def refusal(path, **options):
    with pytest.raises(DatabaseError) as caught:
        to_database(read_csv_sheet(path, **options))
    return str(caught.value)


def test_photos_come_in_the_files_order_with_unit_and_raw_scores(folder):
    database = read_database(write_csv(folder, "image,mos,comment\nb.jpg,25,nice\na.jpg,100,\n"))
    assert (database.name, database.raw_range, len(database)) == ("mine", (0, 100), 2)
    assert [(image.path, image.raw_score, image.unit_score) for image in database] == [
        (folder / "b.jpg", 25, 0.25),
        (folder / "a.jpg", 100, 1),
    ]
    assert {(image.reference, image.distortion_type, image.level) for image in database} == {(None, None, None)}


def test_reference_type_and_level_are_kept_and_their_columns_may_come_in_any_order(folder):
    text = "level,mos,type,image,reference\n3,50,kadid10k:GB,a.jpg,lake\n,60,,b.jpg,\n"
    first, second = read_database(write_csv(folder, text))
    assert (first.reference, first.distortion_type, first.level) == ("lake", "kadid10k:GB", 3)
    assert (second.reference, second.distortion_type, second.level) == (None, None, None)


def test_photos_of_one_name_in_two_folders_are_told_apart_by_their_folders(folder):
    for part in ("s1", "s2"):
        (folder / part).mkdir()
        (folder / part / "q.jpg").write_bytes(part.encode())
    database = read_database(write_csv(folder, "image,mos\ns1/q.jpg,50\na.jpg,60\n./s2/q.jpg,70\n"))
    assert [image.name for image in database] == ["s1/q.jpg", "a.jpg", "s2/q.jpg"]
    fewer = read_database(write_csv(folder, "image,mos\ns1/q.jpg,50\na.jpg,60\n"))
    assert [image.name for image in fewer] == ["q.jpg", "a.jpg"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_the_text(folder):
    database = read_database(write_csv(folder, "image,mos\r\na.jpg,50\r\n", "utf-8-sig"))
    assert database.images[0].path.name == "a.jpg"


def test_a_score_range_maps_its_ends_to_zero_and_one(folder):
    database = read_database(write_csv(folder, "image,mos\na.jpg,1\nb.jpg,5\n"), mos_range=(1, 5))
    assert [image.unit_score for image in database] == [0, 1]
    assert database.raw_range == (1, 5)


def test_images_are_found_beside_the_file_in_its_images_folder_or_where_it_is_said(folder):
    (folder / "images").mkdir()
    (folder / "images" / "c.jpg").write_bytes(b"three")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "c.jpg").write_bytes(b"three")
    path = write_csv(folder, "image,mos\nc.jpg,50\n")
    assert read_database(path).images[0].path == folder / "images" / "c.jpg"
    elsewhere = read_database(path, images=folder / "elsewhere")
    assert elsewhere.images[0].path == folder / "elsewhere" / "c.jpg"


def test_identical_files_share_a_group_and_so_do_images_of_one_reference(folder):
    for name in ("c.jpg", "d.jpg"):
        (folder / name).write_bytes(name.encode())
    text = "image,mos,reference\na.jpg,50,\nb.jpg,60,\ncopy of a.jpg,70,\nc.jpg,50,lake\nd.jpg,60,lake\n"
    groups = read_database(write_csv(folder, text)).groups()
    assert groups[0] == groups[2] != groups[1]
    assert groups[3:] == ["lake", "lake"]


def test_a_database_is_narrowed_down_in_order(folder):
    database = read_database(write_csv(folder, "image,mos\na.jpg,50\nb.jpg,60\ncopy of a.jpg,70\n"))
    assert [image.raw_score for image in database.take([2, 0])] == [70, 50]


def test_names_that_differ_from_the_file_only_in_case_are_found_and_exact_names_come_first(folder):
    (folder / "B.JPG").write_bytes(b"four")
    rows = [image.path.name for image in read_database(write_csv(folder, "image,mos\nA.jpg,50\nb.jpg,60\n"))]
    assert rows == ["a.jpg", "b.jpg"]


def test_subsets_and_distortion_types_are_listed_once_each_in_their_first_order(folder):
    text = "image,mos,type,subset\nb.jpg,1,t2,test\na.jpg,2,t1,training\ncopy of a.jpg,99,t2,\n"
    database = read_database(write_csv(folder, text))
    assert [image.subset for image in database] == ["test", "training", None]
    assert (database.distortion_types(), database.subsets()) == (("t2", "t1"), ("test", "training"))


def describe(folder, text):
    (folder / "database.json").write_text(text)
    return write_csv(folder, "image,mos\na.jpg,9\nb.jpg,4.5\n")


def test_a_description_beside_the_file_names_the_database_and_its_scale(folder):
    database = read_database(describe(folder, '{"name": "tid2013-kodak", "raw_range": [0, 9], "seed": 3}'))
    assert (database.name, database.raw_range) == ("tid2013-kodak", (0, 9))
    assert [image.unit_score for image in database] == [1, 0.5]


def test_a_scale_that_is_given_outranks_the_description(folder):
    path = describe(folder, '{"name": "tid2013-kodak", "raw_range": [0, 9]}')
    assert [image.unit_score for image in read_database(path, mos_range=(0, 18))] == [0.5, 0.25]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r".*database\.json cannot be read: .*; make it anew or delete it\."),
        ("[]", r".*database\.json must hold an object with the database's name, such as \{'name': 'mine'\}\."),
        ('{"name": "x", "raw_range": [9, 0]}', r"The score range must be LOW HIGH with LOW below HIGH, got 9 0\."),
        ('{"name": "x", "raw_range": "0-9"}', r"The score range must be two numbers, got '0-9'\."),
    ],
)
def test_a_damaged_description_is_refused(folder, text, sentence):
    assert re.fullmatch(sentence, refusal(describe(folder, text)))


LINE_MISTAKES = {
    "image,mos\na.jpg,50\nb.jpg,good\n": "mine.csv, line 3: mos must be a number, got 'good'.",
    "image,mos\na.jpg,\n": "mine.csv, line 2: mos must be a number, got ''.",
    "image,mos\na.jpg\n": "mine.csv, line 2: mos must be a number, got None.",
    "image,mos\na.jpg,101\n": (
        "mine.csv, line 2: mos 101 lies outside 0 to 100; name the scale with --mos-range LOW HIGH."
    ),
    "image,mos\na.jpg,nan\n": (
        "mine.csv, line 2: mos nan lies outside 0 to 100; name the scale with --mos-range LOW HIGH."
    ),
    "image,mos\n\na.jpg,50\n,50\n": "mine.csv, line 4: the image name is empty.",
    "image,mos,level\na.jpg,50,strong\n": "mine.csv, line 2: level must be a whole number from 0 to 999, got 'strong'.",
    f"image,mos,level\na.jpg,50,{10**30}\n": (
        f"mine.csv, line 2: level must be a whole number from 0 to 999, got '{10**30}'."
    ),
    "image,mos\na.jpg,50\nb.jpg,60\na.jpg,50\n": (
        "mine.csv, line 4: a.jpg was rated already in mine.csv, line 2; keep one of the two rows."
    ),
    "image,mos\na.jpg,50\nb.jpg,x\na.jpg,200\n": (
        "mine.csv, line 3: mos must be a number, got 'x'. 2 more such problems: `databases check` lists them all."
    ),
    "image,mos\n": "mine.csv has a header but no images.",
    "": "mine.csv has no column 'image': expected a header line with image and mos, found an empty file.",
    "image,score\na.jpg,50\n": (
        "mine.csv has no column 'mos': expected a header line with image and mos, found image, score."
    ),
    "a.jpg,50\nb.jpg,60\n": (
        "mine.csv has no column 'image': expected a header line with image and mos, found a.jpg, 50."
    ),
    "image,mos\na.jpg,1.5\nb.jpg,4.5\n": (
        "All scores of mine.csv lie between 1.5 and 4.5, which is no 0-100 scale: "
        "name theirs, for instance --mos-range 1 5."
    ),
}


@pytest.mark.parametrize(("text", "sentence"), LINE_MISTAKES.items(), ids=LINE_MISTAKES.values())
def test_every_mistake_is_one_sentence(folder, text, sentence):
    assert refusal(write_csv(folder, text)) == sentence


def test_a_missing_image_is_named_with_its_line_and_folder(folder):
    path = write_csv(folder, "image,mos\na.jpg,50\nlost.jpg,60\n")
    assert refusal(path) == (
        f"mine.csv, line 3: there is no image lost.jpg in {folder}; name the folder of the images with --images."
    )


def test_a_missing_file_says_what_a_database_is(tmp_path):
    path = tmp_path / "none.csv"
    assert refusal(path) == f"There is no file {path}; a CSV database has the columns image and mos."


def test_a_file_that_is_no_text_is_refused(folder):
    (folder / "mine.csv").write_bytes(b"image,mos\n\xff\xfe\n")
    assert re.fullmatch(
        r"mine\.csv cannot be read as a CSV file: .*can't decode byte 0xff.*\.", refusal(folder / "mine.csv")
    )


def test_a_folder_in_place_of_the_file_is_refused(folder):
    assert re.fullmatch(rf"{folder.name} cannot be read as a CSV file: .*Is a directory.*\.", refusal(folder))


@pytest.mark.parametrize("mos_range", [(5, 1), (1, 1), (0, float("inf")), (float("nan"), 5)])
def test_a_score_range_must_have_two_different_finite_ends(folder, mos_range):
    low, high = mos_range
    assert refusal(write_csv(folder, "image,mos\na.jpg,3\n"), mos_range=mos_range) == (
        f"The score range must be LOW HIGH with LOW below HIGH, got {low:g} {high:g}."
    )


def test_programming_mistakes_stay_value_errors(tmp_path):
    with pytest.raises(ValueError, match=r"^unit_score must be in \[0, 1\], got 1\.5 for a\.jpg$"):
        RatedImage(tmp_path / "a.jpg", unit_score=1.5, raw_score=150)
    with pytest.raises(ValueError, match="^a database must hold at least one image$"):
        Database("empty", (), (0, 100))


def test_a_description_may_say_that_photos_come_in_series(folder):
    assert not read_database(describe(folder, '{"name": "mine", "raw_range": [0, 9]}')).series
    assert read_database(describe(folder, '{"name": "mine", "raw_range": [0, 9], "series": true}')).series
    path = describe(folder, '{"name": "mine", "series": "yes"}')
    with pytest.raises(DatabaseError, match=r"database\.json: series must be true or false, got 'yes'\.$"):
        read_database(path)


@pytest.mark.parametrize(
    "text",
    [
        "image, mos\na.jpg, 40\nb.jpg, 60\n",
        " image ,mos \na.jpg,40\nb.jpg,60\n",
        "\timage\t,\u00a0mos\na.jpg,40\nb.jpg,60\n",
        "mos, image, type \n40, a.jpg, kadid10k:GB \n60, b.jpg , kadid10k:WN\n",
        '"image", "mos"\n"a.jpg", "40"\n"b.jpg", "60"\n',
    ],
)
def test_spaces_around_names_of_columns_and_after_commas_are_no_part_of_them(folder, text):
    database = read_database(write_csv(folder, text))
    assert [(image.path.name, image.raw_score) for image in database] == [("a.jpg", 40), ("b.jpg", 60)]
    assert database.distortion_types() == (("kadid10k:GB", "kadid10k:WN") if "type" in text else ())


@pytest.mark.parametrize("header", ["image,mos,mos", "image,mos, mos", "image,image ,mos", "note,image,mos,note"])
def test_two_columns_of_one_name_are_refused(folder, header):
    name = {"image,image ,mos": "image", "note,image,mos,note": "note"}.get(header, "mos")
    columns = header.count(",") + 1
    sentence = refusal(write_csv(folder, f"{header}\n" + ",".join(["a.jpg"] * columns) + "\n"))
    assert sentence == (
        f"mine.csv has 2 columns called {name!r}, and only one of them can be meant: rename or delete the others."
    )


def test_columns_without_a_name_are_passed_over(folder):
    database = read_database(write_csv(folder, ",image,mos,,\n0,a.jpg,40,,\n1,b.jpg,60,,\n"))
    assert [image.raw_score for image in database] == [40, 60]


@pytest.mark.parametrize("value", ["19", [1, 10**400], [1], {"low": 1}])
def test_a_scale_in_the_description_is_two_numbers(folder, value):
    (folder / "database.json").write_text(json.dumps({"name": "mine", "raw_range": value}))
    assert refusal(write_csv(folder, "image,mos\na.jpg,4\n")).startswith("The score range must be two numbers")
