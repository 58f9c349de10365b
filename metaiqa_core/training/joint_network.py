"""A network with what turns its one latent quality into the opinion scores of several studies."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metaiqa_core.models.batch_norm import norms_within_convolutions
from metaiqa_core.models.regressor import Regressor
from metaiqa_core.training.fidelity import fidelity_loss
from metaiqa_core.training.joint_configuration import JointConfig
from metaiqa_core.training.study_scales import StudyScale, answer_on


class JointNetwork(nn.Module):
    """A network, a scale for each study, and the spread of the network's answers: all that joint training moves.

    Args:
        network: Network that predicts the latent quality.
        studies: Names of the studies.
        shown: Names of the studies on the mean of whose scales the network is to answer in the end.
        config: Kind of scales, losses, and the seed of what is new.

    Attributes:
        network: The network.
        scales: Each study's scale, in the order of the studies.
        spread: Layer that gives the logarithm of an answer's spread, from the last hidden activations.
    """

    def __init__(self, network: Regressor, studies: Sequence[str], shown: Sequence[str], config: JointConfig) -> None:
        super().__init__()
        self._studies, self._shown, self._config = studies, list(dict.fromkeys(shown)), config
        hidden = network.config.hidden
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            # A bent scale cannot become the network's own, so the shown ones are straight.
            straight = self._shown if config.scale == "monotone" else ()
            scales = [StudyScale(hidden, "affine" if name in straight else config.scale) for name in studies]
            spread = nn.Linear(hidden, 1)
            nn.init.zeros_(spread.weight)
            nn.init.constant_(spread.bias, float(np.log(config.pair_noise)))
        self.network = network
        self.scales = nn.ModuleList(scales)
        self.spread = spread

    def pool(self, maps: Sequence[Tensor]) -> Tensor:
        """Return what the head sees of crops.

        Args:
            maps: Feature maps (B, C, h, w) of the crops after the frozen stages, by study; all shrink to one side, the
                smallest.

        Returns:
            Pooled features (sum of all B, P).
        """
        frozen = self._config.frozen_stages
        side = min(min(one.shape[2:]) for one in maps)
        together = torch.cat([one[:, :, :side, :side] for one in maps]).contiguous(memory_format=torch.channels_last)
        with norms_within_convolutions(self.network.backbone[frozen:]):
            return self.network.pool(self.network.pooled_maps(together, frozen))

    def losses(self, pooled: Tensor, opinions: Sequence[Tensor]) -> tuple[Tensor, dict[str, float]]:
        """Return the loss on a batch.

        Args:
            pooled: Pooled features (sum of all B, P) of the studies' crops, one study after the other.
            opinions: Unit scores (B,) that people gave, by study.

        Returns:
            The loss (), and by study the mean squared error of its unit scores, named for a curve.
        """
        config = self._config
        hidden = self.network.head[:-1](pooled)
        quality = self.network.head[-1](hidden).squeeze(1)
        log_spread = self.spread(hidden).squeeze(1)
        losses, errors = [], {}
        first = 0
        for name, scale, opinion in zip(self._studies, self._study_scales(), opinions, strict=True):
            rows = slice(first, first + len(opinion))
            first += len(opinion)
            share = len(opinion) / len(quality)
            predicted = scale(quality[rows], hidden[rows])
            opinion = opinion.to(quality.device)
            error = F.mse_loss(predicted, opinion)
            loss = config.score_weight * share * error
            if config.pair_weight:
                pairs = fidelity_loss(predicted, log_spread[rows], opinion, config.pair_noise)
                loss = loss + config.pair_weight * share * pairs
            if scale.residual is not None:
                loss = loss + config.residual_decay * scale.residual.square().sum()
            losses.append(loss)
            errors[f"squared error, {name}"] = float(error.detach())
        return torch.stack(losses).sum(), errors

    def answer_on_shown(self) -> None:
        """Let the network answer on the mean of the shown studies' scales, in place."""
        named = dict(zip(self._studies, self._study_scales(), strict=True))
        answer_on(self.network, [named[name] for name in self._shown])

    @torch.no_grad()
    def to_shown(self) -> dict[str, tuple[float, float]]:
        """Return by study offset and gain by which its scores become those of the shown studies' mean."""
        named = dict(zip(self._studies, self._study_scales(), strict=True))
        gain = float(np.mean([float(named[name].log_gain.exp()) for name in self._shown]))
        offset = float(np.mean([float(named[name].offset) for name in self._shown]))
        found = {}
        for name, scale in named.items():
            ratio = gain / float(scale.log_gain.exp())
            found[name] = offset - ratio * float(scale.offset), ratio
        return found

    def _study_scales(self) -> list[StudyScale]:
        return [cast(StudyScale, scale) for scale in self.scales]
