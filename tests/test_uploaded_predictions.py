"""Uploaded predictions: numbers are computed from them, on the database's scale, and mistakes are sentences."""

import pytest
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
        (csv(["a.jpg,1,1,Nowhere"], "image,mos,predicted,database"), "names the database 'nowhere', which is none of"),
    ],
)
def test_what_is_wrong_with_a_file_is_a_sentence(content, sentence):
    with pytest.raises(ResultsError, match=sentence):
        read_predictions_upload(content, "mine.csv", "LIVE Challenge")


def test_parts_that_no_number_can_be_computed_of_are_named_and_the_others_stay():
    read = read_predictions_upload(TYPED + b"\nother.bmp,3,4\ni01_03_1.bmp,3,4\n", "mine.csv", "TID2013")
    assert len(read.records) == 2
    assert read.problems[-1] == (
        "1 images have no distortion type of TID2013: name one of them, such as AGN, ANC, SCN, in the column "
        "distortion_type, not 'none'."
    )
    assert "TID2013, SCN: A correlation needs at least 3 images, got 1." in read.problems
