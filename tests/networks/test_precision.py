"""The instruction set and the precision that suits it, on CPUs that this machine is not."""

import pytest

from rts_tf.networks import cpu, precision

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
    monkeypatch.setattr(cpu, "_flags", lambda: flags)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    assert precision.instruction_set() == name
    assert precision.resolve_precision("auto") == resolved
    assert precision.resolve_precision("float32") == "float32"


@pytest.mark.parametrize(
    ("flags", "of_float32", "of_bfloat16", "of_int8"),
    [
        (AVX2, "AVX2", "AVX2", "AVX2"),
        (AVX512, "AVX512", "AVX512", "AVX512BW"),
        (BF16, "AVX512", "AVX512_BF16", "AVX512_VNNI"),
        (AMX, "AVX512", "AMX", "AVX512_VNNI"),
        ({"sse4_1"}, "SSE4.1", "SSE4.1", "x86_64"),
    ],
)
def test_the_instructions_of_each_precision(monkeypatch, flags, of_float32, of_bfloat16, of_int8):
    monkeypatch.setattr(cpu, "_flags", lambda: flags)
    monkeypatch.setattr(cpu.platform, "machine", lambda: "x86_64")
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert cpu.instructions_for("float32") == of_float32
    assert cpu.instructions_for("mixed_bfloat16") == of_bfloat16
    assert cpu.instructions_for("int8") == of_int8


def test_the_cpu_in_words(monkeypatch, tmp_path):
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(cpu, "CPUINFO", str(file))
    file.write_text("model name\t: A CPU\nflags\t\t: avx2 fma avx512f amx_tile amx_int8\n")
    assert cpu.described() == "A CPU (AVX2, AVX512, AMX_INT8)" and cpu.multiplies_in_tiles()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")  # no limit for other libraries
    assert cpu.described() == "A CPU (AVX2, AVX512, AMX_INT8)"
    file.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n")
    monkeypatch.setattr(cpu.platform, "processor", lambda: "")
    monkeypatch.setattr(cpu.platform, "machine", lambda: "aarch64")
    assert cpu.described() == "aarch64 (NEON, DOTPROD, I8MM)" and not cpu.multiplies_in_tiles()
    file.unlink()
    assert cpu.described() == "aarch64"


@pytest.mark.parametrize("machine", ["arm64", "AMD64", ""])
def test_where_no_flags_are_listed_the_answer_is_the_safe_one(monkeypatch, tmp_path, machine):
    """As on macOS with Apple's CPUs, and on Windows."""
    monkeypatch.setattr(cpu, "CPUINFO", str(tmp_path / "none"))
    monkeypatch.setattr(cpu.platform, "machine", lambda: machine)
    assert precision.instruction_set() == machine
    assert precision.resolve_precision("auto") == "float32"
    assert cpu.instructions_for("float32") == cpu.instructions_for("int8") == machine


def test_the_flags_of_the_first_cpu_are_read(monkeypatch, tmp_path):
    file = tmp_path / "cpuinfo"
    monkeypatch.setattr(cpu, "CPUINFO", str(file))
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    file.write_text("model name\t: avx512f\nflags\t\t: fpu sse4_1 avx avx2 fma\n\nflags\t: none\n")
    assert precision.instruction_set() == "AVX2"
    file.write_text("processor\t: 0\nFeatures\t: fp asimd asimddp bf16 i8mm\n")  # 64-bit Arm
    assert cpu.instructions_for("int8") == "I8MM"
    assert precision.resolve_precision("auto") == "float32"
