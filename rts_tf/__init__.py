"""Enhances images and video with recurrently trained super-resolution networks, in TensorFlow.

This is an implementation of "Image Enhancement by Recurrently-trained Super-resolution Network"
(arXiv:1907.11341). Three names are enough to use it: :func:`load`, :func:`train` and
:class:`Config`. To import them does not import TensorFlow yet.

Example::

    import rts_tf

    model = rts_tf.load("residual3")
    better = model.enhance(image)  # uint8, uint16 or float [H, W, 3], the same size
    bigger = model.upscale(image)  # twice the size
"""

from __future__ import annotations

import dataclasses
import functools
import os
from typing import TYPE_CHECKING, Any

from rts_tf.config import Config, preset

if TYPE_CHECKING:
    from collections.abc import Sequence

    import keras

    from rts_tf.inference import Enhancer
    from rts_tf.luma.enhancer import LumaEnhancer

__all__ = ["Config", "load", "train"]
__version__ = "0.1.0"


def load(
    model: str | os.PathLike, precision: str = "float32", tile: int = 1280
) -> Enhancer | LumaEnhancer:
    """Load a trained network.

    Args:
        model: The name of weights that come with the package, such as "residual3" or "fast", a run
            directory (its selected stage is loaded), or a ``.keras`` file.
        precision: "float32", "mixed_bfloat16", or "auto": mixed_bfloat16 where the CPU or GPU
            multiplies bfloat16 in hardware. Networks for luma have a rule of their own
            (:mod:`rts_tf.luma.engines`).
        tile: A tile has at most tile x tile pixels. This bounds the memory.

    Returns:
        The network with its methods ``enhance`` and ``upscale``, see
        :class:`rts_tf.inference.Enhancer`; a network for luma has ``enhance`` and
        ``enhance_luma``, see :class:`rts_tf.luma.enhancer.LumaEnhancer`.

    Raises:
        RtsError: There is no such file, the run is not finished, or the file does not hold a
            network of one of these kinds.

    Example::

        model = rts_tf.load("my_run", precision="auto")
        better = model.enhance(np.asarray(PIL.Image.open("image.jpg").convert("RGB")))
    """
    from rts_tf import inference
    from rts_tf.luma import loading

    if loading.is_luma_model(model):
        return loading.load_luma(model)
    return inference.load(model, precision, tile)


def train(
    config: Config | None = None,
    workdir: str | os.PathLike = "rts_run",
    show_progress: bool = True,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings: Any,
) -> dict:
    """Train a network in stages (section 3.1), or continue a run that was stopped.

    The same call on the same directory continues the run. A run that is finished already is only
    read, unless ``stages`` is larger than before: then the run goes on, and ends as a run that
    began with so many. Several workers (docs/distributed.md) all make the call, before TensorFlow
    computes anything.

    Args:
        config: The settings. Without them, those of the preset that ``settings`` names.
        workdir: The run directory. It is made if it is not there.
        show_progress: Print the progress and the time left. Then Ctrl-C stops at a safe point.
        callbacks: Callbacks of Keras, for which a stage is an epoch
            (:mod:`rts_tf.training.callbacks`).
        **settings: Fields of :class:`Config` to change, e.g. ``data="photos"``,
            ``init="residual3"`` or ``preset="standard"``.

    Returns:
        The contents of the run's ``summary.json``: the metrics of every stage, and which stage was
        selected.

    Raises:
        RtsError: A setting cannot work, the images cannot be used, or the directory holds another
            run. The message says what to do.
        WorkerError: Another worker failed, or was lost.
        Interrupted: The user asked to stop.

    Example::

        summary = rts_tf.train(preset="standard", data="photos", workdir="my_run", stages=3)
        model = rts_tf.load("my_run")
    """
    settings = {name: _as_text(value) for name, value in settings.items()}
    if config is None:
        config = preset(settings.pop("preset", "quick"), **settings)
    elif settings:
        config = dataclasses.replace(config, **settings)
    from rich.console import Console

    from rts_tf.cli.progress import RunProgress
    from rts_tf.training import cluster, recurrence

    console = Console(highlight=False, quiet=not show_progress)
    say = functools.partial(console.print, markup=False, soft_wrap=True)
    workers = cluster.connect(say)
    train_here = functools.partial(
        recurrence.train, config, workdir, say, callbacks=callbacks, workers=workers
    )
    with cluster.losses_named(workers):
        if not show_progress:
            return train_here()
        return train_here(
            start_progress=lambda work: RunProgress(work, console, workers.is_chief).running()
        )


def _as_text(value: Any) -> Any:
    """A path as text, as the settings have it; anything else as it is."""
    return os.fspath(value) if isinstance(value, os.PathLike) else value
