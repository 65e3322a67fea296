"""The VapourSynth script for ONNX files, against stand-ins for VapourSynth and vs-mlrt.

They are not packages that a test could install. The stand-ins keep the sizes of clips and record
what is called, so that padding and cutting are checked and the network's input has its name.
"""

import dataclasses
import sys
import types

import pytest

from tests.support.paths import ROOT

SCRIPT = ROOT / "export" / "player" / "rts.vpy"


@dataclasses.dataclass(frozen=True)
class Format:
    id: str
    color_family: str
    num_planes: int


YUV, RGB, GREY = (Format(f"{name}8", name, n) for name, n in (("YUV", 3), ("RGB", 3), ("GRAY", 1)))
FORMATS = {each.id: each for each in (YUV, RGB, GREY)}
FORMATS |= {"RGBS": Format("RGBS", "RGB", 3), "GRAYS": Format("GRAYS", "GRAY", 1)}


@dataclasses.dataclass(frozen=True)
class Clip:
    width: int
    height: int
    format: Format


class Player:
    """VapourSynth and vs-mlrt, as far as the script needs them."""

    def __init__(self, scale):
        self.scale, self.asked, self.output = scale, [], None

    def resize(self, clip, format, **settings):
        self.asked.append((format, settings))
        return dataclasses.replace(clip, format=FORMATS[format])

    def crop(self, clip, width, height, left=0, top=0):
        assert left + width <= clip.width and top + height <= clip.height
        return dataclasses.replace(clip, width=width, height=height)

    def stack(self, clips, side, other):
        assert len({(getattr(clip, other), clip.format) for clip in clips}) == 1
        return dataclasses.replace(clips[0], **{side: sum(getattr(clip, side) for clip in clips)})

    def planes(self, clips, planes, colorfamily):
        if not isinstance(clips, list):
            return dataclasses.replace(clips, format=GREY)
        assert len({(clip.width, clip.height) for clip in clips}) == 1 and planes == [0, 1, 2]
        return dataclasses.replace(clips[0], format=clips[1].format)

    def inference(self, clip, network_path, backend, input_name):
        self.asked.append((network_path, input_name, clip.width, clip.height, clip.format.id))
        width, height = clip.width * self.scale, clip.height * self.scale
        return dataclasses.replace(clip, width=width, height=height)

    def vapoursynth(self):
        module = types.ModuleType("vapoursynth")
        module.GRAY, module.YUV, module.RGB = "GRAY", "YUV", "RGB"
        module.GRAYS, module.RGBS = "GRAYS", "RGBS"
        std = types.SimpleNamespace(
            CropAbs=self.crop,
            StackVertical=lambda clips: self.stack(clips, "height", "width"),
            StackHorizontal=lambda clips: self.stack(clips, "width", "height"),
            ShufflePlanes=self.planes,
        )
        resize = types.SimpleNamespace(Point=self.resize, Bicubic=self.resize)
        module.core = types.SimpleNamespace(std=std, resize=resize)
        return module

    def run(self, monkeypatch, clip, network):
        player = types.ModuleType("vsmlrt")
        player.inference, player.Backend = self.inference, types.SimpleNamespace(OV_CPU=object)
        monkeypatch.setitem(sys.modules, "vapoursynth", self.vapoursynth())
        monkeypatch.setitem(sys.modules, "vsmlrt", player)
        keep = lambda clip: setattr(self, "output", clip)  # noqa: E731
        monkeypatch.setattr(Clip, "set_output", keep, raising=False)
        code = compile(SCRIPT.read_text(encoding="utf-8"), str(SCRIPT), "exec")
        exec(code, {"video_in": clip, "network": network})
        return self.output


def run(monkeypatch, clip, network, scale=1):
    player = Player(scale)
    return player.run(monkeypatch, clip, network), player.asked


@pytest.mark.parametrize("form", [YUV, GREY])
@pytest.mark.parametrize(("size", "padded"), [((131, 97), (136, 104)), ((64, 32), (64, 32))])
def test_luma_is_padded_and_cut(monkeypatch, form, size, padded):
    clip = Clip(*size, form)
    output, asked = run(monkeypatch, clip, "some where/luma-large_enhance.onnx")
    assert output == clip
    assert asked[1] == ("some where/luma-large_enhance.onnx", "luma", *padded, "GRAYS")


def test_yuv_becomes_rgb_and_back(monkeypatch):
    clip = Clip(131, 97, YUV)
    output, asked = run(monkeypatch, clip, "residual1_upscale.onnx", scale=2)
    assert (output.width, output.height, output.format) == (262, 194, YUV)
    assert asked == [
        ("RGBS", {"matrix_in": 1}),
        ("residual1_upscale.onnx", "image", 131, 97, "RGBS"),
        ("YUV8", {"dither_type": "ordered", "matrix": 1}),
    ]


def test_video_in_rgb(monkeypatch):
    clip = Clip(131, 97, RGB)
    output, asked = run(monkeypatch, clip, "residual1_enhance.onnx")
    assert output == clip and asked[0] == ("RGBS", {})
    with pytest.raises(ValueError, match="is for the luma of YUV video"):
        run(monkeypatch, clip, "luma-large_enhance.onnx")


def test_the_script_says_that_it_was_not_run():
    assert "NOT RUN YET" in SCRIPT.read_text(encoding="utf-8").split('"""')[1]
