"""Diagnosis: words and types, what the output of a graph model says, and how that is measured and calibrated."""

import json

import numpy as np
import pytest
from graph_fixtures import CONFIG, DEFECTS, graph_card, tiny_graph_network, write_distorted
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core.assess import Assessor
from metaiqa_core.defect_words import NOTHING, TWINS, WORDS, Defect, defect_of, severity_of
from metaiqa_core.diagnosis import ROW_FIELDS, DiagnosisCalibration, read_diagnosis
from metaiqa_core.distortions import CATALOGUE, LEVELS
from metaiqa_core.errors import CheckpointError, EvaluationError, PhotoError
from metaiqa_core.evaluation.defects import DefectReadings, calibrate_defects, confusion, judge_defects
from metaiqa_core.models.card import read_card
from metaiqa_core.models.checkpoints import Checkpoint, save_checkpoint

FOUR = (*DEFECTS, Defect("kadid10k:WNCC", "noisy"))


def test_every_type_of_the_catalogue_has_a_word_at_every_level_and_every_word_has_a_type():
    words = {defect_of(entry.key, level).word for entry in CATALOGUE for level in LEVELS}
    assert words == set(WORDS)
    keys = {entry.key for entry in CATALOGUE}
    assert set(TWINS) | set(TWINS.values()) <= keys


def test_severities_are_levels_except_where_a_type_has_two_strong_ends_or_does_nothing():
    assert [severity_of("kadid10k:JPEG", level) for level in LEVELS] == [1, 2, 3, 4, 5]
    assert [severity_of("kadid10k:MS", level) for level in LEVELS] == [5, 3, 0, 3, 5]
    assert [defect_of("tid2013:MS", level).word for level in LEVELS] == ["too bright", "too dark"] * 2 + ["too bright"]


def output(logits, level=3.0, deviation=0.5, code=(0.0, 1.0)):
    return np.array([0.4, level, deviation, *logits, *code], np.float32)


def test_the_probability_of_a_word_is_the_sum_over_its_types():
    said = read_diagnosis(output(np.log([0.1, 0.4, 0.2, 0.3])), FOUR, DiagnosisCalibration(deviations=2))
    assert (said.word, said.type) == ("noisy", "kadid10k:WNCC")
    assert said.probability == pytest.approx(0.5, abs=1e-5)
    assert sum(said.words.values()) == pytest.approx(1)
    assert (said.level, said.level_low, said.level_high) == (3, 2, 4)
    assert said.type_code == (0, 1)


def test_levels_stay_within_the_scale():
    said = read_diagnosis(output([0, 9, 0, 0], level=4.8), FOUR, DiagnosisCalibration(deviations=3))
    assert (said.level_low, said.level_high) == (pytest.approx(3.3), 5)
    assert read_diagnosis(output([0, 9, 0, 0], level=0.2), FOUR, DiagnosisCalibration()).level == 1


def test_where_nothing_is_found_there_is_no_type_and_no_level():
    said = read_diagnosis(output([9, 0, 0, 0]), FOUR, DiagnosisCalibration())
    assert said.to_row("a.png") == {
        "file": "a.png", "word": NOTHING, "probability": said.probability, "type": None, "level": None,
        "level_low": None, "level_high": None, "error": None,
    }  # fmt: skip
    assert said.sentence == "Nothing found (100 % sure)."


def test_below_the_threshold_it_cannot_tell():
    said = read_diagnosis(output(np.log([0.1, 0.4, 0.2, 0.3])), FOUR, DiagnosisCalibration(threshold=0.6))
    assert (said.word, said.type, said.level) == (None, None, None)
    assert said.sentence == "Cannot tell what is wrong with it, if anything."
    nothing = read_diagnosis(output(np.log([0.4, 0.3, 0.1, 0.2])), FOUR, DiagnosisCalibration(threshold=0.6))
    assert nothing.word == NOTHING  # no accusation


def test_a_word_may_have_a_higher_threshold_of_its_own():
    strict = DiagnosisCalibration(threshold=0.3, thresholds={"noisy": 0.6})
    assert read_diagnosis(output(np.log([0.1, 0.4, 0.2, 0.3])), FOUR, strict).word is None
    assert read_diagnosis(output(np.log([0.1, 0.6, 0.1, 0.2])), FOUR, strict).word == "blurred"


def test_few_undamaged_photos_are_accused_of_a_word_once_it_is_calibrated():
    drawn = readings(2000, sharpness=1.5)
    fitted = calibrate_defects(drawn, measured_on="drawn", right=0.5, accused=0.02)
    words, shares = drawn.words(fitted.temperature)
    none = np.array([defect.word == NOTHING for defect in drawn.defects])
    for word in ("blurred", "noisy"):
        said = [fitted.may_say(word, share) for share in shares[none & (words == word)]]
        assert sum(said) <= 0.02 * none.sum() + 1


def test_few_undamaged_photos_are_accused_of_anything_once_it_is_calibrated():
    drawn, others = readings(3000, sharpness=1.5), readings(3000, seed=1, sharpness=1.5)
    free = calibrate_defects(drawn, measured_on="drawn", right=0.5, accused=0.99)
    fitted = calibrate_defects(drawn, measured_on="drawn", right=0.5, accused=0.99, accused_at_all=0.03)
    assert judge_defects(others, free).false_alarm > 0.1
    assert judge_defects(drawn, fitted).false_alarm <= 0.03
    assert judge_defects(others, fitted).false_alarm < 0.05
    assert judge_defects(others, fitted).told < judge_defects(others, free).told


def test_raising_the_odds_of_nothing_found_costs_no_more_words_than_allowed():
    drawn = readings(3000, sharpness=2)
    fair = calibrate_defects(drawn, measured_on="drawn")
    lenient = calibrate_defects(drawn, measured_on="drawn", lost=0.02)
    assert fair.nothing == 0 < lenient.nothing
    before, after = judge_defects(drawn, fair), judge_defects(drawn, lenient)
    assert after.nothing > before.nothing
    assert before.word - 0.02 <= after.word + 1e-9


def test_the_odds_that_nothing_is_found_are_raised_by_what_the_calibration_says():
    logits = np.log([0.1, 0.4, 0.2, 0.3])
    shares = read_diagnosis(output(logits), FOUR, DiagnosisCalibration(nothing=np.log(9))).words
    assert shares[NOTHING] == pytest.approx(0.9 / 1.8)
    doubled = DiagnosisCalibration(temperature=2, nothing=np.log(9))
    assert read_diagnosis(output(2 * logits), FOUR, doubled).words[NOTHING] == pytest.approx(0.9 / 1.8)


@pytest.mark.parametrize("values", [[0.1, 0.2], [np.nan] * 9])
def test_an_output_that_is_none_is_refused(values):
    with pytest.raises(ValueError, match="too few values, or some are not finite"):
        read_diagnosis(np.array(values, np.float32), FOUR, DiagnosisCalibration())


def readings(count=400, seed=0, sharpness=4.0):
    """Logits whose probabilities are true at temperature 1 if the sharpness is what they were drawn with."""
    draws = np.random.default_rng(seed)
    logits = draws.normal(0, sharpness, (count, 4))
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    numbers = np.array([draws.choice(4, p=row) for row in shares])
    levels = np.where(numbers == 0, 0, draws.integers(1, 6, count)).astype(float)
    deviation = draws.uniform(0.2, 1, count)
    code = np.eye(4)[numbers] + draws.normal(0, 0.1, (count, 4))
    defects = tuple(FOUR[number] for number in numbers)
    scenes = tuple(f"scene {number % 5}" for number in range(count))
    return DefectReadings(logits, levels + draws.normal(0, deviation), deviation, code, FOUR, defects, levels, scenes)


def test_calibration_finds_the_temperature_the_threshold_and_the_interval():
    drawn = readings(4000)
    doubled = DefectReadings(**vars(drawn) | {"logits": 2 * drawn.logits})
    fitted = calibrate_defects(doubled, measured_on="drawn", right=0.95, accused=0.99)
    assert fitted.temperature == pytest.approx(2, abs=0.15)
    assert fitted.deviations == pytest.approx(1.645, abs=0.1)
    accuracy = judge_defects(doubled, fitted)
    assert accuracy.told_right == pytest.approx(0.95, abs=0.01)
    assert accuracy.coverage == pytest.approx(0.9, abs=0.01)
    stricter = calibrate_defects(doubled, measured_on="drawn", right=0.99, accused=0.99)
    assert stricter.threshold > fitted.threshold


def test_accuracies_are_counted_shares():
    drawn = readings(300)
    accuracy = judge_defects(drawn, DiagnosisCalibration(threshold=0.5))
    words, shares = drawn.words()
    true = np.array([defect.word for defect in drawn.defects])
    clear = (drawn.levels >= 3) & (true != NOTHING)
    assert accuracy.clear_photos == clear.sum()
    assert accuracy.word == pytest.approx((words == true)[clear].mean())
    assert accuracy.told == pytest.approx(((shares >= 0.5) | (words == NOTHING))[clear].mean())
    assert accuracy.false_alarm == pytest.approx(((shares >= 0.5) & (words != NOTHING))[true == NOTHING].mean())
    errors = np.abs(drawn.level.clip(1, 5) - drawn.levels)[true != NOTHING]
    assert accuracy.level_error == pytest.approx(errors.mean())
    assert accuracy.retrieval > 0.95
    assert json.dumps(accuracy.to_dict())


def test_the_confusion_counts_every_photo_once():
    names, table = confusion(readings(200))
    assert set(names) == {"blurred", NOTHING, "noisy"}
    assert table.sum() == 200


def test_photos_without_levels_calibrate_nothing():
    drawn = readings(20)
    unknown = DefectReadings(**vars(drawn) | {"levels": np.full(20, np.nan)})
    with pytest.raises(EvaluationError, match="expected photos with known defects and levels"):
        calibrate_defects(unknown, measured_on="drawn")


@pytest.fixture(scope="module")
def graph_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("graph") / "tiny-graph.safetensors"
    save_checkpoint(tiny_graph_network(), graph_card(), file)
    return file


def test_a_graph_models_card_is_read_as_it_was_written(graph_file):
    card = read_card(graph_file.with_suffix(".json"))
    assert (card.graph, card.diagnosis) == (CONFIG, DiagnosisCalibration())
    assert "graph" not in json.loads(read_card_text_of_a_scoring_model())


def read_card_text_of_a_scoring_model():
    from metaiqa_core.models.model_files import find_model

    return find_model("default").with_suffix(".json").read_text(encoding="utf-8")


def test_both_engines_give_the_same_diagnosis_and_a_photo_alone_the_same_as_among_others(graph_file):
    onnx, plain = Assessor.load(graph_file, engine="onnx"), Assessor.load(graph_file, engine="torch")
    photos = [photo_pixels(seed, size=(200, 150)) for seed in range(4)]
    alone = [onnx.diagnose(photo) for photo in photos]
    assert list(onnx.diagnose_many(photos)) == alone
    for photo, said in zip(photos, alone, strict=True):
        other = plain.diagnose(photo)
        assert other.word == said.word
        assert other.probability == pytest.approx(said.probability, abs=1e-4)
        assert other.type_code == pytest.approx(said.type_code, abs=1e-3)


def test_a_model_without_a_graph_says_so(tiny_checkpoint):
    assessor = Assessor.load(tiny_checkpoint)
    with pytest.raises(CheckpointError, match=r"names no defects: it has no graph. Use one that has, such as lite0-"):
        assessor.diagnose(photo_pixels(0))
    with pytest.raises(CheckpointError, match="it has no graph"):
        assessor.diagnose_many([])


def test_a_photo_too_small_for_the_coarsest_scale_gets_a_sentence(graph_file):
    with pytest.raises(PhotoError, match=r"128 pixels a side or more, and this one has 96 x 140: choose a larger"):
        Assessor.load(graph_file).diagnose(photo_pixels(0, size=(96, 140)))


def test_a_network_in_memory_diagnoses_too():
    said = Assessor(Checkpoint(tiny_graph_network(), graph_card())).diagnose(photo_pixels(0, size=(200, 150)))
    assert said.word in {defect.word for defect in DEFECTS}


@pytest.fixture
def photos(tmp_path):
    Image.fromarray(photo_pixels(0, size=(200, 150))).save(tmp_path / "large.png")
    Image.fromarray(photo_pixels(1, size=(64, 64))).save(tmp_path / "small.png")
    return tmp_path


def test_the_command_writes_a_row_for_every_photo(run, graph_file, photos):
    status, out, _ = run("diagnose", photos, "--model", graph_file, "--format", "json")
    large, small = json.loads(out)
    assert (status, tuple(large)) == (1, ROW_FIELDS)
    assert large["error"] is None
    assert large["word"] in {defect.word for defect in DEFECTS}
    assert (small["word"], small["level"]) == (None, None)
    assert small["error"].startswith("A defect can only be named in photos of 128 pixels a side or more")
    _, table, _ = run("diagnose", photos / "large.png", "--model", graph_file)
    assert table.splitlines()[0].split() == ["found", "sure", "level", "of", "5", "90", "%", "interval", "file"]
    _, lines, _ = run("diagnose", photos, "--model", graph_file, "--format", "csv")
    assert lines.splitlines()[0] == ",".join(ROW_FIELDS)


def test_the_command_refuses_a_model_without_a_graph(run, tiny_checkpoint, photos):
    status, _, err = run("diagnose", photos, "--model", tiny_checkpoint)
    assert status == 2
    assert "names no defects: it has no graph" in err


def test_three_commands_make_a_model_that_diagnoses(run, tmp_path, photos):
    database = write_distorted(tmp_path / "distorted")
    (photos / "spare").mkdir()
    for number in range(2):
        Image.fromarray(photo_pixels(number, size=(150, 140))).save(photos / "spare" / f"{number}.png")
    small = ("--levels", 2, 4, "--tone", 4, "--width", 8, "--steps", 3, "--type-nodes", 3, "--defects-per-step", 2)
    start = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random")
    folder = tmp_path / "run"
    words = ("graph-train", *start, "--database", database, "--run-dir", folder, "--judged", database, *small)
    spare = photos / "spare"
    status, _, err = run(*words, "--undamaged", spare, "--judged-undamaged", spare, "--degraded", 0)
    assert status == 0, err
    card = read_card(folder / "run.json")
    assert card.accuracy["spare"]["photos"] == 2
    assert {defect.word for defect in card.graph.defects} == {NOTHING, "blurred", "noisy"}
    assert card.accuracy["scores"]["photos"] == 60
    tuned = tmp_path / "tuned"
    status, _, err = run(
        "graph-tune", "--model", folder / "run.safetensors", "--database", database, "--run-dir", tuned,
        "--features", folder / "features", "--quality-steps", 3,
    )  # fmt: skip
    assert status == 0, err
    assert "srocc" in read_card(tuned / "tuned.json").accuracy["quality"]["scores"]
    status, out, _ = run("diagnose", photos / "large.png", "--model", tuned / "tuned.safetensors", "--format", "json")
    assert status == 0
    assert json.loads(out)[0]["file"].endswith("large.png")


def test_a_folder_without_undamaged_photos_is_refused(run, tmp_path):
    database = write_distorted(tmp_path / "distorted", scenes=1)
    start = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random")
    words = ("graph-train", *start, "--database", database, "--run-dir", tmp_path / "run")
    status, _, err = run(*words, "--undamaged", tmp_path / "nowhere")
    assert status == 2
    assert "There are no photos in" in err
    assert "name a folder of undamaged photos" in err


def test_graph_training_without_types_is_refused(run, tiny_csv, tmp_path):
    start = ("--backbone", "mobilenet_v3_small", "--initial-weights", "random")
    status, _, err = run("graph-train", *start, "--database", tiny_csv, "--run-dir", tmp_path / "run")
    assert status == 2
    assert "Graph training needs a database with distortion types: name one with --database." in err


def test_one_command_makes_a_model_in_three_stages_and_goes_on_where_it_was(run, tmp_path):
    database = write_distorted(tmp_path / "distorted", scenes=4)
    words = (
        "graph-model", "--backbone", "efficientnet_lite0", "--initial-weights", "random", "--short-side", 128,
        "--database", database, "--run-dir", tmp_path / "run", "--meta-epochs", 1, "--meta-crop", 32,
        "--adapters", 2, "--levels", 2, 4, "--tone", 4, "--width", 8, "--steps", 3, "--type-nodes", 3,
        "--defects-per-step", 2, "--quality-steps", 2,
    )  # fmt: skip
    status, _, err = run(*words)
    assert status == 0, err
    file = tmp_path / "run" / "quality" / "run.safetensors"
    card, content = read_card(file.with_suffix(".json")), file.read_bytes()
    assert card.graph.backbone.adapters == (2,)
    assert card.recipe["start_learned_from"].startswith("scores (40 images)")
    file.unlink()
    assert run(*words)[0] == 0
    assert file.read_bytes() == content
