"""ONNX files compute what the networks compute, in two engines, with few nodes of common kinds."""

import functools
import importlib.util
import re
import sys

import numpy as np
import pytest
from keras import Input, Model, layers
from PIL import Image
from skimage import data

from rts_tf import pretrained
from rts_tf.errors import ConfigError
from rts_tf.export import HEADS, onnx_file, passes
from rts_tf.export.heads import head_function
from rts_tf.export.program import program_of
from rts_tf.export.runners import onnx_runtime, process
from rts_tf.luma.enhancer import LumaEnhancer, luma_of
from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle
from rts_tf.networks.luma import build_luma
from tests.support.networks import NETWORKS
from tests.support.paths import ROOT

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
openvino = pytest.importorskip("openvino", reason="openvino is not installed")

LEVEL = 1 / 255
MOST_NODES = 20
OPERATIONS = {
    *("Conv", "Relu", "Clip", "Add", "Mul", "Div", "Pad", "Slice", "Concat"),
    *("DepthToSpace", "SpaceToDepth", "Identity"),
}
ABOUT = {"source": "a test", "licence": "Apache-2.0"}
SHIPPED = [("residual1", head) for head in HEADS] + [("residual3", head) for head in HEADS]
LUMA = [("luma-large", "enhance"), ("luma-clean", "enhance")]  # they pack 2 x 2 and 4 x 4 pixels


@functools.cache
def shipped(name, head="enhance"):
    """A network with its weights, its head as passes, and the file."""
    network = pretrained.network(name)
    program = program_of(network, head)
    return network, program, onnx_file.onnx_file(program, ABOUT)


def frames(size, multiple=1, batch=1):
    """Real images, float32 [batch, H, W, 3], of ``size`` rounded up to multiples."""
    height, width = (-(-side // multiple) * multiple for side in size)
    image = data.astronaut()
    images = [image[i * 60 :][:height, i * 90 :][:, :width] for i in range(batch)]
    return np.stack(images).astype(np.float32) * np.float32(LEVEL)


def in_onnx_runtime(contents, images):
    session = onnxruntime.InferenceSession(contents, providers=["CPUExecutionProvider"])
    (entry,), (result,) = session.get_inputs(), session.get_outputs()
    return session.run([result.name], {entry.name: images.transpose(0, 3, 1, 2)})[0]


def in_openvino(contents, images):
    core = openvino.Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(contents), "CPU", exact)
    return compiled(images.transpose(0, 3, 1, 2))[0]


def check(contents, images, expected):
    """Both engines are within .01 level of ``expected``, [batch, H, W, C]."""
    for engine in (in_onnx_runtime, in_openvino):
        output = engine(contents, images).transpose(0, 2, 3, 1)
        assert output.shape == expected.shape, engine.__name__
        assert np.abs(output - expected).max() <= 0.01 * LEVEL, engine.__name__
    if expected.shape == images.shape and min(images.shape[1:3]) > 64:
        assert np.sqrt(np.mean((expected - images) ** 2)) > LEVEL / 2  # not the identity


def operations(contents):
    return [node.op_type for node in onnx.load_from_string(contents).graph.node]


SIZES = [((97, 131), 1), ((8, 5), 1), ((40, 56), 2)]


@pytest.mark.parametrize(("size", "batch"), SIZES)
@pytest.mark.parametrize(("name", "head"), SHIPPED)
def test_the_networks_of_the_paper(name, head, size, batch):
    network, _, contents = shipped(name, head)
    images = frames(size, batch=batch)
    check(contents, images, head_function(network, head)(images).numpy())


@pytest.mark.parametrize(("size", "batch"), [((97, 131), 1), ((8, 6), 1), ((40, 56), 2)])
@pytest.mark.parametrize(("name", "head"), LUMA)
def test_networks_for_luma(name, head, size, batch):
    network, program, contents = shipped(name)
    planes = luma_of(frames(size, program.multiple, batch))[..., None]
    enhancer = LumaEnhancer(network)
    check(contents, planes, np.stack([enhancer.enhance_luma(x[..., 0]) for x in planes])[..., None])


@pytest.mark.parametrize("name", ["residual1", "luma-large"])
def test_large_images(name):
    network, program, contents = shipped(name)
    images = frames((512, 512))
    if program.channels == 3:
        check(contents, images, head_function(network, "enhance")(images).numpy())
        return
    planes = luma_of(images)[..., None]
    check(contents, planes, LumaEnhancer(network).enhance_luma(planes[0, ..., 0])[None, ..., None])


def test_a_network_for_luma_that_packs_nothing_takes_any_size():
    network, random = build_luma("luma1-8"), np.random.default_rng(0)
    network.set_weights([w + random.normal(0, 0.05, w.shape) for w in network.get_weights()])
    planes = luma_of(frames((8, 5)))[..., None]
    contents = onnx_file.onnx_file(program_of(network), ABOUT)
    check(contents, planes, LumaEnhancer(network).enhance_luma(planes[0, ..., 0])[None, ..., None])


@pytest.mark.parametrize(("name", "head"), [*SHIPPED, *LUMA])
def test_nodes(name, head):
    made = operations(shipped(name, head)[2])
    assert len(made) <= MOST_NODES and set(made) <= OPERATIONS


def test_the_list_of_nodes():
    assert operations(shipped("residual1")[2]) == (
        ["Pad", *["Conv", "Relu"] * 2, "Add", "Conv", "Add", "Conv", "Slice"]
        + ["Clip", "Conv", "Conv", "Div"]
    )
    assert operations(shipped("luma-large")[2]) == (
        ["Pad", "SpaceToDepth", *["Conv", "Relu"] * 2, "Conv", "Add", "DepthToSpace", "Slice"]
    )


def test_each_residual_layer_has_three_nodes():
    counts = {
        depth: len(operations(onnx_file.onnx_file(program_of(NETWORKS[f"residual{depth}"]), {})))
        for depth in (1, 3, 6)
    }
    assert counts == {1: 14, 3: 20, 6: 29}


def test_the_checker_and_the_metadata():
    _, program, contents = shipped("residual1", "upscale")
    onnx.checker.check_model(contents, full_check=True)
    made = onnx.load_from_string(contents)
    assert [(each.domain, each.version) for each in made.opset_import] == [("", 17)]
    assert (made.ir_version, made.producer_name) == (8, "rts_tf")
    ends = [
        (end.name, [side.dim_param or side.dim_value for side in end.type.tensor_type.shape.dim])
        for end in (*made.graph.input, *made.graph.output)
    ]
    assert ends == [
        ("image", ["batch", 3, "height", "width"]),
        ("upscaled", ["batch", 3, "2 * height", "2 * width"]),
    ]
    assert {each.data_type for each in made.graph.initializer} == {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.INT64,
    }
    entries = {entry.key: entry.value for entry in made.metadata_props}
    assert entries == {
        "network": "residual1",
        "receptive_radius": "4",
        "receptive_field": "9",
        "scale": "2",
        "multiple": "1",
        "colour": "RGB",
        "layout": "NCHW float32",
        "value_range": "black is 0 and white is 1; the output is not clipped",
        "macs": "40644",
        **ABOUT,
    }
    convolutions = [each for each in made.graph.initializer if each.name.endswith("/kernel")]
    assert sum(int(np.prod(each.dims)) for each in convolutions) == program.macs == 40644


def test_macs_are_those_of_the_file():
    made = onnx.load_from_string(shipped("residual1")[2])
    weights = [each for each in made.graph.initializer if each.name.endswith("/kernel")]
    entries = {entry.key: entry.value for entry in made.metadata_props}
    assert int(entries["macs"]) == sum(int(np.prod(each.dims)) for each in weights)
    assert int(entries["macs"]) == 40644 + 7 * 7 * (12 * 3 + 3)


def test_the_metadata_of_a_network_for_luma():
    session = onnxruntime.InferenceSession(shipped("luma-clean")[2])
    entries = session.get_modelmeta().custom_metadata_map
    found = [entries[key] for key in ("network", "multiple", "colour", "scale", "licence")]
    assert found == ["luma4_32_32", "4", "luma", "1", "Apache-2.0"]
    assert [session.get_inputs()[0].name, session.get_outputs()[0].name] == ["luma", "enhanced"]


@pytest.mark.parametrize(("name", "head"), [("residual1", "upscale"), ("luma-clean", "enhance")])
def test_a_size_can_be_set(name, head):
    """Engines for a fixed size, such as vs-mlrt, set that of the input and infer the output's."""
    made = onnx.load_from_string(shipped(name, head)[2])
    for dimension, size in zip(made.graph.input[0].type.tensor_type.shape.dim, (1, None, 12, 20)):
        if size:
            dimension.dim_value = size
    inferred = onnx.shape_inference.infer_shapes(made, strict_mode=True, data_prop=True)
    shape = inferred.graph.output[0].type.tensor_type.shape.dim
    scale = 2 if head == "upscale" else 1
    assert [side.dim_value for side in shape][2:] == [12 * scale, 20 * scale]


def test_a_file_is_the_same_each_time():
    _, program, contents = shipped("residual1")
    assert onnx_file.onnx_file(program, dict(reversed(ABOUT.items()))) == contents


def own_network(middle):
    """A network with ``middle``, a function of a tensor, in it, and random weights."""
    image = Input((None, None, 3))
    x = middle(layers.Conv2D(8, (3, 5), padding="same", use_bias=False, name="image")(image))
    x = layers.Conv2D(12, 3, padding="same", name="enhanced")(x)
    output = layers.Add()([BicubicUpscaling()(image), PixelShuffle(2)(x)])
    network, random = Model(image, output, name="own"), np.random.default_rng(0)
    network.set_weights([np.abs(random.normal(0, 0.05, w.shape)) for w in network.get_weights()])
    return network


@pytest.mark.parametrize(
    "middle",
    [
        lambda x: layers.ReLU()(layers.BatchNormalization()(x)),
        lambda x: layers.Concatenate()([x, layers.Conv2D(3, 1, padding="same")(x)]),
        lambda x: layers.ReLU()(layers.Add()([x, x, layers.Conv2D(8, 3, padding="same")(x)])),
    ],
)
def test_a_network_of_ones_own(middle):
    """Two of its layers have the names of the input and the output of the file."""
    network, images = own_network(middle), frames((9, 14))
    for head in HEADS:
        contents = onnx_file.onnx_file(program_of(network, head), ABOUT)
        check(contents, images, head_function(network, head)(images).numpy())
        assert set(operations(contents)) <= OPERATIONS


def test_the_network_of_the_documentation():
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    network, images = names["build"](0, "float32", layers.Conv2D), frames((9, 14))
    for head in HEADS:
        contents = onnx_file.onnx_file(program_of(network, head), ABOUT)
        check(contents, images, head_function(network, head)(images).numpy())


def test_the_examples_of_the_documentation(tmp_path, monkeypatch):
    """They take a file of an image and one of a network, and compute what the network does."""
    network, _, contents = shipped("residual1")
    pixels = data.astronaut()[:40, :33]
    (tmp_path / "residual1_enhance.onnx").write_bytes(contents)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    text, names = (ROOT / "docs" / "onnx.md").read_text(encoding="utf-8"), {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    expected = head_function(network, "enhance")(pixels[None] / np.float32(255))[0].numpy()
    saved = np.asarray(Image.open("better.png")) / 255
    assert np.abs(saved - expected.clip(0, 1)).max() < 0.51 * LEVEL
    output = names["output"].transpose(0, 2, 3, 1)[0]  # of the last block, OpenVINO
    assert np.abs(output - expected).max() <= 0.01 * LEVEL


def test_a_network_without_a_border():
    """All of its kernels are 1x1, so nothing is repeated and nothing cut off."""
    image = Input((None, None, 3))
    output = PixelShuffle(2)(layers.Conv2D(12, 1, padding="same", name="head")(image))
    network = Model(image, output, name="points")
    images = frames((7, 6))
    for head in HEADS:
        contents = onnx_file.onnx_file(program_of(network, head), {})
        check(contents, images, head_function(network, head)(images).numpy())


def test_what_cannot_be_written_is_refused_by_name():
    network = own_network(layers.PReLU(shared_axes=[1, 2], name="it"))
    with pytest.raises(ConfigError, match=r"layer it \(PReLU\) cannot be written"):
        onnx_file.onnx_file(program_of(network), {})
    program = program_of(NETWORKS["residual1"])
    strange = passes.Pass("new", (passes.INPUT,), 3)
    with pytest.raises(ConfigError, match=r"the pass new \(Pass\) of residual1 cannot be written"):
        onnx_file.onnx_file(program._replace(passes=(*program.passes, strange)), {})


def test_a_package_that_is_missing(monkeypatch):
    assert (onnx_file.missing(), onnx_runtime.missing()) == ("", "")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"`formats`=onnx: needs the package onnx: pip install"):
        onnx_file.onnx_file(shipped("residual1")[1], {})
    assert "needs the package onnxruntime: pip install" in onnx_runtime.missing()


def test_the_package_is_not_imported_unless_asked_for(monkeypatch):
    for name in ("onnx", "onnxruntime"):
        monkeypatch.setitem(sys.modules, name, None)  # an import would fail
    for module in (onnx_file, onnx_runtime):
        spec = importlib.util.spec_from_file_location("again", module.__file__)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.parametrize("name", ["residual1", "luma-clean"])
def test_the_runner_takes_frames_of_any_size(name, tmp_path):
    network, program, contents = shipped(name)
    path = tmp_path / "a.onnx"
    path.write_bytes(contents)
    pixels = data.astronaut()[:97, :131]
    if program.channels == 3:
        expected = head_function(network, "enhance")(pixels[None] / np.float32(255))[0].numpy()
    else:
        pixels = luma_of(pixels)[..., None]
        expected = LumaEnhancer(network).enhance_luma(pixels[..., 0] / np.float32(255))[..., None]
    output = onnx_runtime.opened(path, "enhance")(pixels)
    assert output.shape == expected.shape
    assert np.abs(output - expected).max() <= 0.01 * LEVEL


def test_the_runner_in_a_process_of_its_own(tmp_path):
    network, _, contents = shipped("residual1", "upscale")
    (tmp_path / "a.onnx").write_bytes(contents)
    pixels = data.astronaut()[:33, :20]
    run = process.run(
        *(onnx_runtime.__name__, tmp_path / "a.onnx", "upscale", pixels),
        seconds=0,
        scratch=tmp_path,
    )
    expected = head_function(network, "upscale")(pixels[None] / np.float32(255))[0]
    assert np.abs(run.output - expected).max() <= 0.01 * LEVEL
