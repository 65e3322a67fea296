"""The flag ``--device``: what is to compute."""

from __future__ import annotations

import os
import re
import shutil
import sys
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from rts_tf.cli.command import print_note
from rts_tf.errors import ConfigError

if TYPE_CHECKING:
    import tensorflow as tf

_FORM = re.compile(r"(auto|cpu|gpu)(?::(\d+))?")
# What an NVIDIA driver leaves on Linux; nvidia-smi comes with it on every system.
_DRIVER = ("/proc/driver/nvidia/version", "/dev/nvidia0")


class Wish(NamedTuple):
    """The value of ``--device``.

    Attributes:
        kind: "auto", "cpu" or "gpu".
        number: That of the GPU, as TensorFlow counts them; None for all.
    """

    kind: str
    number: int | None = None

    def __str__(self) -> str:
        return self.kind if self.number is None else f"{self.kind}:{self.number}"


def define_device_flag(command_flags: flags.FlagValues) -> None:
    """Define ``--device`` for a command that computes."""
    text = "What computes: cpu, gpu:0 (or another number), or auto: GPUs where there are any."
    flags.DEFINE_string("device", "auto", text, flag_values=command_flags)


def parsed_device(device: str) -> Wish:
    """Read the value of the flag. Raises ConfigError if it has another form."""
    found = _FORM.fullmatch(device)
    if not found or (found[2] and found[1] != "gpu"):
        raise ConfigError(f"`device`={device}: must be auto, cpu or gpu:NUMBER, as in gpu:0.")
    if found[1] == "gpu":
        return Wish("gpu", int(found[2] or 0))
    return Wish(found[1])


def hide_gpus() -> None:
    """Hide GPUs made by NVIDIA from this process and those that it starts.

    Call it before TensorFlow is imported, which then does not load the driver either.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def choose_device(wish: Wish) -> None:
    """Let TensorFlow see the devices of ``wish`` only, and take the memory of GPUs as it needs it.

    Where an NVIDIA GPU is there and TensorFlow does not see it, a note says what to install.

    Raises:
        ConfigError: There is no such GPU.
    """
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus and wish.kind != "cpu" and (note := _unused_gpu()):
        print_note(note)
    if wish.kind == "gpu" and (wish.number or 0) >= len(gpus):
        raise ConfigError(f"`device`={wish}: there is no such GPU; there is {_there_is(gpus)}.")
    wanted = {"cpu": [], "gpu": gpus[wish.number or 0 :][:1]}.get(wish.kind, gpus)
    if tf.config.get_visible_devices("GPU") != wanted:
        tf.config.set_visible_devices(wanted, "GPU")
    if wish.kind == "gpu":
        _show_to_processes(wish.number or 0)
    for gpu in wanted:
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)


def _show_to_processes(number: int) -> None:
    """Let the processes that this one starts see one GPU alone, too."""
    seen = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    os.environ["CUDA_VISIBLE_DEVICES"] = (
        seen[number] if all(seen) and number < len(seen) else f"{number}"
    )


def _there_is(gpus: list[tf.config.PhysicalDevice]) -> str:
    from rts_tf.networks.devices import described

    names = (f"gpu:{i} ({described(gpu).name})" for i, gpu in enumerate(gpus))
    return ", ".join(["cpu", *names]) if gpus else "cpu only"


def _unused_gpu() -> str:
    """A note about an NVIDIA GPU that TensorFlow does not see, empty if there is none."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return ""  # the user decides what is seen
    if not (any(map(os.path.exists, _DRIVER)) or shutil.which("nvidia-smi")):
        return ""
    if sys.platform == "win32":
        return (
            "an NVIDIA GPU is here, but TensorFlow uses none on Windows itself; run the command"
            " under WSL2"
        )
    return (
        "an NVIDIA GPU is here, but this TensorFlow does not see it; pip install"
        " 'tensorflow[and-cuda]' installs the build that does"
    )
