"""Uploaded predictions: numbers are computed from them, on the database's scale, and mistakes are sentences."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from results_fixtures import predictions

from metaiqa_core.errors import ResultsError
from metaiqa_core.evaluation.criteria import srocc
from metaiqa_core.results import uploads
from metaiqa_core.results.records import Protocol
from metaiqa_core.results.uploaded_predictions import holds_predictions, read_predictions_upload


def csv(rows, header="image,mos,predicted"):
    return "\n".join([header, *rows]).encode()


TYPED = csv(
    [
        f"i{reference:02d}_0{kind}_{level}.bmp,{9 - level}.0,{9 - level - 0.1 * reference}"
        for reference in range(1, 4)
        for kind in (1, 2)
        for level in range(1, 6)
    ]
)


def test_predictions_and_results_are_told_apart_by_their_first_line():
    assert holds_predictions(TYPED)
    assert holds_predictions(b'"image";"opinion_score";"predicted_score"\r\n')
    assert not holds_predictions(uploads.template().encode())


def test_type_reference_and_level_are_read_from_the_names_of_tid2013s_images():
    read = read_predictions_upload(TYPED, "mine.csv", "TID2013")
    assert {(r.distortion_type, r.protocol) for r in read.records} == {
        (kind, Protocol.LEAVE_ONE_DISTORTION_OUT) for kind in ("AGN", "ANC")
    }
    frame = read.frames["My method", "TID2013", "AGN"]
    assert set(frame["reference"]) == {"01", "02", "03"}
    assert frame["level"].tolist()[:5] == [1, 2, 3, 4, 5]
    assert frame["opinion_score"].iloc[0] == pytest.approx(8 / 9)
    [record] = [r for r in read.records if r.distortion_type == "AGN"]
    assert record.value == pytest.approx(srocc(frame["predicted_score"], frame["opinion_score"]))


@pytest.mark.parametrize(("database", "anew"), [("TID2013", "tid2013-kodak"), ("KADID-10k", "kadid10k-style")])
def test_images_that_are_synthesised_anew_are_not_called_by_the_originals_name(database, anew):
    rows = [f"kodim{reference:02d}_01_{level}.png,0.{level},0.{level}" for reference in (1, 2) for level in range(1, 6)]
    read = read_predictions_upload(csv(rows, "image,opinion_score,predicted_score"), "mine.csv", database)
    [record] = read.records
    assert (record.database, record.value, read.problems) == (anew, pytest.approx(1), ())
    [frame] = read.frames.values()
    assert set(frame["reference"]) == {"kodim01", "kodim02"}


def test_a_type_may_be_named_as_the_catalogue_names_it():
    rows = [f"{level}.png,0.{level},0.{level},tid2013:AGN" for level in range(1, 6)]
    read = read_predictions_upload(
        csv(rows, "image,opinion_score,predicted_score,distortion_type"), "mine.csv", "TID2013"
    )
    assert [record.distortion_type for record in read.records] == ["AGN"]


def test_a_database_without_types_gets_plcc_and_srocc_and_unit_scores_stay_as_they_are():
    frame = predictions(count=30)
    rows = [f"{r.image},{r.opinion_score},{r.predicted_score},LIVE Challenge" for r in frame.itertuples()]
    read = read_predictions_upload(csv(rows, "image,opinion_score,predicted_score,database"), "mine.csv", "TID2013")
    assert {(r.metric, r.database, r.n) for r in read.records} == {(m, "LIVE Challenge", 30) for m in ("plcc", "srocc")}
    assert read.frames["My method", "LIVE Challenge", ""]["opinion_score"].tolist() == pytest.approx(
        frame["opinion_score"].tolist()
    )


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("image,mos,predicted_score", 2 / 9),
        ("image,mos,predicted", 2 / 9),
        ("image,opinion_score,predicted", 2.0),
        ("image,opinion_score,predicted_score", 2.0),
    ],
)
def test_either_name_of_the_prediction_goes_with_either_name_of_peoples_score(header, kept):
    content = csv([f"i01_01_{level}.bmp,{level},{level + 1}" for level in range(1, 6)], header)
    frame = read_predictions_upload(content, "mine.csv", "TID2013").frames["My method", "TID2013", "AGN"]
    assert frame["predicted_score"].iloc[0] == pytest.approx(kept)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (csv(["a.jpg,x,1"]), "mine.csv, line 2: a score is no number"),
        (csv(["a.jpg,1"], "image,predicted"), "needs the column mos"),
        (
            csv(["a.jpg,1,2", "b.jpg,inf,1"]),
            "mine.csv, line 3: a score is no number, got 'inf'; write it like 3.75, with",
        ),
        (
            csv(["a.jpg,1,2", "1001,1,2,3"]),
            "mine.csv, line 3: it has 4 cells, and the header has 3: give each column one",
        ),
        (csv(["", "a.jpg,1"]), "mine.csv, line 3: it has 2 cells, and the header has 3"),
        (csv(["1001,1,2,3"]), "mine.csv, line 2: it has 4 cells, and the header has 3"),
        (csv(["a.jpg,b.jpg,1,2"], "image,Image,mos,predicted"), "mine.csv has two columns called image, and only one"),
        (csv(["a.jpg,1,1,2"], "image,mos,MOS,predicted"), "mine.csv has two columns called mos, and only one"),
        (csv([]), "mine.csv holds no predictions: expected a line for each image below the names of the columns."),
        (csv([",,"]), "mine.csv holds no predictions: expected a line"),
        (b"image,mos,predicted\n\xff,1,2", r"mine.csv is not UTF-8 text \(byte 20\); save it as CSV UTF-8."),
        (csv(["a.jpg,1,1,Nowhere"], "image,mos,predicted,database"), "names the database 'nowhere', which is none of"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(content, sentence):
    with pytest.raises(ResultsError, match=sentence):
        read_predictions_upload(content, "mine.csv", "LIVE Challenge")


@pytest.mark.parametrize("level", ["inf", "nan", "-1", "6", "2.5", "high", "9" * 5000])
def test_a_level_that_there_is_not_is_refused(level):
    content = csv(["a.png,1,2,AGN,1", f"b.png,2,3,AGN,{level}"], "image,mos,predicted,distortion_type,level")
    with pytest.raises(ResultsError, match=r"^mine.csv, line 3: the level is no whole number from 1 to 5, got '"):
        read_predictions_upload(content, "mine.csv", "TID2013")


def test_levels_may_be_left_empty_and_may_have_a_point():
    rows = ["a.png,1,2,AGN,", "b.png,2,3,AGN,0", "c.png,3,3,AGN,3.0", "d.png,4,3,AGN,5"]
    read = read_predictions_upload(csv(rows, "image,mos,predicted,distortion_type,level"), "mine.csv", "TID2013")
    assert read.frames["My method", "TID2013", "AGN"]["level"].tolist() == [0, 0, 3, 5]


def test_empty_cells_and_lines_that_spreadsheets_add_move_nothing():
    plain = read_predictions_upload(TYPED, "mine.csv", "TID2013")
    header, *rows = TYPED.decode().splitlines()
    for lines in (
        [header, *(f"{row}," for row in rows)],
        [f"{header},,", *(f"{row},," for row in rows), ",,,,"],
        [f",{header}", *(f"{number},{row}" for number, row in enumerate(rows))],
    ):
        read = read_predictions_upload("\r\n".join(lines).encode(), "mine.csv", "TID2013")
        assert read.records == plain.records
        assert all(read.frames[key].equals(plain.frames[key]) for key in plain.frames)


def test_a_number_names_the_line_of_its_first_image_also_after_an_empty_line():
    read = read_predictions_upload(csv(["", *(f"{score}.jpg,{score},{score}" for score in (1, 2, 3))]), "m", "CID2013")
    assert {record.source.line for record in read.records} == {3}


CELLS = st.sampled_from(
    ["a.jpg", "i01_01_1.bmp", "1", "2.5", "", "inf", "9" * 5000, '"', "TID2013", "AGN", "srocc", "\0", "\r"]
)
HEADERS = st.permutations(
    ["image", "mos", "predicted", "level", "Image", "database", "n", "", "metric", "value", "method"]
)


@given(HEADERS.map(lambda names: names[:6]), st.lists(st.lists(CELLS, min_size=5, max_size=7), max_size=4))
@settings(max_examples=200, deadline=None)
def test_any_table_is_read_or_refused_in_a_sentence(header, rows):
    content = "\n".join(map(",".join, [header, *rows])).encode()
    for read in (
        lambda: read_predictions_upload(content, "mine.csv", "TID2013"),
        lambda: uploads.read_upload(content, "m"),
    ):
        sentence = ""
        try:
            read()
        except ResultsError as error:
            sentence = str(error)
        assert sentence in ("", sentence[:499].rstrip(".") + ".")


def test_parts_that_no_number_can_be_computed_of_are_named_and_the_others_stay():
    read = read_predictions_upload(TYPED + b"\nother.bmp,3,4\ni01_03_1.bmp,3,4\n", "mine.csv", "TID2013")
    assert len(read.records) == 2
    assert read.problems[-1] == (
        "1 images have no distortion type of TID2013: name one of them, such as AGN, ANC, SCN, in the column "
        "distortion_type, not 'none'."
    )
    assert "TID2013, SCN: A correlation needs at least 3 images, got 1." in read.problems
