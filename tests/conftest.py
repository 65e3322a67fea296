"""Small real photographs for every test, and quiet libraries."""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the commands do

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from PIL import Image  # noqa: E402
from skimage import data  # noqa: E402

from tests.support.commands import photo  # noqa: E402


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    """uint8 [300, 451, 3]; odd width."""
    return data.chelsea()


@pytest.fixture(scope="session")
def small_photographs(tmp_path_factory):
    """A folder of five photographs of different small sizes, odd ones too."""
    folder = tmp_path_factory.mktemp("photographs")
    pictures = (
        data.chelsea(),
        data.coffee(),
        data.astronaut(),
        data.rocket(),
        data.stereo_motorcycle()[0],
    )
    for i, (picture, size) in enumerate(
        zip(pictures, ((64, 80), (71, 64), (96, 66), (64, 64), (90, 101)), strict=True)
    ):
        top, left = (picture.shape[0] - size[0]) // 2, (picture.shape[1] - size[1]) // 2
        Image.fromarray(picture[top : top + size[0], left : left + size[1]]).save(
            folder / f"picture {i}.png"
        )
    return folder


@pytest.fixture
def photo_folder(tmp_path) -> pathlib.Path:
    """A folder of three photographs."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        photo(i).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def saved_model_directory(tmp_path_factory) -> pathlib.Path:
    """The SavedModel of a residual1 network whose every weight matters, for several strips and a shorter last one."""
    from rts_tf.export import saved_model
    from tests.test_inference import NETWORKS

    path = tmp_path_factory.mktemp("saved_model") / "rts" / "1"
    saved_model.STRIP_PIXELS, before = 2000, saved_model.STRIP_PIXELS
    saved_model.write_saved_model(NETWORKS["residual1"], path)
    saved_model.STRIP_PIXELS = before
    return path
