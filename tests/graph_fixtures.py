"""A tiny graph model and the distorted photos that it learns from."""

import csv

import numpy as np
import torch
from PIL import Image
from tiny_fixtures import photo_pixels

from metaiqa_core.defect_words import NOTHING, Defect
from metaiqa_core.diagnosis import DiagnosisCalibration
from metaiqa_core.distortions import distort
from metaiqa_core.models.card import ModelCard
from metaiqa_core.models.distortion_graph.graph_config import GraphConfig
from metaiqa_core.models.distortion_graph.graph_network import GraphNetwork
from metaiqa_core.models.regressor_config import RegressorConfig
from metaiqa_core.preprocessing import Preprocessing
from metaiqa_core.training.graph_data import DefectImages

DEFECTS = (Defect("", NOTHING), Defect("kadid10k:GB", "blurred"), Defect("kadid10k:WN", "noisy"))
CONFIG = GraphConfig(
    RegressorConfig("mobilenet_v3_small", pooled=(2, 4, 9)),
    DEFECTS,
    tone=4,
    fused=12,
    edge_widths=(10, 8, 6),
    node_widths=(10, 8, 7),
)
TYPES = ("kadid10k:GB", "kadid10k:WN")


def tiny_graph_network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return GraphNetwork(CONFIG).eval()


def graph_card(name="tiny-graph", **calibration):
    return ModelCard(
        name=name,
        summary="A tiny graph model.",
        architecture="distortion-graph",
        regressor=None,
        preprocessing=Preprocessing(short_side=160, minimum_side=128),
        training_data="nothing",
        licence="MIT",
        graph=CONFIG,
        diagnosis=DiagnosisCalibration(**calibration),
    )


def random_images(count=60, width=5, seed=0):
    """Features in which the defect and the level can be seen."""
    draws = np.random.default_rng(seed)
    numbers = draws.integers(len(DEFECTS), size=count)
    levels = np.where(numbers == 0, 0, draws.integers(1, 6, count)).astype(np.float32)
    features = draws.normal(0, 0.3, (count, 4, width)).astype(np.float32)
    for number in range(len(DEFECTS)):
        features[numbers == number, :, number] += 2
    features[:, :, 3] += levels[:, None]
    defects = tuple(DEFECTS[number] for number in numbers)
    contents = tuple(f"scene {number % 6}" for number in range(count))
    return DefectImages(features, defects, levels, contents, (1 - levels / 5).astype(np.float32))


def write_distorted(folder, scenes=6):
    """Write a database of distorted photos: two types at five levels."""
    folder.mkdir(parents=True)
    with (folder / "scores.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "reference", "type", "level", "mos"])
        for scene in range(scenes):
            pixels = photo_pixels(scene, size=(144, 128))
            for kind in TYPES:
                for level in range(1, 6):
                    name = f"scene{scene}_{kind[-2:]}_{level}.png"
                    Image.fromarray(distort(pixels, kind, level, seed=scene)).save(folder / name)
                    writer.writerow([name, f"scene{scene}", kind, level, 100 - 18 * level])
    return folder
