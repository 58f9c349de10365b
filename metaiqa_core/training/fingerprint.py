"""Fingerprint of a training: the weights of its start, and the recipe that it follows."""

import hashlib
import json

from torch import nn


def hash_of_weights(network: nn.Module) -> str:
    """Return the SHA-256 of a network's weights, in hexadecimal: two runs from different starts are different runs."""
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def is_same_recipe(first: str, second: str) -> bool:
    """Compare two recipes, each a JSON text, by their values.

    The order of fields is no difference: it follows the classes that declare them, and changes with the program.

    >>> is_same_recipe('{"crop": 224, "seed": 0}', '{"seed": 0, "crop": 224}')
    True

    Returns:
        Whether the values are equal; False where a text is no JSON.
    """
    try:
        return bool(json.loads(first) == json.loads(second))
    except (ValueError, RecursionError):
        return False
