"""GPUs that are not there, as TensorFlow would list them."""

import types

import pytest
import tensorflow as tf


class FakeGpus:
    """Takes the place of what TensorFlow knows about the devices of the machine.

    Attributes:
        visible: The numbers of the GPUs that TensorFlow computes with.
        growing: The numbers of those whose memory grows.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *details: dict):
        """``details``: What TensorFlow says about each GPU."""
        self._all = [
            types.SimpleNamespace(name=f"/physical_device:GPU:{i}", device_type="GPU", number=i)
            for i in range(len(details))
        ]
        self.visible, self.growing = list(range(len(details))), set()
        experimental = tf.config.experimental
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: self._all)
        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: self._visible())
        monkeypatch.setattr(tf.config, "set_visible_devices", self._show)
        monkeypatch.setattr(experimental, "get_device_details", lambda gpu: details[gpu.number])
        monkeypatch.setattr(
            experimental, "get_memory_growth", lambda gpu: gpu.number in self.growing
        )
        monkeypatch.setattr(experimental, "set_memory_growth", self._grow)

    def _visible(self) -> list:
        return [self._all[i] for i in self.visible]

    def _show(self, devices: list, kind: str) -> None:
        assert kind == "GPU"
        self.visible = [device.number for device in devices]

    def _grow(self, device: types.SimpleNamespace, enable: bool) -> None:
        assert enable and device.number in self.visible
        self.growing.add(device.number)
