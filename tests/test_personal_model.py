"""A personal model is a model like any other: it is saved, loaded, run by both engines, explained and chosen."""

import csv
import json

import numpy as np
import pytest
import torch

from metaiqa_core.assess import Assessor
from metaiqa_core.engine.graph import export_graph
from metaiqa_core.engine.graph_check import largest_difference
from metaiqa_core.errors import CheckpointError, TasteError
from metaiqa_core.experiments.start import Origin
from metaiqa_core.explain.gradient_maps import gradient_map
from metaiqa_core.images import decode
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.checkpoints import load_checkpoint, save_checkpoint
from metaiqa_core.models.looks import NAMES, Looks
from metaiqa_core.models.model_files import own_models
from metaiqa_core.models.personal import PersonalRegressor
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish
from metaiqa_core.taste.general_model import GeneralModel, teachable_models
from metaiqa_core.taste.ratings import Choice, Ratings, Star
from metaiqa_core.taste.teaching import delete_personal, is_personal, personal_file, teach


@pytest.fixture(scope="module")
def photos(tiny_csv):
    return sorted(tiny_csv.parent.glob("*.png"))


@pytest.fixture(scope="module", params=["one stage", "several stages and Gaussians"])
def general_file(request, tiny_checkpoint, tmp_path_factory):
    if request.param == "one stage":
        return tiny_checkpoint
    path = tmp_path_factory.mktemp("kernel") / "kernel.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = RegressorConfig(backbone="mobilenet_v3_small", hidden=8, pooled=(2, 4), centres=5, folded=True)
        network = Regressor(config).eval()
        width = network.head[2].in_features
        network.head[0].fit(torch.randn(50, width))
        network.head[3].centres.copy_(torch.randn(5, 8))
    card = ModelCard("kernel", "Random.", "regressor", config, Preprocessing(short_side=64), "none", "MIT")
    save_checkpoint(network, card, path)
    return path


@pytest.fixture(scope="module")
def taught(general_file, photos):
    general = GeneralModel(general_file)
    names = [photo.name for photo in photos]
    ratings = Ratings.of(Star(name, 1 + number % 5) for number, name in enumerate(names[:20]))
    return teach(general, names, np.stack([general.see(photo) for photo in photos]), ratings)


def test_looks_are_what_their_names_say():
    draws = np.random.default_rng(0)
    pixels = draws.uniform(size=(40, 30, 3)).astype(np.float32)
    found = dict(zip(NAMES, Looks()(torch.from_numpy(pixels.transpose(2, 0, 1)[None]))[0].tolist(), strict=True))
    red, green, blue = (pixels[..., channel].astype(np.float64) for channel in range(3))
    light, red_green, yellow_blue = (red + green + blue) / 3, red - green, (red + green) / 2 - blue
    inner = light[1:-1, 1:-1]
    around = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:]
    expected = {
        "brightness": light.mean(),
        "red against green": red_green.mean(),
        "yellow against blue": yellow_blue.mean(),
        "contrast": light.std(),
        "spread of red and green": red_green.std(),
        "spread of yellow and blue": yellow_blue.std(),
        "strength of red and green": np.sqrt(np.square(red_green).mean()),
        "strength of yellow and blue": np.sqrt(np.square(yellow_blue).mean()),
        "fine detail": (4 * inner - around).std(),
    }
    assert found == pytest.approx(expected, abs=1e-4)


def test_a_saved_personal_model_gives_the_taught_scores_with_both_engines(taught, photos, tmp_path):
    file = tmp_path / "mine.safetensors"
    card = taught.save(file)
    assert (card.name, card.architecture) == ("mine", "personal")
    wanted = 100 * np.clip(taught.unit_scores(), 0, 1)
    for engine in ("torch", "onnx"):
        assessor = Assessor.load(file, engine=engine)
        assert assessor.engine.name == engine
        assert [assessor.assess(photo).score for photo in photos] == pytest.approx(wanted, abs=0.02)


def test_the_general_part_of_a_personal_model_stays_the_general_model(taught, photos, tmp_path):
    taught.save(tmp_path / "mine.safetensors")
    network = load_checkpoint(tmp_path / "mine.safetensors").network
    image = taught.general.card.preprocessing(np.asarray(torch.randint(0, 256, (64, 64, 3)).byte()))
    with torch.inference_mode():
        assert torch.equal(network.general(image), taught.general.network(image))


def test_a_graph_of_a_personal_network_computes_the_same_with_any_weights(taught):
    network = taught.network()
    twin = PersonalRegressor(network.config)
    assert largest_difference(twin, export_graph(twin)) < 1e-4


@pytest.mark.parametrize("method", ["saliency", "grad-cam", "occlusion"])
def test_maps_explain_a_personal_model(taught, photos, method):
    preprocessing = taught.general.card.preprocessing
    found = finish(gradient_map(taught.network(), decode(photos[0]), preprocessing, method=method))
    assert np.isfinite(found.model_map).all()
    assert found.model_map.std() > 0


def test_deeplift_is_complete_for_a_personal_model(photos):
    config = RegressorConfig("efficientnet_lite0", 8, pooled=(2, 4, 6, 9), centres=5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PersonalRegressor(config).eval()
        network.general.head[3].centres.copy_(torch.randn(5, 8))
    found = finish(gradient_map(network, decode(photos[0]), Preprocessing(short_side=64), method="deeplift"))
    assert found.completeness_gap < 0.01


def test_stars_give_the_scale_of_the_scores(general_file, photos):
    general = GeneralModel(general_file)
    names = [photo.name for photo in photos]
    seen = np.stack([general.see(photo) for photo in photos])
    low = teach(general, names, seen, Ratings.of(Star(name, 1 + number % 2) for number, name in enumerate(names)))
    high = teach(general, names, seen, Ratings.of(Star(name, 4 + number % 2) for number, name in enumerate(names)))
    assert low.unit_scores().mean() == pytest.approx(0.2, abs=0.03)  # between one star, 0.1, and two, 0.3
    assert high.unit_scores().mean() == pytest.approx(0.8, abs=0.03)


def test_choices_alone_keep_the_scale_of_the_general_model(general_file, photos):
    general = GeneralModel(general_file)
    names = [photo.name for photo in photos]
    seen = np.stack([general.see(photo) for photo in photos])
    choices = Ratings.of(Choice(one, other) for one, other in zip(names[:12], names[12:], strict=True))
    assert teach(general, names, seen, choices).unit_scores().mean() == pytest.approx(
        float(seen[:, 0].mean()), abs=1e-6
    )


def test_personal_models_cannot_be_taught_again_or_trained_on(taught, tmp_path):
    taught.save(tmp_path / "mine.safetensors")
    with pytest.raises(TasteError, match="mine cannot be taught: expected one of our own networks"):
        GeneralModel(tmp_path / "mine.safetensors")
    with pytest.raises(CheckpointError, match=r"mine is for scoring only \(its architecture is personal\)"):
        Origin(model=str(tmp_path / "mine.safetensors")).load(folded=False)


def test_names_of_other_models_are_refused_and_personal_ones_can_be_deleted(taught):
    for name in ("default", "lite0-joint"):
        with pytest.raises(TasteError, match="already, which is no personal one"):
            personal_file(name)
    with pytest.raises(TasteError, match="A model's name is also the name of its files"):
        personal_file("../x")
    taught.save(personal_file("for a while"))
    assert is_personal("for a while")
    assert "for a while" not in teachable_models()
    delete_personal("for a while")
    assert not list(own_models().glob("for a while*"))
    with pytest.raises(TasteError, match="no personal model called for a while"):
        delete_personal("for a while")


def test_the_command_teaches_and_its_model_scores_by_name(run, tiny_csv, tiny_checkpoint, tmp_path):
    names = sorted(photo.name for photo in tiny_csv.parent.glob("*.png"))
    with (tmp_path / "ratings.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "stars"])
        rows.writerows([name, 1 + number % 5] for number, name in enumerate(names[:12]))
    words = ["teach", tmp_path / "ratings.csv", "--images", tiny_csv.parent, "--model", tiny_checkpoint]
    status, out, err = run(*words, "--name", "my taste", "--format", "json")
    assert (status, "--model my taste" in err) == (0, True)
    answer = json.loads(out)
    assert answer["verdict"] in ("it agrees better with you now", "cannot tell yet", "it did not help")
    assert (answer["stars"], answer["model"]) == (12, "my taste")
    status, out, _ = run("score", tiny_csv.parent / names[0], "--model", "my taste", "--format", "json")
    assert (status, json.loads(out)[0]["model"]) == (0, "my taste")
    delete_personal("my taste")


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("image,stars\na.png,3\n", ["--name", "x"], "At least 10 ratings are needed"),
        ("image,stars\n" + "".join(f"{n}.png,{1 + n % 5}\n" for n in range(10)), ["--name", "x"], "There is no photo"),
    ],
)
def test_the_command_refuses_what_it_cannot_learn_from(run, tmp_path, content, options, message):
    (tmp_path / "ratings.csv").write_text(content)
    status, _, err = run("teach", tmp_path / "ratings.csv", *options)
    assert (status, message in err) == (2, True)


def test_the_command_wants_one_place_for_the_model(run, photos, tmp_path):
    (tmp_path / "r.csv").write_text("image,stars\n" + "".join(f"{p.name},{1 + n % 5}\n" for n, p in enumerate(photos)))
    status, _, err = run("teach", tmp_path / "r.csv", "--images", photos[0].parent)
    assert (status, "either --name NAME or --output FILE" in err) == (2, True)
