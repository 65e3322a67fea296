"""A half-made video is continued on another kind of CPU, and one line says what that means."""

import json
import os
import pathlib

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.enhance import video as enhancing_video  # noqa: E402
from rts_tf.enhance.work_directory import differences, root_of  # noqa: E402
from tests.support.enhance_command import command, model_file  # noqa: E402, F401  fixture
from tests.support.precisions import needs_bfloat16  # noqa: E402
from tests.support.videos import make  # noqa: E402

AVX2 = {"sse4_1", "avx", "avx2", "fma"}
BFLOAT16 = AVX2 | {"avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16"}
OTHER_INSTRUCTIONS = "it was continued on a CPU with other instructions"


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    monkeypatch.setattr(enhancing_video, "SEGMENT", 4)


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> pathlib.Path:
    return make(tmp_path_factory.mktemp("video") / "in.mp4", count=11)


@pytest.fixture
def output(tmp_path) -> pathlib.Path:
    return tmp_path / "better.mp4"


@pytest.fixture
def run_on(monkeypatch, model_file, video, output):
    """The command on a machine with these CPU flags; killed at a rename, or run to its end."""

    def run_on(flags, kill_at=0, target=output):
        count, real = 0, os.replace

        def replace(source, target):
            nonlocal count
            count += 1
            if count == kill_at:
                raise Killed
            real(source, target)

        with monkeypatch.context() as context:
            context.setattr("rts_tf.networks.cpu._flags", lambda: flags)
            context.setattr(os, "replace", replace)
            return command(f"--model={model_file}", video, f"--output={target}")

    return run_on


def killed(run_on, flags, rename=5):
    with pytest.raises(Killed):
        run_on(flags, kill_at=rename)


def machine(output) -> list[str]:
    return json.loads((root_of(output) / "machine.json").read_text())["instruction_sets"]


def test_the_same_machine_says_nothing(run_on, output):
    killed(run_on, AVX2)
    assert machine(output) == ["AVX2"]
    code, _, err = run_on(AVX2)
    assert code == 0 and err == "" and not root_of(output).exists()


@pytest.mark.parametrize(
    ("first", "second"),
    [(AVX2, BFLOAT16), pytest.param(BFLOAT16, AVX2, marks=needs_bfloat16)],
)
def test_another_machine_keeps_the_precision_and_says_so(run_on, output, first, second):
    """Here only the flags of the CPU change, so the bytes must be those of an unbroken run."""
    killed(run_on, first)
    kept = (root_of(output) / "00000.nut").stat().st_mtime_ns
    killed(run_on, second, rename=2)
    assert (root_of(output) / "00000.nut").stat().st_mtime_ns == kept
    code, _, err = run_on(second)
    precision = "float32" if first is AVX2 else "mixed_bfloat16"
    lines = [line for line in err.splitlines() if line.startswith("note: ")]
    assert code == 0 and len(lines) == 2, err
    assert f"it began in {precision} and was continued in it" in lines[0]
    assert OTHER_INSTRUCTIONS in lines[1] and "differ by rounding" in lines[1]
    unbroken = output.with_name("unbroken.mp4")
    run_on(first, target=unbroken)
    assert output.read_bytes() == unbroken.read_bytes()


def test_the_line_survives_a_second_kill(run_on, output):
    killed(run_on, AVX2)
    killed(run_on, BFLOAT16, rename=3)
    assert machine(output) == ["AVX2", "AVX512_CORE_BF16"]
    assert OTHER_INSTRUCTIONS in run_on(BFLOAT16)[2]


def test_a_video_of_an_earlier_version_has_no_record_and_is_continued(run_on, output):
    killed(run_on, AVX2)
    (root_of(output) / "machine.json").unlink()
    _, _, err = run_on(BFLOAT16)
    assert OTHER_INSTRUCTIONS not in err and "began anew" not in err


@needs_bfloat16
def test_without_a_segment_nothing_is_continued(run_on, output):
    killed(run_on, AVX2, rename=3)
    assert run_on(BFLOAT16)[2] == ""


def test_an_option_that_only_avx_512_needs_is_no_difference():
    with_it = {"codec": ["h264", 17, ["preset", "medium"], ["x264-params", "asm=AVX2"]]}
    without = {"codec": ["h264", 17, ["preset", "medium"]]}
    assert differences(with_it, without) == differences(without, with_it) == set()
    assert differences(with_it, {"codec": ["h264", 18, ["preset", "medium"]]}) == {"codec"}
    assert differences(None, without) == {"codec"}
