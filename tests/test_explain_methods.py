"""Maps against truths worked out by hand: analytic gradients, sums that must come out, and what must not change."""

import threading

import numpy as np
import pytest
import torch
from captum.attr import Occlusion
from scipy.ndimage import gaussian_filter
from torch import nn
from torch.nn import functional as F

from metaiqa_core.errors import ExplanationError
from metaiqa_core.explain.attribution import ATTRIBUTIONS, AttributionRequest
from metaiqa_core.explain.feature_maps import find_feature_layer
from metaiqa_core.explain.gradient_maps import gradient_map
from metaiqa_core.explain.methods import METHODS, find_method
from metaiqa_core.explain.replica import replica
from metaiqa_core.explain.settings import MapSettings
from metaiqa_core.images import decode
from metaiqa_core.models.efficientnet_lite import SameConv2d
from metaiqa_core.models.kernel_head import Gaussians
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.models.released import ReleasedRegressor
from metaiqa_core.models.spread import Spread
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.progress import finish

NATIVE = Preprocessing(short_side=None)
HEIGHT, WIDTH = 64, 80
RAW = MapSettings(smoothing=0)


class LinearScore(nn.Module):
    """score = sum(weight * image): its gradient is its weight, everywhere."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(3, HEIGHT, WIDTH, generator=generator) / 1000)

    def forward(self, images):
        return (images * self.weight).sum((1, 2, 3))


def small_network(activation=nn.ReLU6, seed=0):
    """Convolutions with stride, an activation module each, pooling and a linear layer: (B,) scores."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            *(nn.Conv2d(3, 8, 3, stride=2, padding=1), activation()),
            *(nn.Conv2d(8, 8, 3, stride=2, padding=1), activation()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1), nn.Flatten(0)),
        )
    return network.eval().requires_grad_(False)


def photo_of(seed=0, height=HEIGHT, width=WIDTH):
    return decode(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def map_of(network, photo, method, settings=RAW, preprocessing=NATIVE, **options):
    return finish(gradient_map(network, photo, preprocessing, method=method, settings=settings, **options))


def question_of(network, images, **settings):
    return AttributionRequest(replica(network), images, MapSettings(**settings), 0)


def test_every_method_has_its_description_and_its_work_and_the_papers_comes_first():
    assert list(METHODS)[0] == "saliency"
    assert set(METHODS) == set(ATTRIBUTIONS)
    assert all(key == method.key and method.sentence.endswith(".") for key, method in METHODS.items())


@pytest.mark.parametrize("method", ["saliency", "smoothgrad", "guided-backpropagation"])
def test_the_gradient_of_a_linear_model_is_its_weight(method):
    network = LinearScore()
    if method == "guided-backpropagation":
        network = nn.Sequential(nn.Conv2d(3, 1, 1, bias=False), nn.ReLU(), nn.Conv2d(1, 1, 1, bias=False), SumScore())
        network[0].weight.data.fill_(0.5)
        network[2].weight.data.fill_(2.0)
        expected = np.full((HEIGHT, WIDTH), 3.0)
    else:
        expected = network.weight.detach().sum(0).numpy()
    # A photo without black, whose ReLU is open everywhere.
    photo = decode(np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8))
    np.testing.assert_allclose(map_of(network, photo, method).model_map, expected, atol=1e-6)


class SumScore(nn.Module):
    def forward(self, features):
        return features.sum((1, 2, 3))


def test_methods_that_multiply_by_the_input_agree_with_the_linear_models_terms():
    network, photo = LinearScore(), photo_of()
    weight, image = network.weight.detach().numpy(), photo.pixels.transpose(2, 0, 1) / 255
    np.testing.assert_allclose(
        map_of(network, photo, "gradient-x-input").model_map, (weight * image).sum(0), rtol=1e-4, atol=1e-8
    )
    for method in ("integrated-gradients", "deeplift"):
        result = map_of(network, photo, method)
        np.testing.assert_allclose(result.at(photo), (weight * (image - 0.5)).sum(0), rtol=1e-3, atol=1e-7)
        assert result.completeness_gap < 1e-4
    assert result.unit_score == pytest.approx((weight * image).sum(), abs=1e-5)


def test_smoothgrad_with_one_noiseless_sample_is_the_gradient():
    network, photo = small_network(), photo_of()
    smooth = map_of(network, photo, "smoothgrad", MapSettings(smoothing=0, samples=1, noise=0))
    np.testing.assert_array_equal(smooth.model_map, map_of(network, photo, "saliency").model_map)


def test_smoothgrad_depends_on_its_seed_and_on_nothing_else():
    network, photo = small_network(), photo_of()
    state = torch.random.get_rng_state()
    first, again, other = (map_of(network, photo, "smoothgrad", seed=seed).model_map for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("method", ["integrated-gradients", "deeplift"])
def test_contributions_add_up_to_the_score_difference(method):
    network, photo = small_network(), photo_of()
    result = map_of(network, photo, method, MapSettings(maximum_steps=64))
    images = torch.from_numpy(photo.pixels.transpose(2, 0, 1)[None] / np.float32(255))
    difference = float(network(images) - network(torch.full_like(images, 0.5)))
    assert result.model_map.sum(dtype=np.float64) == pytest.approx(difference, rel=0.01)
    assert result.completeness_gap < 0.01


def test_the_shipped_models_integrated_gradients_and_deeplift_are_complete_within_one_percent():
    from metaiqa_core.models.checkpoints import load_checkpoint

    network = load_checkpoint().network
    smooth = np.add.outer(np.arange(64), np.arange(80))[:, :, None] * np.array([0.9, 0.7, 0.5])
    photo = decode(smooth.astype(np.uint8))
    for method in ("integrated-gradients", "deeplift"):
        assert map_of(network, photo, method, MapSettings(maximum_steps=160)).completeness_gap < 0.01


def with_centres(network):
    """Give the Gaussian functions centres near what the network sees, as a fitted head has them."""
    for kind in [module for module in network.modules() if isinstance(module, Gaussians)]:
        kind.centres.normal_(std=0.3)
    torch.nn.init.normal_(network.head[4].weight)
    return network


@pytest.mark.parametrize(
    "build",
    [
        lambda: Regressor(RegressorConfig("resnet18", 8)),
        lambda: Regressor(RegressorConfig("efficientnet_lite0", 8)),
        lambda: Regressor(RegressorConfig("efficientnet_lite0", 8, pooled=(2, 4, 6, 9))),
        lambda: with_centres(Regressor(RegressorConfig("efficientnet_lite0", 8, pooled=(2, 4, 6, 9), centres=5))),
        lambda: with_centres(
            Regressor(RegressorConfig("efficientnet_lite0", 8, pooled=(2, 4, 6, 9), centres=5, studies=3))
        ),
        lambda: with_centres(
            Regressor(RegressorConfig("efficientnet_lite0", 8, pooled=(2, 4), centres=5, tones=4, tone_centres=3))
        ),
        # The maps of stage 2 are also what the activation of stage 3 reads.
        lambda: Regressor(RegressorConfig("resnet18", 8, pooled=(2, 5, 8))),
        ReleasedRegressor,
    ],
)
def test_deeplift_is_complete_for_residual_and_pooled_networks_and_for_activations_captum_does_not_know(build):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build().eval()
    assert map_of(network, photo_of(), "deeplift").completeness_gap < 0.01


def test_deeplift_shares_a_difference_of_deviations_out_among_the_pixels_as_its_formula_says():
    class Deviation(nn.Module):
        def __init__(self):
            super().__init__()
            self.spread = Spread()

        def forward(self, images):
            return (self.spread(images.view_as(images)) * torch.tensor([1.0, 2.0, 3.0])).sum(1)

    photo = photo_of()
    images = photo.pixels.transpose(2, 0, 1) / 255
    distances = images - images.mean((1, 2), keepdims=True)
    deviations = np.sqrt((distances**2).mean((1, 2), keepdims=True) + 1e-6)
    # Against even grey, whose deviation is sqrt(1e-6): (d + 0) / (n (s + 0.001)) times the difference to grey.
    expected = distances / (HEIGHT * WIDTH * (deviations + 1e-3)) * (images - 0.5) * np.array([1, 2, 3])[:, None, None]
    result = map_of(Deviation(), photo, "deeplift")
    np.testing.assert_allclose(result.at(photo), expected.sum(0), rtol=1e-3, atol=1e-8)
    assert result.completeness_gap < 1e-4


@pytest.mark.parametrize("pooled", [(), (2, 4, 6, 9)])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_maps_efficientnet_lite(method, pooled):
    network = lite_network(pooled)
    settings = MapSettings(samples=2, steps=8, maximum_steps=16, window=0.5)
    photo = photo_of(height=40, width=49)
    result = map_of(network, photo, method, settings)
    values = result.at(photo)
    assert values.shape == (40, 49)
    assert np.isfinite(values).all()
    assert values.std() > 0
    if method == "deeplift":  # integrated gradients need more steps than a test has time for
        assert result.completeness_gap < 0.01


@pytest.mark.parametrize("pooled", [(), (2, 4, 6, 9)])
def test_the_gradient_of_efficientnet_lite_is_that_of_the_network_itself(pooled):
    network, photo = lite_network(pooled), photo_of()
    images = torch.from_numpy(photo.pixels.transpose(2, 0, 1)[None] / np.float32(255)).requires_grad_()
    network(images).sum().backward()
    result = map_of(network, photo, "gradient-x-input")
    expected = (images.grad * images).sum(1)[0].detach().numpy()
    np.testing.assert_allclose(result.at(photo), expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def lite_network(pooled):
    """Lite 0 with random weights and the statistics of noise, so that its activations are of order one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = Regressor(RegressorConfig("efficientnet_lite0", 8, pooled=pooled))
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        with torch.no_grad():
            network.train()(torch.rand(4, 3, 64, 64))
    return network.eval()


def test_occlusion_agrees_with_captums():
    network, photo = small_network(), photo_of()
    images = torch.from_numpy(photo.pixels.transpose(2, 0, 1)[None] / np.float32(255))
    settings = MapSettings(smoothing=0, window=0.25, stride=1.0)  # windows of 16 pixels fill 64 x 80 exactly
    theirs = Occlusion(network).attribute(images, sliding_window_shapes=(3, 16, 16), strides=(3, 16, 16), baselines=0.5)
    ours = map_of(network, photo, "occlusion", settings)
    np.testing.assert_allclose(ours.model_map, theirs[0, 0].numpy(), atol=1e-6)


def test_occlusion_covers_every_pixel_whatever_the_sizes():
    ours = map_of(small_network(), photo_of(height=67, width=83), "occlusion")
    assert np.isfinite(ours.model_map).all()


def test_guided_backpropagation_stops_what_lowers_the_score_at_a_capped_activation():
    class Signed(nn.Module):
        def __init__(self, sign):
            super().__init__()
            self.convolution = nn.Conv2d(3, 3, 1)
            self.activation = nn.ReLU6()
            self.last = nn.Conv2d(3, 3, 1)
            self.sign = sign

        def forward(self, images):
            return self.sign * self.last(self.activation(images + 0 * self.convolution(images))).sum((1, 2, 3))

    photo = photo_of()
    maps = []
    for sign in (1, -1):
        network = Signed(sign)
        network.last.weight.data = torch.eye(3)[:, :, None, None]
        network.convolution.weight.data.zero_()
        maps.append(map_of(network, photo, "guided-backpropagation").model_map)
    assert maps[0].max() > 0
    assert np.all(maps[1] == 0)


def test_grad_cam_and_hirescam_are_gradient_times_activation_at_the_last_features():
    network, photo = small_network(nn.ReLU), photo_of()
    images = torch.from_numpy(photo.pixels.transpose(2, 0, 1)[None] / np.float32(255))
    features = network[:4](images)
    expected = (features * network[6].weight[0, :, None, None] / features[0, 0].numel()).sum(1)[0]
    cells = map_of(network, photo, "grad-cam").model_map[::4, ::4]
    # Pooling is a mean: the gradient is the same at every cell. Two strides of 2, padded by 1, centre cell i on 4 i.
    np.testing.assert_allclose(cells, expected.numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("convolutions", "stride", "offset"),
    [
        ([nn.Conv2d(3, 4, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(4, 4, 3, 2, 1)], 8, 0.0),
        ([nn.Conv2d(3, 4, 4, 4), nn.Conv2d(4, 4, 2, 2)], 8, 3.5),
        ([nn.Conv2d(3, 4, 3, 1, 1), nn.AvgPool2d(2)], 2, 0.5),
    ],
)
def test_a_cell_lies_where_its_receptive_field_is_centred(convolutions, stride, offset):
    network = nn.Sequential(*convolutions, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))
    layer = find_feature_layer(replica(network), torch.zeros(1, 3, 64, 64))
    assert (layer.stride, layer.offset) == ((stride, stride), (offset, offset))
    cells = torch.arange(4.0).repeat(4, 1)[None, None]
    row = layer.at_input(cells, (4 * stride, 4 * stride))[0, 0, 0]
    centre = int(offset) + stride
    assert float(row[centre]) == pytest.approx(1 - (offset - int(offset)) / stride, abs=1e-5)


@pytest.mark.parametrize(("side", "offset"), [(64, 1.0), (65, 0.0)])
def test_a_cell_behind_asymmetric_padding_lies_where_its_kernel_is_centred(side, offset):
    # An even side is padded at the end only, so that the first kernel of three is centred on pixel 1.
    network = nn.Sequential(SameConv2d(3, 4, 3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))
    layer = find_feature_layer(replica(network), torch.zeros(1, 3, side, side))
    assert (layer.stride, layer.offset) == ((2, 2), (offset, offset))


@pytest.mark.parametrize("method", sorted(set(METHODS) - {"smoothgrad"}))
def test_shifting_the_photo_shifts_the_map(method):
    network = small_network()
    scene = np.full((96, 160, 3), 128, dtype=np.uint8)
    patch = np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    maps = []
    for left in (48, 80):
        shifted = scene.copy()
        shifted[32:56, left : left + 24] = patch
        maps.append(map_of(network, decode(shifted), method, MapSettings(window=0.25, stride=1 / 6)).model_map)
    inside = slice(24, 64), slice(40, 80)
    moved = np.roll(maps[1], -32, axis=1)[inside]
    np.testing.assert_allclose(moved, maps[0][inside], atol=0.02 * np.abs(maps[0]).max())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_maps_our_networks(method, tiny_checkpoint):
    from metaiqa_core.models.checkpoints import load_checkpoint

    checkpoint = load_checkpoint(tiny_checkpoint)
    photo = photo_of(height=100, width=150)
    result = map_of(checkpoint.network, photo, method, MapSettings(), checkpoint.preprocessing, model="tiny")
    assert result.at(photo).shape == (100, 150)
    assert result.at(photo).dtype == np.float32
    assert (result.input_size, result.photo_size) == ((96, 64), (150, 100))
    assert result.model_map.shape == (64, 96)
    assert (result.completeness_gap is not None) == find_method(method).complete
    assert result.at(photo).std() > 0
    if not find_method(method).signed:
        assert result.at(photo).min() >= 0


def state_of(network):
    return [
        (name, module.training, len(module._forward_hooks), len(module._forward_pre_hooks), len(module._backward_hooks))
        for name, module in network.named_modules()
    ] + [(name, weight.requires_grad, weight.grad, weight._version) for name, weight in network.named_parameters()]


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was(method):
    network = small_network().train()
    network[0].requires_grad_(True)
    before, modules = state_of(network), list(network.modules())
    map_of(network, photo_of(), method)
    assert state_of(network) == before
    assert list(network.modules()) == modules


@pytest.mark.parametrize("method", METHODS)
def test_the_network_is_left_as_it_was_after_a_failure_and_after_a_cancel(method):
    network = small_network()
    before = state_of(network)
    network[6].weight.data.fill_(float("nan"))
    before = state_of(network)
    with pytest.raises(ExplanationError, match=f"The map of {method} holds values that are not finite"):
        map_of(network, photo_of(), method)
    work = gradient_map(network, photo_of(), NATIVE, method=method)
    next(work)
    work.close()
    assert state_of(network) == before


@pytest.mark.parametrize("method", ["saliency", "guided-backpropagation", "deeplift"])
def test_threads_that_share_a_network_get_the_maps_they_would_get_alone(method):
    network = small_network()
    photos = [photo_of(seed) for seed in range(4)]
    alone = [map_of(network, photo, method).model_map for photo in photos]
    together = [None] * 4

    def work(place):
        together[place] = map_of(network, photos[place], method).model_map

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", METHODS)
def test_a_map_can_be_asked_for_where_gradients_are_off(method):
    network, photo = small_network(), photo_of()
    with torch.inference_mode():
        inside = map_of(network, photo, method).model_map
        assert torch.is_inference_mode_enabled()
    np.testing.assert_array_equal(inside, map_of(network, photo, method).model_map)


@pytest.mark.parametrize(("method", "share"), [("deeplift", 0.04), ("hirescam", 0.02)])
def test_a_map_is_smoothed_as_its_method_needs_it_unless_told_otherwise(method, share):
    network, photo = small_network(), photo_of()
    own, raw = map_of(network, photo, method, None), map_of(network, photo, method)
    assert own.settings["smoothing"] == share
    assert raw.settings["smoothing"] == 0
    expected = gaussian_filter(raw.model_map, share * min(raw.model_map.shape))
    np.testing.assert_allclose(own.model_map, expected, atol=1e-6 * np.abs(expected).max())


def test_smoothing_keeps_the_sum_of_a_signed_map():
    network, photo = small_network(), photo_of()
    raw, smooth = (map_of(network, photo, "gradient-x-input", MapSettings(smoothing=share)) for share in (0, 0.05))
    assert smooth.model_map.sum(dtype=np.float64) == pytest.approx(raw.model_map.sum(dtype=np.float64), rel=1e-3)
    assert smooth.model_map.std() < raw.model_map.std()


def test_an_unknown_method_is_refused_with_the_choices():
    with pytest.raises(ExplanationError, match=r"There is no method called 'lime': expected one of saliency, "):
        map_of(small_network(), photo_of(), "lime")


@pytest.mark.parametrize("method", ["grad-cam", "hirescam", "guided-grad-cam"])
def test_methods_on_feature_maps_refuse_a_network_without_any(method):
    with pytest.raises(ExplanationError, match=r"lack|has none: choose another method, such as saliency\."):
        map_of(LinearScore(), photo_of(), method)


def test_guided_backpropagation_refuses_a_network_without_relu():
    with pytest.raises(ExplanationError, match=r"feature maps lack them: choose another method, such as saliency\."):
        map_of(small_network(nn.Tanh), photo_of(), "guided-backpropagation")


def test_a_network_with_several_answers_is_refused():
    class Two(nn.Module):
        def forward(self, images):
            return F.adaptive_avg_pool2d(images, 1).flatten(1)

    with pytest.raises(ExplanationError, match=r"answered 1 photos with the shape \(1, 3\): use a network"):
        map_of(Two(), photo_of(), "saliency")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("samples", 0, "samples must be a positive integer, got 0"),
        ("steps", 6, "steps must be a multiple of 4, got 6"),
        ("noise", -0.1, r"noise must be in \[0, 1\), got -0.1"),
        ("window", 0, r"window must be in \(0, 1\], got 0"),
        ("tolerance", 1, r"tolerance must be in \(0, 1\), got 1"),
        ("smoothing", 0.5, r"smoothing must be in \[0, 0.5\), got 0.5"),
        ("baseline", "noise", "baseline must be grey, mean, blurred or black, got 'noise'"),
    ],
)
def test_settings_out_of_range_are_refused(field, value, message):
    with pytest.raises(ValueError, match=message):
        MapSettings(**{field: value})
