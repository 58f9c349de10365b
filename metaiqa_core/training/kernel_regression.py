"""A kernel head: ridge regression on Gaussian functions of pooled features, for several studies of opinion scores.

Each study s answers by f_s(x) = m_s + d_s z(x) (a + a_s), where m_s and d_s are mean and deviation of its scores, z(x)
are Gaussian functions of the photo's features, whitened, a is what all studies have in common, and a_s what is its own.
The penalties p / r of |a|^2 and p / (1 - r) of |a_s|^2 say how much is common: with r = 0 the studies know nothing of
each other, with r = 1 they differ in scale alone. This is Gaussian-process regression with the covariance
k(x, x') (r + (1 - r) [s = s']), by Nystroem's approximation.

A network that answers like several studies weighs their answers by a softmax of evidence: ridge regressions, on the
same functions, of whether a photo is one of the study's. A study's answer is shifted so that photos which could come
from either study get on average the same from both: a photo that looks a little more like the other must not jump.

Source:
    Bonilla, Chai and Williams, Multi-task Gaussian Process Prediction, NIPS 2007; Williams and Seeger, Using the
    Nystroem Method to Speed Up Kernel Machines, NIPS 2000; Jacobs et al., Adaptive Mixtures of Local Experts, 1991.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.linalg
import scipy.special
import torch
from numpy.typing import NDArray
from torch import nn

from metaiqa_core.errors import TrainingError
from metaiqa_core.models.kernel_head import Gaussians
from metaiqa_core.models.regressor import Regressor, Standardise
from metaiqa_core.training.kept_features import Features
from metaiqa_core.training.kernel_configuration import KernelConfig
from metaiqa_core.training.kernel_differences import DifferenceRows, Differences, difference_rows
from metaiqa_core.training.kernel_functions import KernelFunctions, choose_functions, with_tones

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class StudyScores:
    """One study's images as the regression sees them.

    Attributes:
        name: Name of the study.
        features: Pooled features (N, P), after which come the tones if the head sees any (`pooled_features`).
        unit_scores: Opinion scores (N,), in [0, 1].
    """

    name: str
    features: Features
    unit_scores: Array


@dataclass(frozen=True, eq=False)
class FittedHead:
    """A network with a kernel head.

    Attributes:
        network: The network, in evaluation mode.
        to_shown: Offset and gain, by study, that bring its unit scores to the scale that the network answers on.
    """

    network: Regressor
    to_shown: dict[str, tuple[float, float]]


def fit_kernel_head(
    start: Regressor,
    studies: Sequence[StudyScores],
    shown: Sequence[str],
    config: KernelConfig,
    shares: Mapping[str, float] | None = None,
    differences: Sequence[Differences] = (),
) -> FittedHead:
    """Give a network a kernel head.

    Args:
        start: The network; its backbone and the standardisation of its features are kept.
        studies: The studies to learn from.
        shown: Names of the studies that the network answers like; the first one gives the scale.
        config: Settings.
        shares: Shares, by study, of its own part a_s in the answers of the others; none: each answers for itself.
        differences: Pairs of images of which is known how much worse one is.

    Raises:
        TrainingError: If a study is shown that is not learned from, has fewer than two images, or has equal scores.
    """
    names = [study.name for study in studies]
    shares = shares or {}
    if unknown := [name for name in (*shown, *shares) if name not in names] or ([] if shown else ["none"]):
        raise TrainingError(f"The network is to answer like {unknown[0]}: expected one of {', '.join(names)}.")
    for study in studies:
        if len(study.unit_scores) < 2 or np.ptp(study.unit_scores) == 0:
            raise TrainingError(f"{study.name} has no two photos with different scores to learn from.")
    standard = start.head[0]
    if not isinstance(standard, Standardise):
        raise TrainingError("A kernel head needs a network that pools several stages: train one with --pooled first.")
    standard = with_tones(standard, [study.features for study in studies])
    features = [_standardised(study.features, standard) for study in studies]
    functions = choose_functions(features, config)
    likeness = [functions(one) for one in features]
    pairs = difference_rows(differences, lambda seen: functions(_standardised(seen, standard)), functions.count)
    scales = [(float(study.unit_scores.mean()), float(study.unit_scores.std())) for study in studies]
    targets = [(study.unit_scores - mean) / deviation for study, (mean, deviation) in zip(studies, scales, strict=True)]
    common, own = _solve(likeness, targets, pairs, [deviation for _, deviation in scales], config)
    others = np.sum([shares.get(name, 0.0) * part for name, part in zip(names, own, strict=True)], 0)
    answers = np.stack(
        [common + (1 - shares.get(name, 0.0)) * own[names.index(name)] + others for name in shown]
    )  # in deviations of a study's scores
    seen = [likeness[names.index(name)] for name in shown]
    evidence = _evidence(seen, pairs.copies, config.penalty) / config.softness
    shifts = _shifts(seen, answers, evidence)
    mean, deviation = scales[names.index(shown[0])]
    weights, biases = deviation * answers, mean + deviation * shifts
    if len(shown) > 1:
        weights, biases = np.concatenate([weights, evidence]), np.concatenate([biases, np.zeros(len(shown))])
    network = _network(start, standard, functions, weights @ functions.whitening.T, biases, config.tones)
    shift_of = dict(zip(shown, shifts, strict=True))
    to_shown = {
        name: (
            mean + deviation * (shift_of.get(name, 0.0) - other_mean / other_deviation),
            deviation / other_deviation,
        )
        for name, (other_mean, other_deviation) in zip(names, scales, strict=True)
    }
    return FittedHead(network, to_shown)


def _solve(
    likeness: Sequence[Array],
    targets: Sequence[Array],
    pairs: DifferenceRows,
    deviations: Sequence[float],
    config: KernelConfig,
) -> tuple[Array, list[Array]]:
    """Return a and the a_s that minimise the squared errors and the penalties; each a_s follows from a."""
    own_penalty = config.penalty / (1 - config.common)
    unit = np.eye(likeness[0].shape[1])
    grams = [one.T @ one + pairs.gram for one in likeness]
    sides = [
        one.T @ target + pairs.side / deviation
        for one, target, deviation in zip(likeness, targets, deviations, strict=True)
    ]
    inverses = [scipy.linalg.cho_factor(gram + own_penalty * unit) for gram in grams]
    if config.common == 0:
        common = np.zeros(len(unit))
    else:
        parts = [gram - gram @ scipy.linalg.cho_solve(one, gram) for gram, one in zip(grams, inverses, strict=True)]
        rest = [
            side - gram @ scipy.linalg.cho_solve(one, side)
            for side, gram, one in zip(sides, grams, inverses, strict=True)
        ]
        common = scipy.linalg.solve(
            np.sum(parts, 0) + config.penalty / config.common * unit, np.sum(rest, 0), assume_a="pos"
        )
    own = [
        scipy.linalg.cho_solve(one, side - gram @ common)
        for one, side, gram in zip(inverses, sides, grams, strict=True)
    ]
    return common, own


def _evidence(likeness: Sequence[Array], copies: Array, penalty: float) -> Array:
    """Return the weights (T, M) of the regressions, by study, of whether a photo is one of its own.

    All studies count alike, however many photos each has: as many as the smallest. A copy is evidence for the study
    that the photo is evidence for.
    """
    smallest = min(map(len, likeness))
    gram = np.sum([smallest / len(one) * (one.T @ one) for one in likeness], 0) + copies
    sides = np.stack([smallest / len(one) * one.sum(0) for one in likeness], 1)
    return np.asarray(scipy.linalg.solve(gram + penalty * np.eye(len(gram)), sides, assume_a="pos").T)


def _shifts(likeness: Sequence[Array], answers: Array, evidence: Array) -> Array:
    """Return what to add to each study's answers (T, M): they agree with the first where either may be asked."""
    smallest = min(map(len, likeness))
    counts = np.concatenate([np.full(len(one), smallest / len(one)) for one in likeness])
    weights = scipy.special.softmax(np.concatenate([one @ evidence.T for one in likeness]), axis=1)
    given = np.concatenate([one @ answers.T for one in likeness])
    overlap = weights * weights[:, :1] * counts[:, None]
    return np.asarray((overlap * (given[:, :1] - given)).sum(0) / overlap.sum(0))


def _network(
    start: Regressor,
    standard: Standardise,
    functions: KernelFunctions,
    weights: Array,
    biases: Array,
    tones: int,
) -> Regressor:
    """Return a network with the start's backbone and a head of these parts."""
    pooled, *of_tones = functions.kinds
    config = replace(
        start.config,
        hidden=pooled.projection.shape[1],
        centres=len(pooled.centres),
        studies=len(weights) // 2,
        dropout=0.0,
        tones=tones,
        tone_centres=sum(len(kind.centres) for kind in of_tones),
    )
    with torch.random.fork_rng(devices=[]):
        network = Regressor(config)
    network.backbone.load_state_dict(start.backbone.state_dict())
    own_standard, _, linear, likeness, last = network.head[:5]
    layers = [module for module in likeness.modules() if isinstance(module, Gaussians)]
    if not (isinstance(linear, nn.Linear) and layers and isinstance(last, nn.Linear)):
        raise TypeError("a kernel head consists of a projection, Gaussian functions and a linear layer")
    own_standard.load_state_dict(standard.state_dict())
    with torch.no_grad():
        linear.weight.copy_(torch.from_numpy(scipy.linalg.block_diag(*(part.projection.T for part in functions.kinds))))
        linear.bias.zero_()
        for layer, part in zip(layers, functions.kinds, strict=True):
            layer.centres.copy_(torch.from_numpy(part.centres))
            layer.width.fill_(part.width)
        last.weight.copy_(torch.from_numpy(weights))
        last.bias.copy_(torch.from_numpy(biases))
    return network.eval().requires_grad_(False)


def _standardised(features: Features, standard: Standardise) -> Array:
    return standard(torch.from_numpy(features)).numpy().astype(np.float64)
