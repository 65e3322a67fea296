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
from tests.support.players import PATIENCE, needs_placebo

PLAYER = ROOT / "export" / "player"
SHADER = re.compile(r"~~/shaders/([\w.-]+)")
# Presses one key after the other, and prints the shaders each time.
KEYS = """
local keys, next = {"F6", "F6", "F8", "F7"}, 1
local function shaders(key)
    print(key .. "=" .. table.concat(mp.get_property_native("glsl-shaders"), ","))
end
local function press()
    local key = keys[next]
    if not key then return mp.commandv("quit") end
    mp.commandv("keypress", key)
    next = next + 1
    mp.add_timeout(0.2, function() shaders(key) press() end)
end
mp.register_event("file-loaded", function() shaders("START") press() end)
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
    """What ``KEYS`` prints in mpv: the shaders at the start and behind each key."""
    if not shutil.which("mpv"):
        pytest.skip("mpv is not installed")
    for file in ("mpv.conf", "input.conf"):
        shutil.copy(PLAYER / file, folder)
    script = folder / "keys.lua"
    script.write_text(KEYS)
    sources = ("--vo=null", "--no-audio", "--pause", "av://lavfi:color=s=16x16:d=1")
    done = subprocess.run(
        ["mpv", f"--config-dir={folder}", f"--script={script}", *settings, *sources],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)},
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "rror" not in said, said
    return re.findall(r"(START|F\d)=(\S*)", said)


def test_mpv_takes_the_settings_and_the_keys(tmp_path):
    coded, clean = (
        f"~~/shaders/{name}-compute.glsl" for name in ("luma-large", "luma-clean-large")
    )
    keys = [("F6", ""), ("F6", coded), ("F8", clean), ("F7", coded)]
    assert mpv(tmp_path) == [("START", coded), *keys]


def test_the_profiles(tmp_path):
    assert mpv(tmp_path, "--profile=rts-off")[0] == ("START", "")
    clean = "~~/shaders/luma-clean-large-compute.glsl"
    assert mpv(tmp_path, "--profile=rts-clean")[0] == ("START", clean)


def test_the_command_for_ffmpeg(tmp_path, written):
    needs_placebo()
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    page = (PLAYER / "README.md").read_text(encoding="utf-8")
    command = re.search(r"^ffmpeg (\\\n|.)*", page, re.MULTILINE)[0]
    video = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=s=96x64:d=0.1", "video.mkv"]
    subprocess.run(video, check=True, cwd=tmp_path)
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=PATIENCE
    )
    assert done.returncode == 0 and (tmp_path / "better.mkv").stat().st_size > 1000, done.stderr
