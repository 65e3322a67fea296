"""The networks that enhance the files of one command, each loaded once, and which were chosen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from rts_tf import pretrained
from rts_tf.enhance import AUTO, FAST
from rts_tf.enhance.choice import Choice, chosen_line, for_image, for_video, in_real_time
from rts_tf.errors import ConfigError, ImageError
from rts_tf.inference import load
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.luma.loading import is_luma_model, load_luma
from rts_tf.networks.precision import resolve_precision

if TYPE_CHECKING:
    from rts_tf.enhance.frame_enhancers import Model
    from rts_tf.enhance.images import Network
    from rts_tf.images.image_file import ImageFile
    from rts_tf.video.info import VideoInfo

# Sides of a tile in pixels, with which 100 megapixels take less than 3 GB
AUTO_TILE = {"mixed_bfloat16": 1280, "float32": 768}


class Weights:
    """Finds the network for each image and each video.

    Attributes:
        latest: The name of the one that was found last.
        choices: What was chosen for each file; empty if the user named weights.
    """

    def __init__(
        self,
        model: str,
        scale: int = 1,
        strength: float = 1.0,
        tile: int | None = None,
        *,
        chroma: bool = False,
        on_model: Callable[[Model, int], None] = lambda model, bits: None,
    ):
        """Prepare to load networks.

        Args:
            model: See :func:`rts_tf.load`, or ``"auto"`` or ``"fast"``: weights of the package
                are chosen for each file (:mod:`rts_tf.enhance.choice`).
            scale: 1 to enhance images at their size, 2 to double it.
            strength: The share of the network's change that images get.
            tile: A tile has at most tile x tile pixels; None for what suits the precision.
            chroma: Whether the chroma of videos is to be enhanced too.
            on_model: Is called with each network before it is used, and the bits of the samples.

        Raises:
            ConfigError: ``model`` is a network for luma, and those can do neither ``scale`` 2 nor
                ``chroma``.
        """
        if model != AUTO and is_luma_model(model):
            _check_luma(model, scale, chroma)
        self._model, self._scale, self._strength, self._tile = model, scale, strength, tile
        self.latest = ""
        self.choices: list[Choice] = []
        self._loaded, self._on_model = functools.cache(self._load), on_model

    def for_image(self, image: ImageFile) -> Network:
        """The function of pixels that enhances ``image``, or enlarges it."""
        name = self._name(lambda: for_image(image, self._scale))
        model = self._loaded(name, "auto")
        self._on_model(model, 8 * image.pixels.itemsize)
        if isinstance(model, LumaEnhancer) or self._scale == 1:
            return self._network(model.enhance)
        return self._network(model.upscale)

    def for_video(self, info: VideoInfo, precision: str) -> Model:
        """The network for the frames of a video, in a precision of :func:`rts_tf.load`."""
        model = self._loaded(self._name(lambda: for_video(info)), precision)
        self._on_model(model, info.bits)
        return model

    def named(self) -> Model:
        """The network that the user named."""
        return self._loaded(self._model, "auto")

    def for_stream(self, bits: int) -> Model:
        """The network for frames from a pipe, whose samples have so many bits."""
        model = self._loaded(FAST if self._model == AUTO else self._model, "auto")
        self._on_model(model, bits)
        return model

    def chosen(self) -> str:
        """Which weights were chosen for how many files, and why; empty if the user named some."""
        return chosen_line(self.choices)

    def _name(self, choose: Callable[[], Choice]) -> str:
        """The weights that the user named, else those that ``choose`` finds."""
        if self._model not in (AUTO, FAST):
            self.latest = self._model
            return self._model
        choice = choose() if self._model == AUTO else in_real_time(choose())
        self.choices.append(choice)
        self.latest = choice.model
        return choice.model

    def _load(self, model: str, precision: str) -> Model:
        if is_luma_model(model):
            return load_luma(model)
        name = pretrained.resolved(model)
        return load(name, precision, self._tile or AUTO_TILE[resolve_precision(precision)])

    def _network(self, function: Callable[..., np.ndarray]) -> Network:
        """``function`` in this strength, with an error that names the cure."""

        def network(pixels: np.ndarray, on_pixels: Callable[[int], None]) -> np.ndarray:
            try:
                return function(pixels, self._strength, on_pixels)
            except (MemoryError, tf.errors.ResourceExhaustedError):
                raise ImageError(
                    "there is not enough memory for it; name a smaller `tile`, or cut it"
                ) from None

        return network


def _check_luma(model: str, scale: int, chroma: bool) -> None:
    """Raise ConfigError if a network for luma cannot do what is asked for."""
    if scale != 1:
        raise ConfigError(f"`scale`={scale}: `model`={model} cannot enlarge; name another `model`.")
    if chroma:
        raise ConfigError(
            f"`chroma`: `model`={model} enhances brightness alone; name another `model`."
        )
