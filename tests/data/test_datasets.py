"""Where images come from: the sample images, a folder, and DIV2K from tensorflow-datasets."""

import pathlib
import shutil
import socket
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from rts_tf.config import preset
from rts_tf.data import datasets
from rts_tf.data.datasets import ImageSource, div2k, folder, training_and_validation
from rts_tf.errors import ConfigError, ImageError
from tests.support.image_files import saved


def png(image: np.ndarray) -> bytes:
    return saved(Image.fromarray(image), "PNG")


def read_all(source: ImageSource) -> list[np.ndarray]:
    return [source.read(name) for name in source.names]


# --- sample images


def test_sample_images_need_no_download(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)
    training, validation = training_and_validation(preset("quick"))
    assert not set(training.names) & set(validation.names) and training.origin == "`data`=sample"
    for image in (*read_all(training), *read_all(validation)):
        assert image.dtype == np.uint8 and image.shape[2] == 3 and min(image.shape[:2]) >= 96


# --- folders


@pytest.fixture
def tree(tmp_path, photograph):
    """Ten images at two levels, and other files that a folder of images may hold."""
    for i in range(10):
        path = tmp_path / ("b" if i % 2 else "a") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(photograph[i : i + 40, :50]))
    (tmp_path / "notes.txt").write_text("not an image")
    (tmp_path / "raw.cr2").write_bytes(b"nor is this")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_a_folder_is_read_recursively_in_order(tree, photograph):
    # The content decides how it is decoded, whatever its name says.
    (tree / "folder.png" / "INNER.JPEG").write_bytes(png(photograph[:20, :30]))
    found = folder(tree)
    assert found.names == (
        "a/0.png",
        "a/2.png",
        "a/4.png",
        "a/6.png",
        "a/8.png",
        "b/1.png",
        "b/3.png",
        "b/5.png",
        "b/7.png",
        "b/9.png",
        "folder.png/INNER.JPEG",
    )
    np.testing.assert_array_equal(found.read("b/3.png"), photograph[3:43, :50])
    np.testing.assert_array_equal(found.read("folder.png/INNER.JPEG"), photograph[:20, :30])
    assert found.origin == f"`data`={tree}"


def test_hidden_files_are_ignored(tree):
    """macOS writes such files beside images, and a killed command may leave one."""
    before = folder(tree).names
    (tree / "._a.png").write_bytes(b"resources")
    assert folder(tree).names == before


def test_links_are_followed_and_dangling_ones_reported(tree):
    (tree / "link.png").symlink_to(tree / "a" / "0.png")
    (tree / "dangling.png").symlink_to(tree / "gone.png")
    found = folder(tree)
    np.testing.assert_array_equal(found.read("link.png"), found.read("a/0.png"))
    with pytest.raises(ImageError, match="dangling.png: cannot be read .No such file"):
        found.read("dangling.png")


def test_a_name_that_is_not_utf8_is_refused(tree):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    try:
        (tree / name).write_bytes((tree / "a" / "0.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    found = folder(tree)
    assert name in found.names
    with pytest.raises(ImageError, match="is not UTF-8; rename it"):
        found.read(name)


def test_a_path_that_is_no_folder_of_images_is_named_with_its_argument(tmp_path):
    path = tmp_path / "images"
    for make, reason in (
        (str, "no such folder"),
        (pathlib.Path.touch, "is not a folder"),
        (pathlib.Path.mkdir, "holds no"),
    ):
        path.unlink(missing_ok=True)
        make(path)
        with pytest.raises(ConfigError, match=f"^`validation`={path}: {reason}"):
            folder(path, "validation")


@pytest.mark.parametrize(("count", "held"), [(2, 1), (10, 1), (25, 2), (400, 24)])
def test_a_tenth_is_held_out_evenly(monkeypatch, count, held):
    names = tuple(f"{i:03d}.png" for i in range(count))
    monkeypatch.setattr(
        datasets,
        "folder",
        lambda path, argument: ImageSource(names, lambda name: None, f"`{argument}`={path}"),
    )
    training, validation = training_and_validation(preset("quick", data="/somewhere"))
    assert len(validation.names) == held
    assert sorted(training.names + validation.names) == list(names)
    distances = np.diff([names.index(name) for name in validation.names])
    assert held <= 2 or np.ptp(distances) <= 1
    assert training.origin == validation.origin == "`data`=/somewhere"


def test_one_image_is_too_few(tmp_path, photograph):
    (tmp_path / "one.png").write_bytes(png(photograph))
    message = f"^`data`={tmp_path}: holds one image; add more, or .*`validation`"
    with pytest.raises(ConfigError, match=message):
        training_and_validation(preset("quick", data=str(tmp_path)))
    training, validation = training_and_validation(
        preset("quick", data=str(tmp_path), validation=str(tmp_path))
    )
    assert training.names == validation.names == ("one.png",)


# --- DIV2K


def offline(*arguments, **options):
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def archive(path: pathlib.Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, contents in files.items():
            file.writestr(name, contents)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """(data_dir, HR images by split).

    The archives have the layout of DIV2K; tensorflow-datasets itself extracts and prepares them.
    """
    import tensorflow_datasets as tfds
    from skimage import data

    data_dir = tmp_path_factory.mktemp("data")
    downloads = data_dir / "downloads"
    downloads.mkdir()
    images, first = {}, {"train": 1, "valid": 801}
    for split, count in (("train", 5), ("valid", 3)):
        sizes = [(64 + 2 * i, 80 - 4 * i) for i in range(count)]
        images[split] = [
            data.chelsea()[10 * i : 10 * i + h, 30 * i : 30 * i + w]
            for i, (h, w) in enumerate(sizes)
        ]
        numbered = list(enumerate(images[split], first[split]))
        hr = {f"DIV2K_{split}_HR/{n:04d}.png": png(image) for n, image in numbered}
        lr = {
            f"DIV2K_{split}_LR_bicubic/X2/{n:04d}x2.png": png(image[::2, ::2])
            for n, image in numbered
        }
        archive(downloads / f"DIV2K_{split}_HR.zip", hr)
        archive(downloads / f"DIV2K_{split}_LR_bicubic_X2.zip", lr)

    def downloaded(manager, urls: dict[str, str]):
        return manager.extract(
            {key: downloads / url.rpartition("/")[2] for key, url in urls.items()}
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds.download.DownloadManager, "download_and_extract", downloaded)
        div2k("train", str(data_dir))
    return data_dir, {"train": images["train"], "validation": images["valid"]}


@pytest.mark.parametrize("split", ["train", "validation"])
def test_div2k_gives_exactly_the_originals(prepared, split, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)  # what is prepared needs no network
    data_dir, originals = prepared
    source = div2k(split, str(data_dir))
    assert source.names == tuple(f"{split}_{i + 1:04d}" for i in range(len(originals[split])))
    images = read_all(source)

    # tensorflow-datasets shuffles the images when it prepares them.
    found, expected = (sorted(each, key=np.ndarray.tobytes) for each in (images, originals[split]))
    for image, original in zip(found, expected, strict=True):
        np.testing.assert_array_equal(image, original)

    for i in (3, 1, 1, 0, 2)[-len(images) :]:  # whatever the order, a name gives the same image
        i %= len(images)
        np.testing.assert_array_equal(source.read(source.names[i]), images[i])
    for image, again in zip(images, read_all(div2k(split, str(data_dir))), strict=True):
        np.testing.assert_array_equal(image, again)


def test_div2k_for_a_run(prepared, tmp_path, photograph):
    data_dir, _ = prepared
    config = preset("quick", data="div2k", data_dir=str(data_dir))
    assert [len(source.names) for source in training_and_validation(config)] == [5, 3]
    (tmp_path / "own.png").write_bytes(png(photograph))
    config = preset("quick", data="div2k", data_dir=str(data_dir), validation=str(tmp_path))
    assert training_and_validation(config)[1].names == ("own.png",)


def test_a_damaged_shard_of_div2k_is_named(prepared, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(prepared[0] / "div2k", copy / "div2k")
    (shard,) = copy.rglob("*train*tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-100])
    message = f"^`data`=div2k: {copy}/div2k.*: cannot be read .*delete it"
    with pytest.raises(ConfigError, match=message) as caught:
        read_all(div2k("train", str(copy)))
    assert "\n" not in str(caught.value)


def check_way_out(caught) -> str:
    """Check that the message is one line that says what to do instead. Returns it."""
    message = str(caught.value)
    assert message.startswith("`data`=div2k: ") and "\n" not in message
    assert "`data_dir`" in message
    assert "`data`=DIV2K_train_HR `validation`=DIV2K_valid_HR" in message
    return message


def test_div2k_without_a_network_says_so_at_once_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(ConfigError) as caught:
        div2k("train", str(tmp_path))
    assert str(tmp_path) in check_way_out(caught) and "data.vision.ee.ethz.ch" in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_div2k_without_tensorflow_datasets(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ConfigError) as caught:
        div2k("train", str(tmp_path))
    assert "tensorflow_datasets" in check_way_out(caught)


def test_div2k_in_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        div2k("train", str(tmp_path / "file"))
    check_way_out(caught)
