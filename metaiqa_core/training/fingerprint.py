"""What tells one set of weights from another."""

import hashlib

from torch import nn


def hash_of_weights(network: nn.Module) -> str:
    """Return the SHA-256 of a network's weights: two runs from different starts are different runs."""
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
