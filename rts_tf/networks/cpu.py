"""What the CPU can compute in hardware, by the names that oneDNN and LiteRT have for it.

Linux lists the flags of the CPU. Windows and macOS do not, and there nothing is assumed: every
answer is the safe one, with which the results are right everywhere.
"""

import os
import platform

CPUINFO = "/proc/cpuinfo"
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
_FLOAT32_UP_TO = _NAMES.index("AVX512_CORE")
_BFLOAT16_FROM = _NAMES.index("AVX512_CORE_BF16")
# Where the usual name is not oneDNN's
_SHORT = {
    "SSE41": "SSE4.1",
    "AVX512_CORE": "AVX512",
    "AVX512_CORE_VNNI": "AVX512_VNNI",
    "AVX512_CORE_BF16": "AVX512_BF16",
    "AVX512_CORE_AMX": "AMX",
}
# Flags that decide how fast networks are, by the usual names, in the order of their age
_SETS = {
    **{"avx2": "AVX2", "avx512f": "AVX512", "avx512_vnni": "AVX512_VNNI", "avx_vnni": "AVX_VNNI"},
    **{"avx512_bf16": "AVX512_BF16", "avx512_fp16": "AVX512_FP16"},
    **{"amx_int8": "AMX_INT8", "amx_bf16": "AMX_BF16", "amx_fp16": "AMX_FP16"},
    **{"asimd": "NEON", "asimddp": "DOTPROD", "i8mm": "I8MM", "bf16": "BF16", "sve": "SVE"},
}
# Flags of instructions that multiply 8-bit integers and add, from the best on
_INTEGERS = ("avx512_vnni", "avx_vnni", "avx512bw", "avx2", "i8mm", "asimddp")


def instruction_set() -> str:
    """The instruction set that oneDNN computes with here, e.g. ``"AVX512_CORE_BF16"``.

    This is the highest level that the CPU has, unless the environment variable
    ``ONEDNN_MAX_CPU_ISA`` names a lower one. Where the operating system does not list the flags of
    the CPU, it is the name of the architecture, e.g. ``"arm64"``.
    """
    level = _level(_flags())
    return _NAMES[level] if level >= 0 else platform.machine()


def described() -> str:
    """The name of the CPU and the instruction sets that decide how fast networks are.

    All that the CPU has, for example "Intel(R) Xeon(R) Processor (AVX2, AVX512, AMX_INT8)"; other
    than :func:`instruction_set`, whatever the environment says.
    """
    flags = _flags()
    sets = ", ".join(name for flag, name in _SETS.items() if flag in flags)
    name = _listed("model name") or platform.processor() or platform.machine()
    return f"{name} ({sets})" if sets else name


def multiplies_in_tiles() -> bool:
    """Whether the CPU has matrix tiles for 8-bit integers (AMX)."""
    return "amx_int8" in _flags()


def multiplies_bfloat16() -> bool:
    """Whether TensorFlow multiplies bfloat16 in hardware on this CPU.

    It does so through oneDNN on x86-64. Elsewhere it converts every number to float32 and back,
    also on an Apple M2 and its successors, whose CPUs could multiply bfloat16.
    """
    return _level(_flags()) >= _BFLOAT16_FROM


def instructions_for(precision: str) -> str:
    """The short name of the instructions that compute in a precision, or of the architecture.

    Args:
        precision: "float32", "mixed_bfloat16" or "int8".

    Returns:
        For example "AMX", "AVX512_VNNI" or "arm64"; empty if nothing is known.
    """
    flags = _flags()
    if precision == "int8":
        found = [flag for flag in _INTEGERS if flag in flags]
        return found[0].upper() if found else platform.machine()
    level = _level(flags)
    if level < 0:
        return platform.machine()
    if precision == "float32":
        level = min(level, _FLOAT32_UP_TO)
    return _SHORT.get(_NAMES[level], _NAMES[level])


def _flags() -> set[str]:
    """The flags of the first CPU; empty where the system does not list them."""
    return set(_listed("flags", "Features").split())


def _listed(*names: str) -> str:
    """What the system lists of the first CPU under one of ``names``; empty if nothing."""
    try:
        with open(CPUINFO, encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                if name.strip() in names:
                    return value.strip()
    except OSError:
        pass
    return ""


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
