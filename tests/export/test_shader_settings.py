"""The settings and the commands in export/player work."""

import os
import re
import shutil
import subprocess

import pytest

from rts_tf import pretrained
from rts_tf.export.program import program_of
from rts_tf.export.shader import shader_files
from tests.support.paths import ROOT
from tests.support.players import needs_placebo

PLAYER = ROOT / "export" / "player"
SHADER = re.compile(r"~~/shaders/([\w.-]+)")
# Presses each key in turn and prints the shaders behind it.
KEYS = """
mp.register_event("file-loaded", function()
    print("START=" .. mp.get_property("glsl-shaders"))
    for _, key in ipairs({"F6", "F6", "F8", "F7"}) do
        mp.commandv("keypress", key)
        print(key .. "=" .. mp.get_property("glsl-shaders"))
    end
    mp.commandv("quit")
end)
"""


@pytest.fixture(scope="module")
def written():
    files = {}
    for name in ("luma-large", "luma-clean-large"):
        files |= shader_files(program_of(pretrained.network(name)), {"name": name})
    return files


def test_the_settings_name_files_that_are_written(written):
    for settings in ("mpv.conf", "input.conf"):
        named = set(SHADER.findall((PLAYER / settings).read_text(encoding="utf-8")))
        assert named == {"luma-large-compute.glsl", "luma-clean-large-compute.glsl"}
        assert named <= set(written)


def mpv(folder, *settings):
    """What mpv prints with the settings in a folder, for a video that ends at once."""
    if not shutil.which("mpv"):
        pytest.skip("mpv is not installed")
    for file in ("mpv.conf", "input.conf"):
        shutil.copy(PLAYER / file, folder)
    script = folder / "keys.lua"
    script.write_text(KEYS)
    sources = ("--vo=null", "--no-audio", "av://lavfi:color=s=16x16:d=1")
    done = subprocess.run(
        ["mpv", f"--config-dir={folder}", f"--script={script}", *settings, *sources],
        capture_output=True,
        text=True,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "rror" not in said, said
    return dict(re.findall(r"(START|F\d)=(.*)", said)), re.findall(r"(F\d)=(.*)", said)


def test_mpv_takes_the_settings_and_the_keys(tmp_path):
    coded, clean = (
        f"~~/shaders/{name}-compute.glsl" for name in ("luma-large", "luma-clean-large")
    )
    start, keys = mpv(tmp_path)
    assert start["START"] == coded
    assert keys == [("F6", ""), ("F6", coded), ("F8", clean), ("F7", coded)]


def test_the_profiles(tmp_path):
    assert mpv(tmp_path, "--profile=rts-off")[0]["START"] == ""
    clean = "~~/shaders/luma-clean-large-compute.glsl"
    assert mpv(tmp_path, "--profile=rts-clean")[0]["START"] == clean


def test_the_command_for_ffmpeg(tmp_path, written):
    needs_placebo()
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    page = (PLAYER / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^ffmpeg (.|\\\n)*", page, re.MULTILINE)[0]
    video = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64:d=.1", "video.mkv"]
    subprocess.run(video, check=True, cwd=tmp_path)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "better.mkv").stat().st_size > 1000, done.stderr
