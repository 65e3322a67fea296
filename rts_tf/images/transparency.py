"""Colours that nobody sees, since they are transparent: kept from the network, and kept in files.

Programs leave anything under alpha 0, most often black. A network would take the border between
that and the visible colours for an edge, and make it a fringe around them.
"""

import cv2
import numpy as np


def visible_only(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Replace hidden colours by the nearest visible ones.

    Args:
        pixels: [H, W, C].
        alpha: [H, W], or None. Colours are hidden where it is 0.

    Returns:
        The same shape and dtype; ``pixels`` itself if no colour is hidden, or all are.
    """
    if alpha is None:
        return pixels
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return pixels
    # Each pixel gets the number of its nearest zero, and each zero has a number of its own.
    _, nearest = cv2.distanceTransformWithLabels(
        hidden.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, pixels.shape[2]), pixels.dtype)
    colours[nearest[~hidden]] = pixels[~hidden]
    filled = pixels.copy()
    filled[hidden] = colours[nearest[hidden]]
    return filled


def with_hidden(enhanced: np.ndarray, alpha: np.ndarray | None, pixels: np.ndarray) -> np.ndarray:
    """Put the hidden colours of the original under alpha 0 again.

    Args:
        enhanced: [scale * H, scale * W, C].
        alpha: [scale * H, scale * W], or None.
        pixels: The original, [H, W, C].

    Returns:
        The same shape as ``enhanced``.
    """
    if alpha is None or (alpha > 0).all():
        return enhanced
    hidden = alpha == 0
    scale = enhanced.shape[0] // pixels.shape[0]
    original = pixels.repeat(scale, axis=0).repeat(scale, axis=1) if scale > 1 else pixels
    result = enhanced.copy()
    result[hidden] = original[hidden]
    return result
