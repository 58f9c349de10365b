"""Backbones: the same function as the published, as plain stages that attribution methods can hook."""

import re

import pytest
import torch
import torchvision
from torch import nn

from metaiqa_core.errors import CheckpointError
from metaiqa_core.models.backbones import BACKBONES, build_backbone, load_classifier_weights, stage_channels
from metaiqa_core.models.batch_norm import fold_batch_norm
from metaiqa_core.models.efficientnet_lite import WIDTH_AND_DEPTH

SMALL = (
    "resnet18",
    "mobilenet_v3_small",
    "mobilenet_v2",
    "shufflenet_v2_x1_0",
    "regnet_y_400mf",
    "efficientnet_lite0",
    "efficientnet_lite2",
)


def published_classifier(name):
    if name in WIDTH_AND_DEPTH:
        original = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
        return original.from_name(name.replace("_", "-"), image_size=None)
    return torchvision.models.get_model(name, weights=None)


PUBLISHED = [name for name in BACKBONES if name != "scnet50"]  # that one no package holds: test_self_calibration.py


@pytest.fixture(scope="module", params=PUBLISHED)
def pair(request):
    """A published classifier with statistics as after training, and our backbone with its weights."""
    # No time for initial weights that are replaced below; RegNet computes its widths with tensors.
    with torch.device("cpu" if request.param.startswith("regnet") else "meta"):
        classifier = published_classifier(request.param).eval()
        backbone = build_backbone(request.param).eval().to_empty(device="cpu")
    last = next(name for name in ("fc", "_fc", "classifier") if hasattr(classifier, name))
    setattr(classifier, last, nn.Identity())
    classifier.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in classifier.state_dict().items():
            if name.endswith("running_var") or (name.endswith("weight") and value.ndim == 1):
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.ndim > 1 and name.endswith("weight"):
                value.normal_(0, (2 / value[0].numel()) ** 0.5, generator=generator)
            elif value.is_floating_point():  # biases, running means, ConvNeXt's scales
                value.normal_(0, 0.1, generator=generator)
    load_classifier_weights(backbone, classifier.state_dict(), "weights.pth")
    # In double precision, so that a difference is one of the function and not of its rounding.
    return request.param, classifier.double(), backbone.double()


def pooled_by_the_classifier(classifier, images):
    """What reaches the classifier's last layers, averaged over the places that are left."""
    seen = []
    pooling = getattr(classifier, "avgpool", None) or getattr(classifier, "_avg_pooling", None)
    if pooling:
        hook = pooling.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean((2, 3))))
    else:  # several networks average by a function: look at what their last layer gets
        last = getattr(classifier, "fc", None) or classifier.classifier
        hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        classifier(images)
    hook.remove()
    return seen[0]


def test_a_backbone_computes_the_published_features_and_folding_keeps_them(pair):
    name, classifier, backbone = pair
    images = torch.rand(1, 3, 64, 64, dtype=torch.double, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        features = backbone(images)
    assert features.ndim == 4
    assert features.isfinite().all()
    expected = pooled_by_the_classifier(classifier, images)
    scale = expected.abs().max()
    assert scale > 1e-6
    torch.testing.assert_close(features.mean((2, 3)) / scale, expected / scale, rtol=0, atol=1e-6)

    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    fold_batch_norm(backbone)
    left = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    with torch.no_grad():
        folded = backbone(images)
    scale = features.abs().max()
    torch.testing.assert_close(folded / scale, features / scale, rtol=0, atol=1e-6)
    assert stage_channels(backbone.float())[-1] == features.shape[1]
    if name not in ("convnext_tiny", "vgg16"):  # which have no batch normalisation
        assert len(left) < len(norms)
    if name != "densenet121":  # which also normalises in front of convolutions
        assert not left


@pytest.mark.parametrize("name", SMALL)
def test_every_activation_is_its_own_module_and_none_works_in_place(name):
    backbone = build_backbone(name).eval()
    activations = (nn.ReLU, nn.ReLU6, nn.Hardswish, nn.Hardsigmoid, nn.SiLU, nn.Sigmoid, nn.GELU)
    calls, changed, hooks = {}, [], []
    for path, module in backbone.named_modules():
        assert not getattr(module, "inplace", False)
        if isinstance(module, activations):
            calls[path] = 0

            def before(_, inputs, path=path):
                calls[path] += 1

            def after(_, inputs, output, path=path):
                if output.data_ptr() == inputs[0].data_ptr():
                    changed.append(path)

            hooks += [module.register_forward_pre_hook(before), module.register_forward_hook(after)]
    with torch.no_grad():
        backbone(torch.rand(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    assert calls
    assert set(calls.values()) == {1}
    assert not changed


@pytest.mark.parametrize("name", SMALL)
def test_what_a_stage_gave_is_not_overwritten_by_the_next(name):
    backbone = build_backbone(name).eval()
    outputs = []
    features = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for stage in backbone:
            features = stage(features)
            outputs.append((features, features.clone()))
    assert all(torch.equal(kept, copy) for kept, copy in outputs)


def test_counting_channels_leaves_mode_and_statistics_alone():
    backbone = build_backbone("mobilenet_v3_small").train()
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    assert stage_channels(backbone) == [16, 16, 24, 24, 40, 40, 40, 48, 48, 96, 96, 96, 576]
    assert backbone.training
    assert all(torch.equal(value, before[key]) for key, value in backbone.state_dict().items())


def test_weights_of_another_architecture_are_refused_with_the_first_tensor_that_fails():
    weights = build_backbone("resnet18").state_dict()
    with pytest.raises(CheckpointError) as caught:
        load_classifier_weights(build_backbone("mobilenet_v3_small"), weights, "folder/resnet.pth")
    assert re.fullmatch(
        r"resnet\.pth holds weights of another architecture: \d+ of \d+ tensors are missing and 0 have another shape, "
        r"0\.0\.weight first\. Name the backbone that the file belongs to\.",
        str(caught.value),
    )
    weights["conv1.weight"] = torch.zeros(64, 1, 7, 7)
    with pytest.raises(CheckpointError, match=r"0 of \d+ tensors are missing and 1 have another shape, conv1\.weight"):
        load_classifier_weights(build_backbone("resnet18"), weights, "resnet.pth")


def test_weights_of_a_larger_architecture_of_the_same_widths_are_refused():
    weights = build_backbone("resnet34").state_dict()
    with pytest.raises(CheckpointError) as caught:
        load_classifier_weights(build_backbone("resnet18"), weights, "folder/resnet34.pth")
    assert re.fullmatch(
        r"resnet34\.pth holds weights of a larger architecture: \d+ tensors of its stages have no place here, "
        r"layer1\.2\.conv1\.weight first\. Name the backbone that the file belongs to\.",
        str(caught.value),
    )


def test_the_classifiers_own_last_layers_are_left_out():
    weights = torchvision.models.resnet18().state_dict()
    assert "fc.weight" in weights
    backbone = build_backbone("resnet18")
    load_classifier_weights(backbone, weights, "resnet18.pth")
    assert torch.equal(backbone.state_dict()["conv1.weight"], weights["conv1.weight"])


def test_weights_of_an_old_file_without_batch_counters_fit():
    weights = {key: value for key, value in build_backbone("resnet18").state_dict().items() if "num_batches" not in key}
    backbone = build_backbone("resnet18")
    load_classifier_weights(backbone, weights, "old.pth")
    assert torch.equal(backbone.state_dict()["conv1.weight"], weights["conv1.weight"])


def test_an_unknown_backbone_is_a_programming_mistake():
    with pytest.raises(ValueError, match=r"^backbone must be one of resnet18, .*, got 'resnet19'$"):
        build_backbone("resnet19")
