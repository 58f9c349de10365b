"""Spatial damage: jitter, big pixels, grey steps, misplaced patches and coloured blocks."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from metaiqa_core.distortions.level_search import Degradation, reach_psnr
from metaiqa_core.distortions.randomness import RandomStreams
from metaiqa_core.distortions.resampling import sample

JITTER_ROUNDS = 5

KADID_PATCH = 16  # pixels
KADID_PATCH_REACH = 8  # pixels up, down, left or right
KADID_MAXIMUM_PATCHES = 100
COLOUR_BLOCK = 32  # pixels
MAXIMUM_COLOUR_BLOCKS = 10

TID_PATCH = 15  # pixels
TID_PATCH_REACH = 15
TID_MAXIMUM_COVERS = 8  # the strongest distortion has patches for this many times the photo's area
BLOCK_SHARE = 192  # a block has 1/192 of the photo's area: 32x32 pixels at 512x384, the size of TID2013's photos
LARGEST_BLOCK = 32
BLOCKWISE_PSNR = 27.0  # dB at every level: fewer blocks are the more intense


def jitter(images: Tensor, deviation: float, streams: RandomStreams) -> Tensor:
    """Read every pixel at a place displaced by Gaussian noise of `deviation` pixels, five times in a row."""
    height, width = images.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    grid = torch.stack([x, y], dim=-1).to(images)
    for _ in range(JITTER_ROUNDS):
        images = sample(images, grid + deviation * streams.normal(height, width, 2).to(images))
    return images


def pixelate(images: Tensor, amount: float, streams: RandomStreams) -> Tensor:
    """Shrink by the factor 0.95 - amount ** 0.6 and enlarge back, both by the nearest pixel."""
    height, width = images.shape[-2:]
    factor = 0.95 - amount**0.6
    small = (math.ceil(height * factor), math.ceil(width * factor))
    return F.interpolate(F.interpolate(images, small, mode="nearest-exact"), (height, width), mode="nearest-exact")


def quantise_levels(images: Tensor, levels: float, streams: RandomStreams) -> Tensor:
    """Cut the range of each image into equal classes and spread their levels evenly over the range."""
    low, high = images.amin(dim=(1, 2, 3), keepdim=True), images.amax(dim=(1, 2, 3), keepdim=True)
    span = torch.where(high > low, high - low, torch.ones_like(high))
    classes = ((images - low) / span * levels).floor().clamp(0, levels - 1)
    return low + (high - low) * classes / (levels - 1)


def _patch_moves(images: Tensor, count: int, patch: int, reach: int, streams: RandomStreams) -> list[list[int]]:
    """Draw `count` moves (row, column, new row, new column) of patches that stay within the image."""
    limits = [images.shape[-2] - patch, images.shape[-1] - patch]
    margins = [min(reach, limit // 2) for limit in limits]
    old = [
        streams.integers(margin, limit - margin + 1, count)[0] for limit, margin in zip(limits, margins, strict=True)
    ]
    new = [
        (start + streams.integers(-reach, reach + 1, count)[0]).clamp(0, limit)
        for start, limit in zip(old, limits, strict=True)
    ]
    return torch.stack([*old, *new], dim=1).tolist()


def neighbour_patches(images: Tensor, patches: float, streams: RandomStreams) -> Tensor:
    """Copy 16x16 patches of one image, one after the other, to places up to 8 pixels away on each axis."""
    result = images[0].clone()
    moves = _patch_moves(images, KADID_MAXIMUM_PATCHES, KADID_PATCH, KADID_PATCH_REACH, streams)
    for row, column, new_row, new_column in moves[: int(patches)]:
        patch = result[:, row : row + KADID_PATCH, column : column + KADID_PATCH].clone()
        result[:, new_row : new_row + KADID_PATCH, new_column : new_column + KADID_PATCH] = patch
    return result[None]


def colour_blocks(images: Tensor, blocks: float, streams: RandomStreams) -> Tensor:
    """Paint 32x32 blocks of random colours at random places of one image; later ones may cover earlier ones."""
    height, width = images.shape[-2:]
    rows = streams.integers(0, height - COLOUR_BLOCK + 1, MAXIMUM_COLOUR_BLOCKS)[0].tolist()
    columns = streams.integers(0, width - COLOUR_BLOCK + 1, MAXIMUM_COLOUR_BLOCKS)[0].tolist()
    colours = streams.uniform(MAXIMUM_COLOUR_BLOCKS, 3)[0].to(images)
    result = images.clone()
    for row, column, colour in list(zip(rows, columns, colours, strict=True))[: int(blocks)]:
        result[0, :, row : row + COLOUR_BLOCK, column : column + COLOUR_BLOCK] = colour[:, None, None]
    return result


def prepare_pattern_noise(images: Tensor, streams: RandomStreams) -> Degradation:
    """Copy 15x15 patches of one image up to 15 pixels away on each axis; the strength is their number.

    Of a fractional number, the last patch is copied in part: a single whole patch can cost more than the 0.3 dB to hit.
    """
    height, width = images.shape[-2:]
    most = math.ceil(TID_MAXIMUM_COVERS * height * width / TID_PATCH**2)
    moves = _patch_moves(images, most, TID_PATCH, TID_PATCH_REACH, streams)
    source = images[0].permute(1, 2, 0).cpu().numpy()

    def degrade(strength: Tensor) -> Tensor:
        result = source.copy()
        patches = float(strength)
        for index, (row, column, new_row, new_column) in enumerate(moves[: math.ceil(patches)]):
            rows = round(TID_PATCH * min(1, patches - index))
            patch = source[row : row + rows, column : column + TID_PATCH]
            result[new_row : new_row + rows, new_column : new_column + TID_PATCH] = patch
        return torch.from_numpy(result).permute(2, 0, 1)[None].to(images)

    return degrade


def blockwise_shift(images: Tensor, blocks: float, streams: RandomStreams) -> Tensor:
    """Shift the colour of a few blocks of one image so that the whole has a PSNR of `BLOCKWISE_PSNR`.

    The fewer blocks, the stronger each one's shift. A block is shifted towards the farther end of each channel, by
    proportions of its own.
    """
    height, width = images.shape[-2:]
    side = min(LARGEST_BLOCK, max(1, round(math.sqrt(height * width / BLOCK_SHARE))))
    rows, columns = height // side, width // side
    cells = streams.permutation(rows * columns)[0, : int(blocks)].tolist()
    proportions = 0.5 + streams.uniform(len(cells), 3)[0].to(images)
    shift = torch.zeros_like(images)
    for cell, proportion in zip(cells, proportions, strict=True):
        top, left = (side * place for place in divmod(cell, columns))
        block = (0, slice(None), slice(top, top + side), slice(left, left + side))
        direction = torch.where(images[block].mean(dim=(1, 2)) < 0.5, 1.0, -1.0)
        shift[block] = (direction * proportion)[:, None, None]

    def degrade(strength: Tensor) -> Tensor:
        return (images + strength[:, None, None, None] * shift).clamp(0, 1)

    return reach_psnr(images, degrade, BLOCKWISE_PSNR, 1e-3, 2.0)
