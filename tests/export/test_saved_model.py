"""The SavedModel as a server gets it: loaded by the session loader, without ``rts_tf``."""

import io
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rts_tf.export import saved_model
from rts_tf.inference import Enhancer
from tests.support.commands import photo
from tests.support.image_files import PROFILE, SIXTEEN, saved
from tests.support.images import transparent
from tests.support.networks import NETWORKS
from tests.support.served_images import FILES, IMAGES, bomb, encoded

NETWORK = NETWORKS["residual1"]
# The C++ server checks neither rank nor channels nor anything else for the caller: as there, inputs
# come in through placeholders of unknown shape.
SESSION = """
import sys
sys.modules["rts_tf"] = None
import numpy as np, tensorflow as tf
directory, requests, answers = sys.argv[1:]
graph = tf.Graph()
session = tf.compat.v1.Session(graph=graph)
with graph.as_default():
    free = {}
    elsewhere = tf.compat.v1.Session(graph=tf.Graph())
    signatures = tf.compat.v1.saved_model.load(elsewhere, ["serve"], directory).signature_def
    for name, signature in signatures.items():
        for key, tensor in signature.inputs.items():
            free[tensor.name] = tf.compat.v1.placeholder(tensor.dtype)
    tf.compat.v1.saved_model.load(session, ["serve"], directory, input_map=free)
results = {}
for key, value in np.load(requests, allow_pickle=True).items():
    signature = signatures[key.split("/")[0]]
    ((_, given),) = signature.inputs.items()
    wanted = {name: tensor.name for name, tensor in signature.outputs.items()}
    try:
        (results[key],) = session.run(wanted, {free[given.name]: value}).values()
    except tf.errors.InvalidArgumentError as error:
        results[key] = np.array("refused: " + str(error))
np.savez(answers, **results)
"""


SIXTEEN_BITS = saved(Image.fromarray(SIXTEEN[..., 0]), "PNG")
FLOATS = np.stack([IMAGES[0], IMAGES[0][::-1]]).astype(np.float32) / 255
GOOD = {
    "enhance": IMAGES[0][None],
    "upscale": IMAGES[1][None],
    "enhance_float": FLOATS,
    "upscale_float": FLOATS,
    "serving_default": np.array(FILES, object),
}
BAD = {
    "enhance/rank": (
        IMAGES[0],
        "images must have the shape [batch, height, width, 3], not] [61 80 3]",
    ),
    "upscale/channels": (IMAGES[0][None, ..., :2], "not] [1 61 80 2]"),
    "enhance_float/channels": (FLOATS[..., :1], "not] [2 61 80 1]"),
    "enhance/empty": (IMAGES[0][None, :0], "must not be empty"),
    "enhance/large": (
        np.zeros((1, 1, saved_model.MAX_PIXELS + 1, 3), np.uint8),
        "more than 8294400 pixels",
    ),
    "serving_default/rank": (
        np.array([FILES[:1]], object),
        "image_bytes must have the shape [batch], not] [1 1]",
    ),
    "serving_default/png bomb": (np.array([bomb("PNG")], object), "more than 8294400 pixels"),
    "serving_default/jpeg bomb": (np.array([bomb("JPEG")], object), "more than 8294400 pixels"),
    "serving_default/one bad of two": (
        np.array([FILES[0], bomb("PNG")], object),
        "more than 8294400 pixels",
    ),
    "serving_default/header": (np.array([FILES[0][:20]], object), "ends within its header"),
    "serving_default/cut png": (np.array([FILES[0][:-900]], object), "PNG"),
    "serving_default/cut jpeg": (np.array([FILES[4][:300]], object), "JPEG"),
    "serving_default/empty": (np.array([b""], object), "must be JPEG or PNG"),
    "serving_default/webp": (
        np.array([encoded(IMAGES[0], "WEBP")], object),
        "must be JPEG or PNG",
    ),
    "serving_default/transparent": (
        np.array([FILES[0], saved(transparent(), "PNG")], object),
        "a PNG is transparent in places, and alpha is not kept",
    ),
    "serving_default/16 bits": (np.array([SIXTEEN_BITS], object), "a PNG of 16 bits; flatten or"),
    "serving_default/animated": (
        np.array([saved(photo(), "PNG", save_all=True, append_images=[photo(1)])], object),
        "a PNG is animated",
    ),
    "serving_default/cmyk with a profile": (
        np.array([saved(photo().convert("CMYK"), "JPEG", icc_profile=PROFILE)], object),
        "a JPEG is CMYK with a profile",
    ),
    "serving_default/text": (np.array([b"\xff\xd8 hello"], object), "must be JPEG or PNG"),
}


@pytest.fixture(scope="module")
def directory(saved_model_directory):
    return saved_model_directory


@pytest.fixture(scope="module")
def answers(directory, tmp_path_factory):
    """Good and bad requests to one session, the bad ones first."""
    place = tmp_path_factory.mktemp("answers")
    requests = place / "requests.npz"
    np.savez(requests, **{key: value for key, (value, _) in BAD.items()}, **GOOD)
    command = [sys.executable, "-c", SESSION, directory, requests, place / "answers.npz"]
    done = subprocess.run(list(map(str, command)), cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(place / "answers.npz", allow_pickle=True))


@pytest.mark.parametrize("signature", ["enhance", "upscale", "enhance_float", "upscale_float"])
def test_tensors(answers, signature):
    model = Enhancer(NETWORK)
    expected = (model.enhance if "enhance" in signature else model.upscale)(GOOD[signature])
    assert answers[signature].dtype == expected.dtype
    np.testing.assert_allclose(
        answers[signature].astype(np.float64),
        expected,
        atol=1 if "float" not in signature else 1e-5,
    )


def test_encoded_images_of_mixed_sizes(answers):
    for file, answer in zip(FILES, answers["serving_default"], strict=True):
        image = np.asarray(Image.open(io.BytesIO(file)).convert("RGB"))
        made = Image.open(io.BytesIO(answer))
        assert made.format == "PNG"
        difference = np.abs(np.asarray(made).astype(int) - Enhancer(NETWORK).enhance(image))
        assert difference.max() <= (
            1 if file[:4] == b"\x89PNG" else 12
        )  # two JPEG decoders round differently


@pytest.mark.parametrize("request_", BAD)
def test_bad_requests_are_refused_with_the_reason(answers, request_):
    assert str(answers[request_]).startswith("refused: ") and BAD[request_][1] in str(
        answers[request_]
    )


def test_signatures_say_what_they_take(directory):
    signatures = tf.saved_model.load(str(directory)).signatures
    assert set(signatures) == {
        "serving_default",
        "enhance",
        "upscale",
        "enhance_float",
        "upscale_float",
    }
    described = (
        signatures["serving_default"].structured_input_signature[1],
        signatures["serving_default"].structured_outputs,
    )
    assert [list(d) for d in described] == [
        ["image_bytes"],
        ["enhanced_bytes"],
    ]  # the suffix is base64 in REST
    assert signatures["enhance"].structured_input_signature[1]["images"].shape.as_list() == [
        None,
        None,
        None,
        3,
    ]


def test_warm_up_requests_are_answered(directory):
    log = pytest.importorskip(
        "tensorflow_serving.apis.prediction_log_pb2", reason="the extra 'serving' is not installed"
    )
    loaded, asked = tf.saved_model.load(str(directory)), []
    for record in tf.data.TFRecordDataset(
        str(directory / "assets.extra" / "tf_serving_warmup_requests")
    ):
        request = log.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {
            name: tf.constant(tf.make_ndarray(value)) for name, value in request.inputs.items()
        }
        assert loaded.signatures[request.model_spec.signature_name](**inputs)
        asked.append(request.model_spec.signature_name)
    assert sorted(asked) == sorted(loaded.signatures)


def test_without_the_serving_api_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_model.importlib.util, "find_spec", lambda name: None)
    assert not saved_model._write_warmup(tmp_path / "assets.extra" / "requests")
    assert not list(pathlib.Path(tmp_path).iterdir())
