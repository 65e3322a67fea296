"""Calls callbacks of Keras during a run, as ``keras.Model.fit`` would: a stage is an epoch.

Stage n is epoch n - 1, and a training step is a batch. What a callback gets::

    on_train_begin, on_train_end    once in a call that has stages to train
    on_epoch_begin                  before Phase A of each of these stages
    on_train_batch_begin, _end      every ten steps, with the running mean of the ``loss``
    on_epoch_end                    when the stage is validated, with its metrics as ``logs``

The logs of a stage are the figures of its ``metrics.json``. Two of them have the names that Keras
gives them: ``loss`` and ``val_loss``.

``callback.model`` is the network in float32, an ordinary Keras model that is not compiled. It has
the weights of the step, and in ``on_epoch_end`` those of SR_n. What a callback does to it does not
change the training, whose result depends on the settings of the run alone. One wish is granted: if
``model.stop_training`` is true at the end of a stage, the run ends with that stage.
"""

from collections.abc import Sequence

import keras
import numpy as np

from rts_tf import networks
from rts_tf.config import Config
from rts_tf.errors import ConfigError
from rts_tf.training.stage import Stage

_KERAS_NAMES = {"final_loss": "loss", "validation_loss": "val_loss"}


def checked(
    callbacks: Sequence[keras.callbacks.Callback],
) -> list[keras.callbacks.Callback]:
    """Return ``callbacks`` as a list.

    Raises:
        ConfigError: One of them is no callback of Keras.
    """
    if isinstance(callbacks, keras.callbacks.Callback):
        return [callbacks]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ConfigError(
                f"`callbacks`: {callback!r} is no keras.callbacks.Callback; wrap a function, as in"
                " keras.callbacks.LambdaCallback(on_epoch_end=function)."
            )
    return list(callbacks)


class Callbacks:
    """The callbacks of one call, and the model that they see."""

    def __init__(
        self, callbacks: Sequence[keras.callbacks.Callback] = (), config: Config | None = None
    ):
        """``config``: The settings of the run, which are needed if there are callbacks."""
        self._list: keras.callbacks.CallbackList | None = None
        self._stages, self._begun, self._done = 0, 0, 0
        if callbacks and config:
            self._stages = config.stages
            self._model = networks.build(config.network)
            self._model.stop_training = False
            self._list = keras.callbacks.CallbackList(
                checked(callbacks), model=self._model, epochs=self._stages, verbose=0
            )

    @property
    def stop(self) -> bool:
        """Whether a callback asked to stop."""
        return bool(self._list and self._model.stop_training)

    def training_begins(self) -> None:
        """Stages are going to be trained."""
        if self._list:
            self._list.on_train_begin()

    def training_ends(self) -> None:
        """The run is over."""
        if self._list:
            self._list.on_train_end()

    def stage_begins(self, number: int, steps: int, weights: list[np.ndarray]) -> None:
        """Phase A of stage ``number`` begins, or goes on: ``steps`` steps from ``weights``."""
        if self._list:
            self._model.set_weights(weights)
            self._list.set_params({"epochs": self._stages, "steps": steps, "verbose": 0})
            self._begun, self._done = number, -1
            self._list.on_epoch_begin(number - 1)

    def steps_done(self, step: int, loss: float, network: keras.Model) -> None:
        """``step`` steps of the stage are done. The first call says with how many it begins."""
        if self._list and self._done >= 0:
            self._model.set_weights(network.get_weights())
            self._list.on_train_batch_begin(step - 1)
            self._list.on_train_batch_end(step - 1, {"loss": loss})
        self._done = step

    def stage_ends(self, stage: Stage, weights: list[np.ndarray], metrics: dict) -> None:
        """The stage is validated, with these weights and metrics."""
        if self._list:
            if self._begun != stage.number:  # an earlier call trained it
                self._list.on_epoch_begin(stage.number - 1)
            self._model.set_weights(weights)
            self._list.on_epoch_end(stage.number - 1, _logs(metrics))


def _logs(metrics: dict) -> dict[str, float]:
    """The figures of a stage. What could not be measured is nan, so that all stages have it."""
    return {
        _KERAS_NAMES.get(name, name): float("nan") if value is None else value
        for name, value in metrics.items()
        if value is None or isinstance(value, int | float)
    }
