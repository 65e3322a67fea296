"""Fixtures that many tests share: small real images, and a SavedModel."""

import pathlib

from rts_tf.cli.startup import set_environment

set_environment()  # as the commands do, before a test imports TensorFlow

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from PIL import Image  # noqa: E402
from skimage import data  # noqa: E402

from tests.support.commands import photo  # noqa: E402
from tests.support.memory import pytest_collection_finish  # noqa: E402, F401
from tests.support.order import pytest_collection_modifyitems  # noqa: E402, F401
from tests.support.processes import pytest_xdist_auto_num_workers  # noqa: E402, F401
from tests.support.skips import (  # noqa: E402, F401
    pytest_make_collect_report,
    pytest_runtest_makereport,
)


@pytest.fixture(scope="session")
def photograph() -> np.ndarray:
    """The sample image of a cat, uint8 [300, 451, 3]; its width is odd."""
    return data.chelsea()


@pytest.fixture(scope="session")
def small_photographs(tmp_path_factory):
    """A folder of five images of different small sizes, some of them odd."""
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
    """A folder of three images."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        photo(i).save(folder / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def saved_model_directory(tmp_path_factory) -> pathlib.Path:
    """The SavedModel of a residual1 network, with strips so short that images have several.

    Every weight of the network changes its output.
    """
    from rts_tf.export import saved_model
    from tests.support.networks import NETWORKS

    path = tmp_path_factory.mktemp("saved_model") / "rts" / "1"
    saved_model.STRIP_PIXELS, before = 2000, saved_model.STRIP_PIXELS
    saved_model.write_saved_model(NETWORKS["residual1"], path)
    saved_model.STRIP_PIXELS = before
    return path
