"""The tiny photos and the tiny network that the shared fixtures are made of."""

import csv
import json

import numpy as np
import torch
from PIL import Image

from metaiqa_core.models.card import Calibration, ModelCard
from metaiqa_core.models.regressor import Regressor, RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.photos import predict

TINY_TYPES = ("kadid10k:GB", "kadid10k:WN", "kadid10k:JPEG")
TINY_PREPROCESSING = Preprocessing(short_side=64)
TINY_CONFIG = RegressorConfig(backbone="mobilenet_v3_small", hidden=8)
TINY_CALIBRATION = Calibration(
    level=0.9,
    half_width=12.5,
    measured_coverage=0.9,
    population="tiny photos",
    population_size=24,
    population_quantiles=tuple(float(value) for value in range(101)),
)

TINY_CARD = ModelCard(
    name="tiny",
    summary="Random weights for tests.",
    architecture="regressor",
    regressor=TINY_CONFIG,
    preprocessing=TINY_PREPROCESSING,
    training_data="none",
    licence="MIT",
    calibration=TINY_CALIBRATION,
)


def photo_pixels(seed, noise=0.0, size=(96, 72)):
    """A smooth scene, unlike any other seed's, with white noise of a standard deviation in levels of 255."""
    generator = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / max(size)
    waves = generator.uniform(2, 12, (3, 2))
    scene = np.stack([np.sin(across * x + down * y + seed) for across, down in waves], axis=-1)
    pixels = 128 + 80 * scene + generator.normal(0, noise, (height, width, 3))
    return pixels.clip(0, 255).round().astype(np.uint8)


def spread_network(photos, config=TINY_CONFIG, seed=0):
    """A network with random weights but sane statistics, whose scores of `photos` spread over the scale."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Regressor(config)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    images = torch.stack([photos[index][:, :64, :64] for index in range(len(photos))]).float() / 255
    with torch.no_grad():
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 1.0
        network.train()(images)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        scores = torch.from_numpy(predict(network.eval(), photos, range(len(photos)))).float()
        gain = 0.4 / (scores - scores.mean()).abs().max()
        last = network.head[-1]
        last.weight.mul_(gain)
        last.bias.copy_(0.5 + (last.bias - scores.mean()) * gain)
    return network


def write_distorted(folder):
    """Write a database as `synthesize` writes them, of 3 types x 4 references x 3 levels, and return its folder."""
    (folder / "images").mkdir(parents=True)
    with (folder / "scores.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["image", "reference", "type", "level", "mos", "mos_std", "label_source"])
        for number, kind in enumerate(TINY_TYPES):
            for reference in range(4):
                for level in (1, 2, 3):
                    name = f"images/{reference}_{number}_{level}.png"
                    pixels = photo_pixels(reference, noise=10 * level * (number + 1), size=(80, 72))
                    Image.fromarray(pixels).save(folder / name)
                    rows.writerow([name, f"r{reference}", kind, level, 5 - level, 0.5, "means"])
    (folder / "database.json").write_text(json.dumps({"format": 1, "name": "tiny-style", "raw_range": [1, 5]}))
    return folder
