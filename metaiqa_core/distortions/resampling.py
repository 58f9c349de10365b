"""Bilinear resampling of images at positions between their pixels."""

import torch
from torch import Tensor
from torch.nn import functional as F


def sample(images: Tensor, positions: Tensor) -> Tensor:
    """Read (B, C, H, W) at positions (B, H, W, 2), given as (x, y) in pixels; bilinear, borders replicated."""
    height, width = images.shape[-2:]
    scale = positions.new_tensor([2 / (width - 1), 2 / (height - 1)])
    return F.grid_sample(images, positions * scale - 1, mode="bilinear", padding_mode="border", align_corners=True)


def translate(channels: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Move every image by its own distance, bilinear between pixels; borders are replicated.

    Args:
        channels: (B, C, H, W).
        rows: (B,) pixels downwards.
        columns: (B,) pixels to the right.

    Returns:
        (B, C, H, W).
    """
    batch, _, height, width = channels.shape
    y, x = torch.meshgrid(
        torch.arange(height, device=channels.device), torch.arange(width, device=channels.device), indexing="ij"
    )
    grid = torch.stack([x - columns[:, None, None], y - rows[:, None, None]], dim=-1).to(channels)
    return sample(channels, grid)
