"""Sparse sampling and reconstruction: most pixels are lost and guessed from the rest.

A random set of pixels is kept. The others start from their nearest kept neighbours, smoothed; then rounds of
thresholding in the 8x8 DCT, on a grid that moves from round to round, seek an image that is sparse there and agrees
with the kept pixels.

Source: the idea of iterative thresholding for missing samples: O. Guleryuz, Nonlinear approximation based image
recovery using adaptive sparse reconstructions and iterated denoising, IEEE Transactions on Image Processing 15, 2006.
"""

import math

import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from metaiqa_core.distortions.block_dct import from_blocks, to_blocks
from metaiqa_core.distortions.blur import smooth
from metaiqa_core.distortions.level_search import Degradation
from metaiqa_core.distortions.randomness import RandomStreams

ROUNDS = 8
FIRST_THRESHOLD = 0.3  # of a DCT coefficient, image range 1
LAST_THRESHOLD = 0.02
GRID_STEP = (3, 5)  # rows and columns by which the block grid moves each round: visits all 64 places in turn
SMOOTHING = 0.7  # sigma of the first guess over the mean distance of kept pixels


def fill(images: Tensor, kept: Tensor) -> Tensor:
    """Guess every lost pixel as its nearest kept one, smoothed over about the distance between kept pixels.

    Args:
        images: (1, 3, H, W) in [0, 1].
        kept: Mask (1, 1, H, W), 1 where the pixel is known and 0 elsewhere; at least one is known.

    Returns:
        (1, 3, H, W); kept pixels unchanged.
    """
    lost = (kept[0, 0] == 0).cpu().numpy()
    nearest = distance_transform_edt(lost, return_distances=False, return_indices=True)
    rows, columns = torch.from_numpy(nearest).to(images.device)
    sigma = SMOOTHING / math.sqrt(float(kept.mean()))
    return torch.where(kept > 0, images, smooth(images[:, :, rows, columns], sigma, radius=math.ceil(2 * sigma)))


def reconstruct(images: Tensor, kept: Tensor) -> Tensor:
    """Recover lost pixels of one image; arguments and result as in `fill`."""
    height, width = images.shape[-2:]
    estimate = fill(images, kept)
    for step in range(ROUNDS):
        threshold = FIRST_THRESHOLD * (LAST_THRESHOLD / FIRST_THRESHOLD) ** (step / (ROUNDS - 1))
        shift = (step * GRID_STEP[0] % 8, step * GRID_STEP[1] % 8)
        coefficients = to_blocks(estimate.roll(shift, dims=(2, 3)))
        large = coefficients.abs() >= threshold
        large[..., 0, 0] = True
        cleaned = from_blocks(coefficients * large, height, width).roll((-shift[0], -shift[1]), dims=(2, 3))
        estimate = torch.where(kept > 0, images, cleaned)
    return estimate.clamp(0, 1)


def prepare_sparse_sampling(images: Tensor, streams: RandomStreams) -> Degradation:
    """Sparse sampling of one image; the strength is the number of lost pixels for every kept one."""
    draws = streams.uniform(1, *images.shape[-2:]).to(images)

    def degrade(strength: Tensor) -> Tensor:
        lost = strength / (1 + strength)
        return reconstruct(images, (draws >= lost.minimum(draws.max())).to(images))  # one pixel is always kept

    return degrade
