"""The standard deviation of each channel over a map, as a layer."""

from torch import Tensor, nn


class Spread(nn.Module):
    """Standard deviation of each channel over a map: sqrt(var + 1e-6), whose gradient is finite for even maps too.

    A module of its own, so that attribution methods can hook it.
    """

    def forward(self, maps: Tensor) -> Tensor:
        """Return the standard deviations (B, C) of maps (B, C, h, w)."""
        return (maps.var((2, 3), correction=0) + 1e-6).sqrt()
