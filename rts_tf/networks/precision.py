"""Which arithmetic this machine is fast in: the precision of the convolutions, and their class.

It also names the instruction set, since results are promised to the last bit only between machines
that compute with the same one: oneDNN has other kernels, which round elsewhere, for each.
"""

import os
import pathlib
import platform

import keras
import tensorflow as tf

from rts_tf.networks.layers import MatrixGradientConv2D

# oneDNN's names of its levels, from the lowest on, with the CPU flags that each needs besides those
# of the levels below it.
_LEVELS = (
    ("SSE41", {"sse4_1"}),
    ("AVX", {"avx"}),
    ("AVX2", {"avx2", "fma"}),
    ("AVX512_CORE", {"avx512f", "avx512bw", "avx512dq", "avx512vl"}),
    ("AVX512_CORE_VNNI", {"avx512_vnni"}),
    ("AVX512_CORE_BF16", {"avx512_bf16"}),
    ("AVX512_CORE_AMX", {"amx_tile", "amx_bf16"}),
)
_NAMES = tuple(name for name, _ in _LEVELS)
_BFLOAT16_FROM = _NAMES.index("AVX512_CORE_BF16")


def instruction_set() -> str:
    """The instruction set that oneDNN computes with here, e.g. ``"AVX512_CORE_BF16"``.

    This is the highest level that the CPU has, unless the environment variable
    ``ONEDNN_MAX_CPU_ISA`` names a lower one. Where the operating system does not list the flags of
    the CPU, it is the name of the architecture, e.g. ``"arm64"``.
    """
    level = _level(_cpu_flags())
    return _NAMES[level] if level >= 0 else platform.machine()


def resolve_precision(precision: str) -> str:
    """Turn ``"auto"`` into a precision; other values are returned as they are.

    ``"auto"`` is ``"mixed_bfloat16"`` where the GPU or the CPU multiplies bfloat16 in hardware,
    else ``"float32"``.
    """
    if precision != "auto":
        return precision
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        capability = details.get("compute_capability", (0, 0))
        return "mixed_bfloat16" if capability >= (8, 0) else "float32"
    return "mixed_bfloat16" if _level(_cpu_flags()) >= _BFLOAT16_FROM else "float32"


def convolution(precision: str) -> type:
    """The class of convolution that trains fastest in ``precision`` on this machine."""
    on_cpu = not tf.config.list_physical_devices("GPU")
    return MatrixGradientConv2D if on_cpu and precision == "float32" else keras.layers.Conv2D


def _cpu_flags() -> set[str]:
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    return set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()


def _level(flags: set[str]) -> int:
    """Index of the highest of ``_LEVELS`` that ``flags`` and the environment allow, or -1."""
    level = -1
    for index, (_, needed) in enumerate(_LEVELS):
        if not needed <= flags:
            break
        level = index
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper()
    if limit in _NAMES:
        level = min(level, _NAMES.index(limit))
    return level
