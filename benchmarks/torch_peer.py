"""The training step of the residual networks in PyTorch, as a peer of benchmarks.training.

It runs in a process of its own, see :mod:`benchmarks.peer_process`.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

CHANNELS_LAST = {"memory_format": torch.channels_last}  # the layout that suits a CPU
TOLERANCE = {"float32": 1e-4, "mixed_bfloat16": 0.05}  # of the first loss, relative


def open_peer(arguments: dict[str, Any]) -> dict[str, Callable[[], float]]:
    """Build the network and take one step.

    Args:
        arguments: ``file``, an .npz file with ``lr``, ``target`` (float32 [batch, H, W, 3]) and
            the Keras weights ``weight_0``, ``weight_1`` and so on; ``learning_rate`` of Adam;
            ``precision``, ``"float32"`` or ``"mixed_bfloat16"``; ``loss`` of the TensorFlow step
            with these weights on this batch.

    Returns:
        ``step``, which updates the weights once and returns the loss.

    Raises:
        RuntimeError: If the loss of the first step is not ``loss``: then this is another network.
    """
    arrays = np.load(arguments["file"])
    weights = [arrays[f"weight_{i}"] for i in range(len(arrays.files) - 2)]
    lr, target = (
        torch.from_numpy(arrays[name].transpose(0, 3, 1, 2).copy()).to(**CHANNELS_LAST)
        for name in ("lr", "target")
    )
    precision, expected = arguments["precision"], arguments["loss"]
    network = Network(weights, bfloat16=precision == "mixed_bfloat16")
    optimizer = torch.optim.Adam(network.parameters(), arguments["learning_rate"], eps=1e-7)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.mse_loss(network(lr), target)
        loss.backward()
        optimizer.step()
        return loss.item()

    loss = step()
    if not math.isclose(loss, expected, rel_tol=TOLERANCE[precision]):
        raise RuntimeError(f"the network in PyTorch is another: loss {loss} instead of {expected}")
    return {"step": step}


class Network(torch.nn.Module):
    """A residual network of the paper (Fig. 3) with the weights of the Keras one."""

    def __init__(self, weights: list[np.ndarray], *, bfloat16: bool):
        """Take the weights in the order of Keras. ``bfloat16`` is not for the head."""
        super().__init__()
        *pairs, (kernel, bias) = zip(weights[::2], weights[1::2], strict=True)
        first, *residuals, last = (_convolution(*pair, padding=1) for pair in pairs)
        # In Keras the phases of the pixel shuffle are outermost, in PyTorch innermost.
        order = [phase * 3 + colour for colour in range(3) for phase in range(4)]
        self.first, self.last = first, last
        self.residuals = torch.nn.ModuleList(residuals)
        self.head = _convolution(kernel[..., order], bias[order], padding=0)
        self.bfloat16 = bfloat16

    def forward(self, lr: torch.Tensor) -> torch.Tensor:
        """Map [batch, 3, H, W] to [batch, 3, 2H, 2W]."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            x = functional.relu(self.first(lr))
            for residual in self.residuals:
                x = x + functional.relu(residual(x))
            change = self.last(x)
        padded = functional.pad(lr + change.float(), (1, 1, 1, 1), mode="replicate")
        return functional.pixel_shuffle(self.head(padded), 2)


def _convolution(kernel: np.ndarray, bias: np.ndarray, padding: int) -> torch.nn.Conv2d:
    height, width, channels, filters = kernel.shape
    layer = torch.nn.Conv2d(channels, filters, (height, width), padding=padding)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
        layer.bias.copy_(torch.from_numpy(bias.copy()))
    return layer.to(**CHANNELS_LAST)
