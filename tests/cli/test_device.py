"""--device, and the line that says what computes. The GPUs of these tests are not there."""

import shutil
import subprocess
import types

import pytest
from absl import flags

from rts_tf.cli import device
from rts_tf.cli.device import Wish, choose_device, define_device_flag, parsed_device
from rts_tf.cli.device_line import DeviceLine, float_line, integer_line
from rts_tf.cli.verbosity import set_verbosity
from rts_tf.errors import ConfigError
from rts_tf.networks import cpu
from rts_tf.networks.precision import resolve_precision
from tests.support.fake_gpus import FakeGpus

H200 = {"device_name": "NVIDIA H200", "compute_capability": (9, 0)}
V100 = {"device_name": "Tesla V100-SXM2-16GB", "compute_capability": (7, 0)}
AUTO = Wish("auto")
SMI = "Tesla V100-SXM2-16GB, 16384\nNVIDIA H200, 143771\n"


@pytest.fixture
def no_environment(monkeypatch):
    """As where the user has set nothing, and a test changes nothing."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")


@pytest.fixture
def no_driver(monkeypatch):
    monkeypatch.setattr(device, "_DRIVER", ())
    monkeypatch.setattr(shutil, "which", lambda name: None)


def test_the_flag():
    own = flags.FlagValues()
    define_device_flag(own)
    own(["command"])
    assert parsed_device(own.device) == Wish("auto")
    assert parsed_device("cpu") == Wish("cpu")
    assert parsed_device("gpu") == parsed_device("gpu:0") == Wish("gpu", 0)
    assert parsed_device("gpu:12") == Wish("gpu", 12)


@pytest.mark.parametrize("value", ["", "GPU:0", "cpu:0", "auto:1", "gpu:", "gpu:-1", "tpu"])
def test_other_values_are_refused(value):
    with pytest.raises(ConfigError, match=f"^`device`={value}: must be auto, cpu or gpu:NUMBER"):
        parsed_device(value)


def test_auto_shows_all_gpus_whose_memory_grows(monkeypatch, no_environment, no_driver):
    gpus = FakeGpus(monkeypatch, H200, V100)
    choose_device(Wish("auto"))
    assert gpus.visible == [0, 1] and gpus.growing == {0, 1}


def test_one_gpu_alone_is_shown_to_other_processes_too(monkeypatch, no_environment, no_driver):
    gpus = FakeGpus(monkeypatch, H200, V100)
    choose_device(Wish("gpu", 1))
    assert gpus.visible == [1] and gpus.growing == {1}
    assert device.os.environ["CUDA_VISIBLE_DEVICES"] == "1"


def test_numbers_count_what_the_user_lets_be_seen(monkeypatch, no_driver):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,7")
    FakeGpus(monkeypatch, H200, H200)
    choose_device(Wish("gpu", 1))
    assert device.os.environ["CUDA_VISIBLE_DEVICES"] == "7"


def test_the_cpu_hides_gpus_and_decides_about_the_precision(monkeypatch, no_environment, no_driver):
    gpus = FakeGpus(monkeypatch, H200)
    monkeypatch.setattr(cpu, "_flags", set)
    assert resolve_precision("auto") == "mixed_bfloat16"
    choose_device(Wish("cpu"))
    assert gpus.visible == [] and resolve_precision("auto") == "float32"


def test_an_old_gpu_computes_in_float32(monkeypatch):
    FakeGpus(monkeypatch, V100)
    assert resolve_precision("auto") == "float32"


def test_a_gpu_of_another_maker_computes_in_float32(monkeypatch, no_driver):
    FakeGpus(monkeypatch, {"device_name": "METAL"})
    assert resolve_precision("auto") == "float32"
    assert float_line("float32").startswith("METAL, float32, TensorFlow ")


@pytest.mark.parametrize(
    ("there", "said"),
    [((), "there is cpu only"), ((H200,), r"there is cpu, gpu:0 \(NVIDIA H200\)")],
)
def test_a_gpu_that_is_not_there(monkeypatch, no_environment, no_driver, there, said):
    FakeGpus(monkeypatch, *there)
    with pytest.raises(ConfigError, match=f"^`device`=gpu:1: there is no such GPU; {said}"):
        choose_device(Wish("gpu", 1))


def notes(monkeypatch, capsys, wish=AUTO, there=(), system="linux"):
    FakeGpus(monkeypatch, *there)
    monkeypatch.setattr(device.sys, "platform", system)
    choose_device(wish)
    return capsys.readouterr().err


def test_a_gpu_that_tensorflow_does_not_see(monkeypatch, capsys, tmp_path, no_environment):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(device, "_DRIVER", (str(tmp_path / "nvidia0"),))
    assert notes(monkeypatch, capsys) == ""
    (tmp_path / "nvidia0").touch()
    said = notes(monkeypatch, capsys)
    assert said.startswith("note: an NVIDIA GPU is here") and said.count("\n") == 1
    assert "pip install 'tensorflow[and-cuda]'" in said
    assert "WSL2" in notes(monkeypatch, capsys, system="win32")
    assert notes(monkeypatch, capsys, there=(H200,)) == ""
    assert notes(monkeypatch, capsys, Wish("cpu")) == ""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert notes(monkeypatch, capsys) == ""


def test_the_line_of_a_cpu(monkeypatch):
    monkeypatch.setattr("rts_tf.cli.device_line.cores", lambda: 2)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    flags = {"sse4_1", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"}
    flags |= {"avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"}
    monkeypatch.setattr(cpu, "_flags", lambda: flags)
    monkeypatch.setattr("tensorflow.__version__", "2.21.0")
    assert float_line("mixed_bfloat16") == "CPU, 2 cores, bfloat16 (AMX), TensorFlow 2.21"
    assert float_line("float32") == "CPU, 2 cores, float32 (AVX512), TensorFlow 2.21"
    assert integer_line() == "CPU, 2 cores, int8 (AVX512_VNNI), LiteRT"
    monkeypatch.setattr("rts_tf.cli.device_line.cores", lambda: 1)
    assert float_line("float32", "LiteRT").startswith("CPU, 1 core, float32 (AVX512), ")
    assert float_line("float32", "LiteRT").endswith("TensorFlow 2.21 and LiteRT")


def test_the_line_of_a_gpu_has_its_memory(monkeypatch):
    FakeGpus(monkeypatch, H200)
    monkeypatch.setattr("tensorflow.__version__", "2.21.0")
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/nvidia-smi")
    run = lambda *_, **__: types.SimpleNamespace(stdout=SMI)  # noqa: E731
    monkeypatch.setattr(subprocess, "run", run)
    assert float_line("float32") == "NVIDIA H200, 140 GB, float32, TensorFlow 2.21"

    def fails(*_, **__):
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr(subprocess, "run", fails)
    assert float_line("mixed_bfloat16") == "NVIDIA H200, bfloat16, TensorFlow 2.21"


def test_each_line_is_printed_once_and_none_if_quiet(capsys):
    integers = types.SimpleNamespace(integers=True, precision="float32")
    line = DeviceLine()
    for bits in (8, 8, 16, 8, 16):
        line.model(integers, bits)
    assert capsys.readouterr() == (
        "",
        f"device: {integer_line()}\ndevice: {float_line('float32')}\n",
    )
    set_verbosity(quiet=True)
    try:
        DeviceLine().floats("float32")
    finally:
        set_verbosity()
    assert capsys.readouterr() == ("", "")
