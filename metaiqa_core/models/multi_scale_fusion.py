"""Multi-scale fusion: what the stages of a backbone see at several scales, on one set of channels, for any input size.

*Inferred*: the abstract (Jia and Wei, PLoS ONE 21(6):e0351549, 2026) names multi-scale feature fusion against the loss
of a fixed input size and says no more. This is the top-down half of a feature pyramid.

Source: Lin et al., *Feature Pyramid Networks for Object Detection*, CVPR 2017.
"""

from collections.abc import Sequence

from torch import Tensor, nn

from metaiqa_core.models.self_calibration import EnlargeTo


class MultiScaleFusion(nn.Module):
    """A 1x1 convolution brings each level to the same channels; from the coarsest on, each is added to the finer one.

    Args:
        channels: Number of channels of each level, the finest first.
        width: Number of channels of the fused levels.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        laterals = [nn.Conv2d(one, width, 1) for one in channels]
        self.laterals = nn.ModuleList(laterals)
        self.enlarge = EnlargeTo()
        for lateral in laterals:
            # As long as nothing is learned, levels are turned, not blurred.
            nn.init.orthogonal_(lateral.weight.flatten(1))
            if lateral.bias is not None:
                nn.init.zeros_(lateral.bias)

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Fuse levels.

        Args:
            maps: Maps (B, C_l, h_l, w_l) of each level, the finest first.

        Returns:
            Maps (B, width, h_l, w_l) of each level.
        """
        levels = [lateral(one) for lateral, one in zip(self.laterals, maps, strict=True)]
        for finer in range(len(levels) - 2, -1, -1):
            levels[finer] = levels[finer] + self.enlarge(levels[finer + 1], levels[finer])
        return levels
