"""Shaders show what the networks compute, in FFmpeg's filter libplacebo and in mpv."""

import functools
import pathlib
import re

import cv2
import keras
import numpy as np
import pytest
from keras import layers
from skimage import data

from rts_tf import pretrained
from rts_tf.errors import ConfigError, RtsError
from rts_tf.export.heads import head_function
from rts_tf.export.program import program_of
from rts_tf.export.runners import placebo
from rts_tf.export.runners.process import run
from rts_tf.export.shader import shader_files
from rts_tf.luma.enhancer import LumaEnhancer
from rts_tf.networks.layers import PixelShuffle
from rts_tf.networks.luma import build_luma
from tests.support.networks import NETWORKS
from tests.support.players import OPENGL, display, grey_video, needs_placebo, shown, vulkan

VARIANTS = "compute", "fragment"
# Levels. 16-bit floating point between passes takes up to .25 of them, most of all in bright areas.
MOST, MOST_MEAN, MOST_MEAN_RGB = 1, 0.1, 0.25
LEAST_CHANGE = 1  # level rms, lest a shader that does nothing passes


@functools.cache
def network(name):
    return pretrained.network(name)


@functools.cache
def files(name):
    return shader_files(program_of(network(name)), {"name": name, "source": "the tests"})


@pytest.fixture
def shader(tmp_path):
    """Writes a shader of the package, or the only or named variant of ``written``."""

    def write(name, variant="compute", written=None) -> pathlib.Path:
        (text,) = [t for file, t in (written or files(name)).items() if variant in file]
        file = tmp_path / f"{name}.glsl"
        file.write_text(text)
        return file

    return write


@pytest.fixture(scope="module")
def screen():
    with display() as name:
        yield name


def grey(height=53, width=81):
    """Luma of a real image, uint8."""
    return data.camera()[100 : 100 + height, 150 : 150 + width]


def colour(height=33, width=45):
    return data.astronaut()[:height, 150 : 150 + width]


def rms(difference):
    return np.sqrt(np.mean(np.square(difference)))


def compare(output, expected, before, most_mean=MOST_MEAN):
    """Compare what is shown with what is expected, both in levels of 8 bits."""
    error = np.abs(output - expected)
    print(f"largest {error.max():.3f}, mean {error.mean():.3f} level")  # for docs/players.md: -rP
    assert error.max() <= MOST and error.mean() <= most_mean
    assert rms(output - before) > LEAST_CHANGE


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("bits", [8, 10])
@pytest.mark.parametrize("variant", VARIANTS)
def test_luma(variant, bits, full_range, shader):
    needs_placebo()
    peak = 2**bits - 1
    white = peak if full_range else 255 * 2 ** (bits - 8)  # as rts enhance has it
    levels = grey() if full_range else 16 + grey() * (219 / 255)
    luma = np.rint(levels / 255 * white).astype(np.uint16)
    before = (luma / white).astype(np.float32)
    expected = LumaEnhancer(network("luma-large")).enhance_luma(before).clip(0, peak / white)
    output = placebo.shown_luma(shader("luma-large", variant), luma, bits, full_range)
    compare(255 * output, 255 * expected, 255 * before)


@pytest.mark.parametrize("name", ["luma-large", "luma-clean-large", "luma-medium"])
def test_ten_bits_of_limited_range_need_no_constant_of_their_own(name):
    """The player divides by 1023 what the library divides by 1020, and the network hardly cares."""
    model, largest = LumaEnhancer(network(name)), 0
    for image in (data.camera(), data.astronaut()[..., 1], data.chelsea()[..., 1]):
        luma = np.rint(4 * (16 + image * (219 / 255))).astype(np.float32)
        exact, shown_one = (model.enhance_luma(luma / white) * white for white in (1020, 1023))
        largest = max(largest, np.abs(exact - shown_one).max() / 4)
    print(f"largest {largest:.3f} level")
    assert largest < 0.05


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [("luma1-8-4", 7, 9), ("luma2-12", 1, 2), ("luma4-16", 13, 22), ("luma8-4", 5, 9)],
)
@pytest.mark.parametrize("variant", VARIANTS)
def test_any_packing_and_size(name, height, width, variant, shader):
    needs_placebo()
    built, random = build_luma(name), np.random.default_rng(0)
    built.set_weights([w + random.normal(0, 0.08, w.shape) for w in built.get_weights()])
    luma = grey(height, width)
    expected = LumaEnhancer(built).enhance_luma((luma / 255).astype(np.float32)).clip(0, 1)
    written = shader_files(program_of(built), {})
    output = placebo.shown_luma(shader(name, variant, written), luma, full_range=True)
    compare(255 * output, 255 * expected, luma, most_mean=MOST_MEAN_RGB)


@pytest.mark.parametrize(("height", "width"), [(33, 45), (5, 8)])
def test_rgb(height, width, shader):
    needs_placebo()
    image = colour(height, width)
    function = head_function(network("residual1"), "enhance")
    expected = np.clip(function(image[None] / np.float32(255))[0], 0, 1)
    output = placebo.shown_rgb(shader("residual1"), image)
    assert np.abs(output - expected).max() * 255 <= MOST
    if height > 8:
        compare(255 * output, 255 * expected, image, MOST_MEAN_RGB)


def test_strength(shader):
    needs_placebo()
    file = shader("luma-large", "fragment")
    text = file.read_text()
    assert text.count("#define STRENGTH 1.0\n") == 1
    file.write_text(text.replace("#define STRENGTH 1.0", "#define STRENGTH 0.0"))
    output = 255 * placebo.shown_luma(file, grey(), full_range=True)
    assert np.abs(output - grey()).max() < 0.3


def in_mpv(screen, file, luma, *settings):
    """The luma that mpv shows, in levels of limited range."""
    video = file.with_name("video.y4m")
    grey_video(video, luma)
    on_its_side = {"--video-rotate=90", "--video-rotate=270"} & {*settings}
    size = luma.shape if on_its_side else luma.shape[::-1]
    image, said = shown(screen, video, size, f"--glsl-shaders={file}", *settings)
    assert "rror" not in said.replace("XDG_RUNTIME_DIR", ""), said
    return image[..., 1]


def expected_in_mpv(luma):
    """What is shown of limited range without rounding, in levels, where black is 0."""
    enhanced = LumaEnhancer(network("luma-large")).enhance_luma((luma / 255).astype(np.float32))
    return (255 * enhanced - 16) * (255 / 219)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("settings", ["gpu", "gpu-next", "gpu-next vulkan"])
def test_mpv(screen, shader, variant, settings):
    luma = np.rint(50 + grey() * (150 / 255)).astype(np.uint8)
    output, *api = settings.split()
    chosen = (f"--vo={output}", *(vulkan() if api else OPENGL))
    image = in_mpv(screen, shader("luma-large", variant), luma, *chosen)
    expected = expected_in_mpv(luma)
    if output == "gpu":
        expected = np.rint(expected)  # its screenshots have 8 bits
    compare(image, expected, (luma - 16.0) * (255 / 219))


@pytest.mark.parametrize(("turns", "variant"), [(1, "compute"), (2, "fragment"), (3, "fragment")])
def test_a_video_on_its_side(screen, shader, turns, variant):
    """vo=gpu hands it over as it is stored, and shows it upright."""
    luma = np.rint(50 + grey(21, 30) * (150 / 255)).astype(np.uint8)
    settings = ("--vo=gpu", *OPENGL, f"--video-rotate={90 * turns}")
    image = in_mpv(screen, shader("luma-large", variant), luma, *settings)
    upright = np.rot90(luma, -turns)
    compare(image, np.rint(expected_in_mpv(upright)), (upright - 16.0) * (255 / 219))


def test_rgb_in_mpv(screen, shader):
    file = shader("residual1")
    cv2.imwrite(str(file.with_name("image.png")), colour()[..., ::-1])
    settings = ("--vo=gpu", *OPENGL, f"--glsl-shaders={file}")
    image, said = shown(screen, file.with_name("image.png"), (45, 33), *settings)
    function = head_function(network("residual1"), "enhance")
    expected = np.clip(function(colour()[None] / np.float32(255))[0], 0, 1)
    compare(image, np.rint(255 * expected), colour(), MOST_MEAN_RGB)


@pytest.mark.parametrize("name", ["luma-large", "luma-clean-large"])
def test_what_the_fast_shaders_cost(name):
    assert sorted(files(name)) == [f"{name}-{variant}.glsl" for variant in VARIANTS]
    for text in files(name).values():
        assert len(text.encode("ascii")) <= 40 * 1024
        (macs, passes) = re.search(
            r"Cost: ([\d,]+) MACs for each pixel, in (\d) passes", text
        ).groups()
        assert int(macs.replace(",", "")) == program_of(network(name)).macs <= 2000
        assert int(passes) == text.count("//!HOOK LUMA") <= 6


def test_the_header_says_what_it_is():
    text = files("luma-large")["luma-large-compute.glsl"]
    header = text[: text.index("//!")]
    assert all(line.startswith("//") for line in header.splitlines() if line)
    for said in ("luma-large", "Licence: Apache-2.0", "Source: the tests", "glsl-shaders-append"):
        assert said in header


def test_about_cannot_break_out_of_the_header():
    about = {"source": "a\n//!HOOK MAIN\nb", "licence": "mine"}
    text = shader_files(program_of(build_luma("luma1-4")), about)["luma1-4-compute.glsl"]
    assert "// Source: a //!HOOK MAIN b\n" in text and "Apache" not in text
    assert text.index("\n//!") > text.index("// Licence: mine\n")


def test_any_name_of_a_network_becomes_one_of_glsl():
    program = program_of(build_luma("luma1-4"))._replace(name="my net__v2.é")
    (text, _) = shader_files(program, {"name": "mine"}).values()
    assert "//!SAVE RTS_MY_NET_V2_1\n" in text


@pytest.mark.parametrize("name", ["residual3", "residual6"])
def test_large_networks_are_refused_by_name(name):
    with pytest.raises(ConfigError, match=rf"network {name}: its [\d,]+ weights are too many"):
        shader_files(program_of(NETWORKS[name]), {})


def test_the_doubled_size_is_refused():
    with pytest.raises(ConfigError, match=r"network residual1: .* the head enhance of residual1"):
        shader_files(program_of(NETWORKS["residual1"], "upscale"), {})


def test_what_no_shader_can_compute_is_refused():
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(12, 3, padding="same", name="phases")(image)
    doubled = PixelShuffle(2, name="doubled")(x)
    network = keras.Model(image, doubled, name="mine")
    with pytest.raises(ConfigError, match=r"network mine: rts_phases \(Cut\) cannot be part of a"):
        shader_files(program_of(network), {})


def test_the_runner(shader, tmp_path):
    needs_placebo()
    frame, file = grey()[..., None], shader("luma-large")
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    ran = run("rts_tf.export.runners.placebo", file, "enhance", frame, seconds=0, scratch=scratch)
    assert np.array_equal(ran.output[..., 0], placebo.shown_luma(file, grey()))


def test_a_shader_that_does_not_compile(tmp_path):
    needs_placebo()
    file = tmp_path / "broken.glsl"
    file.write_text("//!HOOK LUMA\n//!BIND HOOKED\nvec4 hook() { return nothing; }\n")
    with pytest.raises(RtsError, match=r"broken.glsl: cannot be run \(.*nothing"):
        placebo.shown_luma(file, grey())


def test_without_ffmpeg(monkeypatch, shader):
    monkeypatch.setattr(placebo.shutil, "which", lambda name: None)
    placebo.missing.cache_clear()
    try:
        with pytest.raises(RtsError, match="luma-large.glsl: ffmpeg is not installed"):
            placebo.opened(shader("luma-large"), "enhance")
    finally:
        placebo.missing.cache_clear()
