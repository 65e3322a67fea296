"""Callbacks of Keras see a run: a stage is an epoch, a training step a batch."""

import csv
import json
import math

import keras
import numpy as np
import pytest

import rts_tf
from rts_tf.errors import ConfigError
from rts_tf.networks.weights import weights_sha256
from rts_tf.training import recurrence

TINY = {
    "network": "residual1",
    "stages": 3,
    "first_steps": 20,
    "later_steps": 10,
    "patch": 32,
    "batch": 2,
    "warmup": 0,
    "precision": "float32",
    "stop_early": False,
    "show_progress": False,
}


class Recorder(keras.callbacks.Callback):
    """Notes every call, with what it is handed and the hash of the weights at that moment."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def note(self, name, *arguments):
        weights = weights_sha256(self.model.get_weights())
        self.calls.append((name, *arguments, dict(self.params), weights))

    def on_train_begin(self, logs=None):
        self.note("train begin")

    def on_train_end(self, logs=None):
        self.note("train end")

    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch begin", epoch)

    def on_epoch_end(self, epoch, logs=None):
        self.note("epoch end", epoch, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self.note("batch begin", batch)

    def on_train_batch_end(self, batch, logs=None):
        self.note("batch end", batch, logs)

    def names(self) -> list[str]:
        return [call[0] for call in self.calls]


@pytest.fixture(scope="module")
def run(small_photographs, tmp_path_factory):
    """A run of three stages with callbacks: its directory, its summary and the callbacks."""
    folder = tmp_path_factory.mktemp("callbacks")
    called = []
    seen = {
        "recorder": Recorder(),
        "history": keras.callbacks.History(),
        "csv": keras.callbacks.CSVLogger(str(folder / "log.csv")),
        "lambda": keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: called.append((epoch, logs["loss"]))
        ),
        "checkpoint": keras.callbacks.ModelCheckpoint(str(folder / "best.keras"), "val_loss"),
    }
    settings = TINY | {"data": str(small_photographs), "validation": str(small_photographs)}
    summary = rts_tf.train(
        workdir=folder / "run", init="residual1", callbacks=list(seen.values()), **settings
    )
    return folder, summary, seen | {"called": called}, settings


def test_calls_come_in_the_order_of_keras(run):
    batch = ["batch begin", "batch end"]
    stages = [
        ["epoch begin", *(batch * count), "epoch end"]
        for count in (2, 1, 1)  # steps / 10
    ]
    assert run[2]["recorder"].names() == ["train begin", *sum(stages, []), "train end"]


def test_what_callbacks_are_handed(run):
    _, summary, seen, _ = run
    calls = seen["recorder"].calls
    assert [call[1] for call in calls if call[0] == "epoch begin"] == [0, 1, 2]
    assert [call[1] for call in calls if call[0] == "batch end"] == [9, 19, 9, 9]
    assert all(0 < call[2]["loss"] < 0.1 for call in calls if call[0] == "batch end")
    ends = [call for call in calls if call[0] == "epoch end"]
    for stage, (_, epoch, logs, params, _) in zip(summary["stages"], ends, strict=True):
        assert epoch == stage["stage"] - 1
        assert params == {"epochs": 3, "steps": stage["steps"], "verbose": 0}
        assert logs["loss"] == stage["final_loss"]
        assert logs["val_loss"] == stage["validation_loss"]
        for name in ("validation_psnr_db", "network_drift_levels", "difference_ratio_percent"):
            assert logs[name] == stage[name]


def test_the_model_has_the_weights_of_the_moment(run):
    _, summary, seen, _ = run
    calls = seen["recorder"].calls
    ends = [call[-1] for call in calls if call[0] == "epoch end"]
    assert ends == [stage["weights_sha256"] for stage in summary["stages"]]
    first = next(call[-1] for call in calls if call[0] == "epoch begin")
    assert first == summary["init"]["weights_sha256"]
    moments = [call[-1] for call in calls if call[0] == "batch end"]
    assert len(set(moments)) == len(moments)
    assert moments[1] == ends[0]


def test_callbacks_of_keras_do_their_work(run):
    folder, summary, seen, _ = run
    losses = [stage["final_loss"] for stage in summary["stages"]]
    assert seen["history"].epoch == [0, 1, 2] and seen["history"].history["loss"] == losses
    assert seen["called"] == list(enumerate(losses))
    rows = list(csv.DictReader((folder / "log.csv").open()))
    assert [float(row["loss"]) for row in rows] == losses
    last = rts_tf.load(folder / "best.keras").network.get_weights()
    assert weights_sha256(last) == summary["stages"][-1]["weights_sha256"]


def test_callbacks_do_not_change_the_training(run, tmp_path):
    _, summary, _, settings = run

    class Meddler(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.set_weights([0 * weights for weights in self.model.get_weights()])

    callbacks = [Meddler()]
    again = rts_tf.train(
        workdir=tmp_path / "run", init="residual1", callbacks=callbacks, **settings
    )
    hashes = [[stage["weights_sha256"] for stage in s["stages"]] for s in (summary, again)]
    assert hashes[0] == hashes[1]


def test_a_finished_run_calls_nothing_and_an_extended_one_for_its_new_stages(run):
    folder, summary, _, settings = run
    recorder = Recorder()
    settings = settings | {"workdir": folder / "run", "init": "residual1", "callbacks": [recorder]}
    assert rts_tf.train(**settings) == summary and recorder.calls == []
    rts_tf.train(**settings | {"stages": 4})
    assert [call[1] for call in recorder.calls if "epoch" in call[0]] == [3, 3]


class StopAfter(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = epoch == self.epoch


def test_a_callback_ends_the_run(small_photographs, tmp_path):
    settings = TINY | {"data": str(small_photographs), "workdir": tmp_path / "run"}
    summary = rts_tf.train(callbacks=[StopAfter(1)], **settings)
    assert len(summary["stages"]) == 2
    assert summary["stopped_because"] == "a callback asked to stop after stage 2"
    assert rts_tf.train(**settings) == summary


def test_a_stage_that_an_earlier_call_trained_begins_too(small_photographs, tmp_path, monkeypatch):
    settings = TINY | {"data": str(small_photographs), "workdir": tmp_path / "run", "stages": 1}

    def stopped(*_):
        raise InterruptedError

    with monkeypatch.context() as patch, pytest.raises(InterruptedError):
        patch.setattr(recurrence, "validate", stopped)
        rts_tf.train(**settings)
    recorder = Recorder()
    rts_tf.train(callbacks=[recorder], **settings)
    assert recorder.names() == ["train begin", "epoch begin", "epoch end", "train end"]


def test_an_error_in_a_callback_leaves_the_run_whole(small_photographs, tmp_path):
    settings = TINY | {"data": str(small_photographs), "workdir": tmp_path / "run", "stages": 1}

    def fail(batch, logs):
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        failing = keras.callbacks.LambdaCallback(on_train_batch_end=fail)
        rts_tf.train(callbacks=[failing], **settings)
    assert len(rts_tf.train(**settings)["stages"]) == 1


def test_what_could_not_be_measured_is_nan():
    from rts_tf.training.callbacks import _logs

    logs = _logs({"final_loss": 0.5, "unsharp_amount": None, "weights_sha256": "0"})
    assert logs.keys() == {"loss", "unsharp_amount"} and math.isnan(logs["unsharp_amount"])
    assert json.dumps(logs["loss"]) == "0.5" and np.isnan(logs["unsharp_amount"])


@pytest.mark.parametrize("callback", [print, keras.callbacks.History, "history"])
def test_what_is_no_callback_is_refused(tmp_path, callback):
    with pytest.raises(ConfigError, match="^`callbacks`: .* is no keras.callbacks.Callback; wrap"):
        rts_tf.train(workdir=tmp_path / "run", callbacks=[callback])
    assert not (tmp_path / "run").exists()
