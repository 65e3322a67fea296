"""The instruction set and the precision that suits it, on CPUs that this machine is not."""

import pytest

from rts_tf.networks import precision

AVX2 = {"sse4_1", "avx", "avx2", "fma"}
AVX512 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl"}
BF16 = AVX512 | {"avx512_vnni", "avx512_bf16"}
AMX = BF16 | {"amx_tile", "amx_bf16"}


@pytest.mark.parametrize(
    ("flags", "limit", "name", "resolved"),
    [
        (AVX2, "", "AVX2", "float32"),
        (AVX512, "", "AVX512_CORE", "float32"),
        (BF16, "", "AVX512_CORE_BF16", "mixed_bfloat16"),
        (AMX, "", "AVX512_CORE_AMX", "mixed_bfloat16"),
        (AMX, "AVX512_CORE_BF16", "AVX512_CORE_BF16", "mixed_bfloat16"),
        (AMX, "avx2", "AVX2", "float32"),
        (AVX2, "AVX512_CORE_AMX", "AVX2", "float32"),
        (AMX, "ALL", "AVX512_CORE_AMX", "mixed_bfloat16"),
    ],
)
def test_the_highest_level_that_cpu_and_environment_allow(
    monkeypatch, flags, limit, name, resolved
):
    monkeypatch.setattr(precision, "_cpu_flags", lambda: flags)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert precision.instruction_set() == name
    assert precision.resolve_precision("auto") == resolved
    assert precision.resolve_precision("float32") == "float32"


def test_without_a_list_of_flags_it_is_the_architecture(monkeypatch):
    monkeypatch.setattr(precision, "_cpu_flags", set)
    monkeypatch.setattr(precision.platform, "machine", lambda: "arm64")
    assert precision.instruction_set() == "arm64"
    assert precision.resolve_precision("auto") == "float32"
