"""The GPUs that TensorFlow computes with in this process."""

import shutil
import subprocess
from typing import NamedTuple

import tensorflow as tf


class Gpu(NamedTuple):
    """A GPU.

    Attributes:
        name: Its model, e.g. "NVIDIA H200", or "GPU" where TensorFlow does not know it.
        capability: NVIDIA's compute capability; (0, 0) for other makers.
    """

    name: str
    capability: tuple[int, int]


def visible_gpus() -> list[Gpu]:
    """The GPUs that are there and not hidden; empty if the CPU computes."""
    return [described(device) for device in tf.config.get_visible_devices("GPU")]


def described(device: tf.config.PhysicalDevice) -> Gpu:
    """What TensorFlow knows about a physical device."""
    details = tf.config.experimental.get_device_details(device)
    name, capability = details.get("device_name"), details.get("compute_capability")
    return Gpu(name or "GPU", tuple(capability or (0, 0)))


def memory_of(name: str) -> int:
    """The memory of a GPU of that name in units of 2^30 bytes, or 0 where nothing knows it.

    TensorFlow knows it once it has taken it. The program of NVIDIA's driver counts GPUs in another
    order than TensorFlow does, so they are found by name.
    """
    program = shutil.which("nvidia-smi")
    if not program:
        return 0
    query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return 0
    for line in done.stdout.splitlines():
        found, _, megabytes = line.rpartition(",")
        if found.strip() == name and megabytes.strip().isdecimal():
            return round(int(megabytes) / 1024)
    return 0
