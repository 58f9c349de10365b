"""Model files: the same bits come back, and every defect has its sentence."""

import contextlib
import json
import pickle
import re
import resource
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from metaiqa_core.errors import CheckpointError
from metaiqa_core.files import sha256_of
from metaiqa_core.models.card import Calibration, read_card
from metaiqa_core.models.checkpoints import load_checkpoint, read_weights, save_checkpoint
from metaiqa_core.models.model_files import find_model, list_models, own_models
from metaiqa_core.models.regressor import Regressor


@pytest.fixture
def copy(tiny_checkpoint, tmp_path):
    """A copy of the tiny model that a test may damage."""
    for suffix in (".safetensors", ".json"):
        (tmp_path / f"tiny{suffix}").write_bytes(tiny_checkpoint.with_suffix(suffix).read_bytes())
    return tmp_path / "tiny.safetensors"


def refusal(path):
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    return str(caught.value)


def edit_card(path, **changes):
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **changes}))


def edit_weights(path, change):
    """Change the weights as a broken program would: with a card that describes the new file."""
    weights = load_file(path)
    change(weights)
    save_file(weights, path)
    edit_card(path, sha256=sha256_of(path))


def test_weights_and_card_come_back_bit_for_bit(tiny_checkpoint, tmp_path):
    first = load_checkpoint(tiny_checkpoint)
    card = save_checkpoint(first.network, first.card, tmp_path / "again.safetensors")
    second = load_checkpoint(tmp_path / "again.safetensors")
    assert second.card == card == replace(first.card, sha256=sha256_of(tmp_path / "again.safetensors"))
    assert second.preprocessing == first.card.preprocessing
    weights = first.network.state_dict()
    assert weights.keys() == second.network.state_dict().keys()
    assert all(torch.equal(value, weights[key]) for key, value in second.network.state_dict().items())


def test_a_model_in_half_precision_takes_half_the_space_and_has_nearly_the_same_weights(tiny_checkpoint, tmp_path):
    first = load_checkpoint(tiny_checkpoint)
    save_checkpoint(first.network, first.card, tmp_path / "half.safetensors", half=True)
    half = load_checkpoint(tmp_path / "half.safetensors").network
    assert (tmp_path / "half.safetensors").stat().st_size < 0.6 * tiny_checkpoint.stat().st_size
    assert all(value.dtype == torch.float32 for value in half.state_dict().values() if value.is_floating_point())
    weights = first.network.state_dict()
    for key, value in half.state_dict().items():
        assert torch.allclose(value, weights[key], rtol=1e-3, atol=1e-7), key


def test_weights_too_large_for_half_precision_are_not_written_so(tiny_checkpoint, tmp_path):
    first = load_checkpoint(tiny_checkpoint)
    first.network.head[-1].bias.data.fill_(1e5)
    with pytest.raises(CheckpointError, match=r"holds values beyond 65,504: write the model in full precision"):
        save_checkpoint(first.network, first.card, tmp_path / "half.safetensors", half=True)
    assert not (tmp_path / "half.safetensors").exists()


def test_a_loaded_network_is_ready_to_score_and_its_weights_ask_for_no_gradient(tiny_checkpoint):
    network = load_checkpoint(tiny_checkpoint).network
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_loading_draws_from_nobodys_random_generator(tiny_checkpoint):
    before = torch.get_rng_state()
    load_checkpoint(tiny_checkpoint)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_full_disk_leaves_the_older_model_whole(copy):
    network, card = Regressor(load_checkpoint(copy).card.regressor), load_checkpoint(copy).card
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_FSIZE, (soft, hard))
        with pytest.raises(CheckpointError) as caught:
            save_checkpoint(network, card, copy)
    assert str(caught.value) == (
        f"The disk is full, so the model cannot be written to {copy}: make room and start the same command again."
    )
    assert sorted(path.name for path in copy.parent.iterdir()) == ["tiny.json", "tiny.safetensors"]
    assert load_checkpoint(copy).card == card


def test_weights_without_their_card_are_refused(copy):
    copy.with_suffix(".json").unlink()
    assert refusal(copy) == (
        "The model card tiny.json is missing; weights are only used together with their card. Restore the file, "
        "or bring foreign weights in with `models import FILE`."
    )


def test_a_card_without_its_weights_is_refused(copy, monkeypatch):
    copy.unlink()
    monkeypatch.setenv("METAIQA_MODELS", str(copy.parent))
    assert refusal("tiny") == "The weights file tiny.safetensors cannot be opened: No such file or directory."


@pytest.mark.parametrize("text", ['{"card_version": 99}', '{"name": "tiny"}', "[]", '"card"', "{}"])
def test_a_card_of_another_version_or_kind_is_refused(copy, text):
    copy.with_suffix(".json").write_text(text)
    assert refusal(copy) == "tiny.json is not a model card of version 1: it is another file, or of another version."


def test_a_card_that_is_no_json_is_refused(copy):
    copy.with_suffix(".json").write_text("{cut")
    assert re.fullmatch(r"The model card tiny\.json cannot be read as JSON: .* Restore the file\.", refusal(copy))


CARD_DEFECTS = {
    "an unknown field": ({"colour": "blue"}, "has a field that this version does not know: colour."),
    "an unknown architecture": (
        {"architecture": "transformer"},
        "is not valid: architecture must be regressor, released-code, "
        "personal or distortion-graph, got 'transformer'. Restore the file.",
    ),
    "no network": ({"regressor": None}, "is not valid: the regressor's configuration is missing. Restore the file."),
    "an impossible network": (
        {"regressor": {"hidden": 0}},
        "is not valid: hidden must be at least 1, got 0. Restore the file.",
    ),
}


@pytest.mark.parametrize("defect", CARD_DEFECTS)
def test_a_damaged_card_names_its_defect(copy, defect):
    changes, sentence = CARD_DEFECTS[defect]
    edit_card(copy, **changes)
    assert refusal(copy) == f"The model card tiny.json {sentence}"


def test_a_card_without_preprocessing_is_refused(copy):
    edit_card(copy, preprocessing={"short_side": 64})
    assert "the preprocessing lacks enlarge, minimum_side: the model's card is incomplete." in refusal(copy)


def test_a_calibration_has_101_quantiles(copy):
    with pytest.raises(ValueError, match="^population_quantiles must hold 101 values, got 2$"):
        Calibration(0.9, 10, 0.9, "photos", 2, (0, 100))
    calibration = json.loads(copy.with_suffix(".json").read_text())["calibration"]
    edit_card(copy, calibration={**calibration, "population_quantiles": [0, 100]})
    assert refusal(copy).startswith("The model card tiny.json is not valid: population_quantiles must hold 101 values")


def test_a_changed_byte_in_the_weights_is_noticed(copy):
    data = bytearray(copy.read_bytes())
    data[-1] ^= 1
    copy.write_bytes(data)
    assert refusal(copy) == (
        "tiny.safetensors is not the file that its card describes (the SHA-256 differs): it was changed or damaged. "
        "Restore both files from the same place."
    )


def drop(weights):
    del weights["head.1.weight"]


def add(weights):
    weights["more"] = torch.zeros(1)


def reshape(weights):
    weights["head.1.bias"] = torch.zeros(9)


@pytest.mark.parametrize(
    ("change", "numbers", "first"),
    [(drop, (1, 0, 0), "head.1.weight"), (add, (0, 1, 0), "more"), (reshape, (0, 0, 1), "head.1.bias")],
)
def test_tensors_that_do_not_fit_are_counted_and_the_first_is_named(copy, change, numbers, first):
    edit_weights(copy, change)
    missing, unknown, misshaped = numbers
    assert refusal(copy) == (
        f"tiny.safetensors does not fit the architecture on its card: {missing} tensors are missing, "
        f"{unknown} are unknown and {misshaped} have another shape, {first} first."
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused(copy, value):
    def spoil(weights):
        weights["head.1.bias"][3] = value

    edit_weights(copy, spoil)
    assert refusal(copy) == (
        "tiny.safetensors holds values that are not finite, first in head.1.bias: training went wrong there."
    )


@pytest.mark.parametrize("length", [0, 5, 100, 5000, -1])
def test_a_file_that_was_cut_short_is_refused(copy, length):
    copy.write_bytes(copy.read_bytes()[:length])
    assert re.fullmatch(
        r"tiny\.safetensors is not a whole safetensors file \(.*\): it was cut short or is another kind of file\.",
        refusal(copy),
    )


def test_a_git_lfs_pointer_says_how_to_get_the_weights(copy):
    copy.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert refusal(copy) == (
        "tiny.safetensors is a git-lfs pointer, not the weights: run `git lfs pull` in its repository."
    )


def test_a_pickle_is_refused_and_never_run(copy):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    sentence = (
        "tiny.safetensors is a pickle, which could run code and is never loaded: "
        "bring it in with `models import tiny.safetensors`."
    )
    copy.write_bytes(pickle.dumps(Trap()))
    assert refusal(copy) == sentence
    torch.save({"weights": torch.zeros(1)}, copy)
    assert refusal(copy) == sentence


@pytest.mark.parametrize("count", [0x80, 0x4B50])
def test_a_header_whose_length_looks_like_a_pickle_or_a_zip_is_no_pickle(tmp_path, count):
    # The first bytes of a safetensors file are its header's length, here those that start a pickle (80) or a zip (PK).
    path = tmp_path / "odd.safetensors"
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode().ljust(count)
    path.write_bytes(count.to_bytes(8, "little") + header + bytes(4))
    assert torch.equal(read_weights(path)["a"], torch.zeros(1))


def test_an_unknown_name_lists_the_known_ones(copy, monkeypatch):
    for folder in ("SHIPPED_MODELS", "SHIPPED_PRIORS", "SHIPPED_GRAPH_MODELS"):
        monkeypatch.setattr(f"metaiqa_core.models.model_files.{folder}", copy.parent / "none")
    monkeypatch.setenv("METAIQA_MODELS", str(copy.parent))
    assert refusal("huge") == "There is no model called 'huge': expected a file, `default`, or one of tiny."
    monkeypatch.setenv("METAIQA_MODELS", str(copy.parent / "none"))
    assert refusal("huge") == "There is no model called 'huge': expected a file, `default`, or one of no others."


def test_a_model_goes_by_its_name_its_weights_or_its_card(copy, monkeypatch):
    monkeypatch.setenv("METAIQA_MODELS", str(copy.parent))
    assert own_models() == copy.parent
    assert list_models()["tiny"] == copy
    assert find_model("tiny") == find_model(copy) == find_model(str(copy.with_suffix(".json"))) == copy


def test_shipped_models_come_before_own_ones_of_the_same_name(copy, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    (own / "tiny.json").write_text("{}")
    monkeypatch.setattr("metaiqa_core.models.model_files.SHIPPED_MODELS", copy.parent)
    monkeypatch.setenv("METAIQA_MODELS", str(own))
    assert find_model("tiny") == copy


def test_without_a_setting_own_models_live_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("METAIQA_MODELS")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert own_models() == tmp_path / ".local" / "share" / "metaiqa" / "models"


def test_a_card_survives_its_way_through_json(tiny_checkpoint, tmp_path):
    card = read_card(tiny_checkpoint.with_suffix(".json"))
    (tmp_path / "card.json").write_text(card.to_json(), encoding="utf-8")
    assert read_card(tmp_path / "card.json") == card
