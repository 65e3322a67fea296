"""The identity of a network's weights."""

import hashlib

import numpy as np


def weights_sha256(weights: list[np.ndarray]) -> str:
    """SHA-256 over the bytes of all weights in order."""
    digest = hashlib.sha256()
    for array in weights:
        digest.update(np.ascontiguousarray(array, np.float32).tobytes())
    return digest.hexdigest()
