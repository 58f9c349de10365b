"""Looks: nine plain numbers about the light, the colours and the detail of a photo, which tastes are often about."""

import torch
from torch import Tensor, nn

from metaiqa_core.models.spread import Spread

NAMES = (
    "brightness",
    "red against green",
    "yellow against blue",
    "contrast",
    "spread of red and green",
    "spread of yellow and blue",
    "strength of red and green",
    "strength of yellow and blue",
    "fine detail",
)
"""Names of the numbers, in the order of `Looks.forward`."""

_OPPONENT = ((1 / 3, 1 / 3, 1 / 3), (1.0, -1.0, 0.0), (0.5, 0.5, -1.0))
_LAPLACIAN = ((0.0, -1.0, 0.0), (-1.0, 4.0, -1.0), (0.0, -1.0, 0.0))


class Looks(nn.Module):
    """Means and standard deviations of opponent colours, the strength of colour, and the detail of a photo.

    With L = (R + G + B) / 3, rg = R - G and yb = (R + G) / 2 - B: means and standard deviations of the three, root mean
    squares of rg and yb (how colourful), and the standard deviation of the Laplacian of L (how much fine detail, grain
    and noise). All of it is made of convolutions and `Spread`, for which graphs and maps have their rules.

    Source:
        Hasler and Suesstrunk, Measuring Colourfulness in Natural Images, SPIE 5007, 2003, for the opponent colours.
    """

    def __init__(self) -> None:
        super().__init__()
        opponent = torch.tensor(_OPPONENT)[:, :, None, None]  # (3, 3, 1, 1)
        laplacian = torch.tensor(_LAPLACIAN)[None, None]  # (1, 1, 3, 3)
        self.opponent = _fixed(opponent)
        self.chroma = _fixed(opponent[1:])
        self.mirrored = _fixed(-opponent[1:])
        self.lightness = _fixed(opponent[:1])
        self.laplacian = _fixed(laplacian)
        self.spread, self.strength, self.detail = Spread(), Spread(), Spread()

    def forward(self, images: Tensor) -> Tensor:
        """Return the looks (B, 9) of photos (B, 3, H, W), RGB in [0, 1]."""
        opponent = self.opponent(images)
        # The mean of a map and its mirror image is 0: their standard deviation is the root mean square of the map.
        both_signs = torch.cat((self.chroma(images), self.mirrored(images)), 2)
        detail = self.laplacian(self.lightness(images))
        spread = self.spread(opponent.view_as(opponent))  # a tensor of its own: see `Regressor.pool`
        parts = (opponent.mean((2, 3)), spread, self.strength(both_signs), self.detail(detail))
        return torch.cat(parts, 1)


def _fixed(weight: Tensor) -> nn.Conv2d:
    outputs, inputs, height, width = weight.shape
    layer = nn.Conv2d(inputs, outputs, (height, width), bias=False)
    layer.weight = nn.Parameter(weight.clone(), requires_grad=False)
    return layer
