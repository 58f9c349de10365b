"""Own runs: round trips, damage, foreign files, and lazy predictions."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from results_fixtures import leave_one_out_run, measured, predictions

from metaiqa_core.errors import ResultsError
from metaiqa_core.results import storage
from metaiqa_core.results.records import Measured, Protocol, Published, ResultRecord
from metaiqa_core.settings import runs_folder


def one_record(run="run", cell=None, **changes):
    fields = {
        "method": "MetaIQA",
        "database": "TID2013",
        "protocol": Protocol.LEAVE_ONE_DISTORTION_OUT,
        "distortion_type": "GB",
        "metric": "srocc",
        "value": 0.8,
        "interval": (0.7, 0.9),
        "n": 125,
        "source": measured(run, cell, k=5, preset="paper", decay=None),
    }
    return ResultRecord(**{**fields, **changes})


def test_a_run_comes_back_as_it_was_written(tmp_path):
    written = leave_one_out_run(tmp_path, "run", types=3)
    read = storage.read_run(tmp_path / "run")
    assert read == written
    assert len(read.records) == 3
    frame = storage.read_predictions(read, "ANC-seed0")
    pd.testing.assert_frame_equal(frame, predictions("ANC", agreement=0.8, seed=1))


def test_a_measurement_names_its_model_by_the_first_digits_of_its_hash_alone():
    source = Measured("mine", "ab" * 32, {}, 3, "", "2026-03-01T10:00:00", "1")
    assert str(source) == "measured here: run mine, model abababababab, seed 3, 2026-03-01"
    without = replace(source, model_hash="not kept: one model a split")
    assert str(without) == "measured here: run mine, model not kept, seed 3, 2026-03-01"


def test_a_label_is_a_field_of_its_own_and_by_default_the_method(tmp_path):
    folder = tmp_path / "run"
    storage.write_run(folder, [one_record(), one_record(distortion_type="AGN", label="MetaIQA, k = 5")])
    plain, labelled = storage.read_run(folder).records
    assert (plain.method, plain.label) == ("MetaIQA", "MetaIQA")
    assert (labelled.method, labelled.label) == ("MetaIQA", "MetaIQA, k = 5")
    written = json.loads((folder / "results.json").read_text())["records"]
    assert ["label" in record for record in written] == [False, True]  # as version 0.1 wrote and reads them


def test_the_folder_is_found_by_environment_or_default(tmp_path):
    assert runs_folder({"METAIQA_RUNS": str(tmp_path)}) == tmp_path
    assert str(runs_folder({})) == "runs"


def test_a_run_grows_and_keeps_the_predictions_of_earlier_cells(tmp_path):
    folder = tmp_path / "run"
    first, second = one_record(cell="GB"), one_record(cell="AGN", distortion_type="AGN")
    storage.write_run(folder, [first], {"GB": predictions("GB")})
    storage.write_run(folder, [first, second], {"AGN": predictions("AGN")})
    run = storage.read_run(folder)
    assert set(run.predictions) == {"GB", "AGN"}
    assert storage.read_predictions(run, "GB")["distortion_type"].unique().tolist() == ["GB"]


def test_replaced_predictions_leave_no_file_behind(tmp_path):
    folder = tmp_path / "run"
    storage.write_run(folder, [one_record(cell="GB")], {"GB": predictions(seed=0)})
    storage.write_run(folder, [one_record(cell="GB")], {"GB": predictions(seed=1)})
    assert len(list((folder / "predictions").iterdir())) == 1


def test_a_failed_write_leaves_the_earlier_run_as_it_was(tmp_path, monkeypatch):
    folder = tmp_path / "run"
    before = storage.write_run(folder, [one_record(cell="GB")], {"GB": predictions(seed=0)})

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage, "write_text", full_disk)
    with pytest.raises(OSError, match="No space left"):
        storage.write_run(folder, [one_record(cell="GB", value=0.1)], {"GB": predictions(seed=1)})
    monkeypatch.undo()
    assert storage.read_run(folder) == before
    assert storage.read_predictions(storage.read_run(folder), "GB").equals(predictions(seed=0))


def test_finding_runs_never_opens_a_prediction(tmp_path, monkeypatch):
    leave_one_out_run(tmp_path, "run", types=2)
    monkeypatch.setattr(pd, "read_parquet", lambda *_: pytest.fail("a prediction file was opened"))
    for file in (tmp_path / "run" / "predictions").iterdir():
        file.unlink()
    runs, problems = storage.find_runs(tmp_path)
    assert [run.name for run in runs] == ["run"]
    assert problems == []


def test_a_run_that_has_not_measured_anything_is_passed_over(tmp_path):
    (tmp_path / "starting").mkdir()
    assert storage.find_runs(tmp_path) == ([], [])
    assert storage.find_runs(tmp_path / "nowhere") == ([], [])


def content(**changes):
    base = {
        "format": "metaiqa-results",
        "schema_version": 1,
        "configurations": [{}],
        "sources": [],
        "records": [],
        "predictions": {},
    }
    return json.dumps({**base, **changes})


SOURCE = {
    "run": "bad", "model_hash": "", "configuration": 0, "seed": 0, "split_hash": "", "date": "", "code_version": "",
    "predictions": None,
}  # fmt: skip
RECORD = {
    "method": "A", "database": "B", "protocol": "authentic", "distortion_type": None, "metric": "srocc", "value": 0.5,
    "interval": None, "n": 3, "source": 0,
}  # fmt: skip


def with_record(**changes):
    return content(sources=[SOURCE], records=[{**RECORD, **changes}])


def with_source(**changes):
    return content(sources=[{**SOURCE, **changes}])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is damaged: it is not readable JSON. Run it again."),
        ("[" * 100_000, "is damaged: it is not readable JSON. Run it again."),
        ("[]", "was not written by this program: its format is not metaiqa-results."),
        ('{"format": "coco"}', "was not written by this program: its format is not metaiqa-results."),
        (content(schema_version=2), "has schema version 2, this program reads 1."),
        (content(records=[RECORD]), "is damaged: it points to entry 0 of a list of 0."),
        (with_record(value=1.5), "is damaged: SROCC is a finite number, -1 to 1, got 1.5."),
        (with_record(value=None), "is damaged: records.0.value must be a number, got None. Run it again."),
        (
            with_record(protocol="guess"),
            "is damaged: records.0.protocol must be leave-one-distortion-out, authentic, ablation",
        ),
        (with_record(label=["x"]), "is damaged: records.0.label must be a text, got ['x']."),
        (with_source(predictions="../../etc"), "is damaged: A predictions name is up to 100 letters"),
        (with_source(run=["x"]), "is damaged: sources.0.run must be a text, got ['x']."),
        (with_source(extra=1), "is damaged: sources.0.extra is a field that this version does not know."),
        (with_source(date=3), "is damaged: sources.0.date must be a text, got 3."),
        (with_source(seed="0"), "is damaged: sources.0.seed must be a whole number, got '0'."),
        (with_record(database=["B"]), "is damaged: records.0.database must be a text, got ['B']."),
        (with_record(method=""), "is damaged: records.0.method must be a text that is not empty, got ''."),
        (with_record(n=True), "is damaged: records.0.n must be a whole number, got True."),
        (with_record(n=10**15), "is damaged: records.0.n must be at most 1e+09, got 1000000000000000."),
        (with_record(interval=[0.1]), "is damaged: records.0.interval.1 is missing."),
        (with_record(value=float("nan")), "is damaged: it is not readable JSON. Run it again."),
        (with_record(source=-1), "is damaged: records.0.source must be at least 0, got -1."),
        (content(configurations=[{"k": "five"}]), "is damaged: configurations.0.k must be a whole number of at least"),
        (content(configurations=[3]), "is damaged: configurations.0 must be an object, got 3."),
        (
            content(predictions={"a": {"file": 3, "sha256": "", "rows": 1}}),
            "is damaged: predictions.a.file must be a te",
        ),
    ],
)
def test_a_damaged_or_foreign_file_is_skipped_with_a_sentence(tmp_path, text, sentence):
    leave_one_out_run(tmp_path, "good", types=1)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text(text)
    with pytest.raises(ResultsError) as error:
        storage.read_run(tmp_path / "bad")
    assert str(error.value).startswith(f"bad/results.json {sentence}")
    runs, problems = storage.find_runs(tmp_path)
    assert "good" in [run.name for run in runs]
    assert problems in ([], [str(error.value)])  # what only a record's reader can see is found when the run is read


@pytest.mark.parametrize("text", ["{", "[]", content(schema_version=2), content(records=3), content(records=[{}])])
def test_finding_runs_passes_over_a_file_whose_records_cannot_be_listed(tmp_path, text):
    leave_one_out_run(tmp_path, "good", types=1)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_text(text)
    runs, problems = storage.find_runs(tmp_path)
    assert [run.name for run in runs] == ["good"]
    assert len(problems) == 1
    assert problems[0].startswith("bad/results.json ")


def test_predictions_of_another_length_than_the_run_says_are_not_unpacked(tmp_path):
    leave_one_out_run(tmp_path, "run", types=1)
    path = tmp_path / "run" / "results.json"
    stored = json.loads(path.read_text())
    stored["predictions"]["AGN-seed0"]["rows"] = 7
    path.write_text(json.dumps(stored))
    with pytest.raises(ResultsError, match="are damaged: it has 125 rows, expected 7"):
        storage.read_predictions(storage.read_run(tmp_path / "run"), "AGN-seed0")


def test_a_summary_says_when_and_what_a_run_measured(tmp_path):
    leave_one_out_run(tmp_path, "run", types=2)
    (run,) = storage.find_runs(tmp_path)[0]
    assert run == storage.RunSummary(
        tmp_path / "run", "2026-03-01T12:00:00", frozenset({("leave-one-distortion-out", "TID2013")})
    )


def test_bytes_that_are_no_text_are_damage_not_a_crash(tmp_path):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "results.json").write_bytes(b"\xff\xfe\x00")
    assert storage.find_runs(tmp_path)[1] == ["bad/results.json is damaged: it is not readable JSON. Run it again."]


def test_a_copied_run_goes_by_its_folders_name(tmp_path):
    leave_one_out_run(tmp_path, "original", types=2)
    (tmp_path / "original").rename(tmp_path / "copy")
    run = storage.read_run(tmp_path / "copy")
    assert {record.source.run for record in run.records} == {"copy"}
    assert len(storage.read_predictions(run, "AGN-seed0")) == 125


def test_changed_and_missing_predictions_are_named(tmp_path):
    run = leave_one_out_run(tmp_path, "run", types=1)
    file = next((tmp_path / "run" / "predictions").iterdir())
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(
        ResultsError, match=f"The predictions {file.name} of the run run were changed after the run wrote"
    ):
        storage.read_predictions(run, "AGN-seed0")
    file.unlink()
    with pytest.raises(ResultsError, match=f"The predictions {file.name} of the run run are missing."):
        storage.read_predictions(run, "AGN-seed0")
    with pytest.raises(ResultsError, match="The run run stores no predictions called GB."):
        storage.read_predictions(run, "GB")


def test_a_prediction_file_outside_the_run_is_not_opened(tmp_path):
    run = leave_one_out_run(tmp_path, "run", types=1)
    path = tmp_path / "run" / "results.json"
    stored = json.loads(path.read_text())
    stored["predictions"]["AGN-seed0"]["file"] = "../../secret.parquet"
    path.write_text(json.dumps(stored))
    with pytest.raises(ResultsError, match="names a prediction file outside its folder: '../../secret.parquet'"):
        storage.read_predictions(storage.read_run(run.folder), "AGN-seed0")


def test_only_what_was_measured_in_this_run_can_be_written_there(tmp_path):
    for record in (one_record(run="other"), one_record(source=Published("Table 2", "here"))):
        with pytest.raises(ResultsError, match="Only results measured in the run run can be written there, got one"):
            storage.write_run(tmp_path / "run", [record])
    assert not (tmp_path / "run").exists()


def test_predictions_must_be_named_complete_and_finite(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ResultsError, match="The run run names predictions that were not given: GB."):
        storage.write_run(folder, [one_record(cell="GB")])
    with pytest.raises(ResultsError, match="No record of the run run names the predictions GB."):
        storage.write_run(folder, [one_record()], {"GB": predictions()})
    with pytest.raises(ResultsError, match="Predictions need the column level."):
        storage.write_run(folder, [one_record(cell="GB")], {"GB": predictions().drop(columns="level")})
    for frame in (predictions().assign(predicted_score=float("nan")), predictions().head(0)):
        with pytest.raises(ResultsError, match="Predictions need at least one row and only finite scores."):
            storage.write_run(folder, [one_record(cell="GB")], {"GB": frame})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"metric": "psnr"}, "A metric is one of srocc, plcc, plcc_logistic, krocc, rmse, got 'psnr'."),
        ({"value": float("nan")}, "SROCC is a finite number, -1 to 1, got nan."),
        ({"value": -1.01}, "SROCC is a finite number, -1 to 1, got -1.01."),
        ({"metric": "rmse", "value": -0.1, "interval": None}, "RMSE is a finite number, 0 or more, got -0.1."),
        ({"interval": (0.9, 0.7)}, r"An interval runs from low to high, got \(0.9, 0.7\)."),
        ({"n": 0}, "A result rests on at least one image, got n = 0."),
        ({"method": ""}, "A result needs the name of its method and of its database."),
    ],
)
def test_an_impossible_record_cannot_be_made(changes, sentence):
    with pytest.raises(ResultsError, match=sentence):
        one_record(**changes)


def test_the_runs_that_come_with_the_program_can_be_read_and_name_no_folder_of_a_machine():
    runs, problems = storage.find_runs(storage.SHIPPED_RUNS)
    assert runs
    assert not problems
    for summary in runs:
        run = storage.read_run(summary.folder)
        for record in run.records:
            assert not Path(str(record.source.configuration.get("database_folder", ""))).is_absolute()
            assert len(storage.read_predictions(run, record.source.predictions)) == record.n
