"""Where the photographs come from: the samples, a folder, and DIV2K prepared by tensorflow-datasets itself."""

import io
import pathlib
import shutil
import socket
import sys
import zipfile

import numpy as np
import pytest
from PIL import Image

from rts_tf.config import preset
from rts_tf.data import datasets as photos
from rts_tf.errors import ConfigError, ImageError


def png(picture: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


def everything(some: photos.ImageSource) -> list[np.ndarray]:
    return [some.read(name) for name in some.names]


# --- samples


def test_samples_are_photographs_that_need_no_download(monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)
    training, validation = photos.training_and_validation(preset("quick"))
    assert not set(training.names) & set(validation.names) and training.origin == "--data=sample"
    for picture in (*everything(training), *everything(validation)):
        assert picture.dtype == np.uint8 and picture.shape[2] == 3 and min(picture.shape[:2]) >= 96


# --- folders


@pytest.fixture
def tree(tmp_path, photograph):
    """Ten photographs at two levels, with what a folder of photographs holds besides."""
    for i in range(10):
        path = tmp_path / ("b" if i % 2 else "a") / f"{i}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png(photograph[i : i + 40, :50]))
    (tmp_path / "notes.txt").write_text("not a picture")
    (tmp_path / "raw.cr2").write_bytes(b"nor this")
    (tmp_path / "folder.png").mkdir()
    return tmp_path


def test_a_folder_is_read_recursively_in_order(tree, photograph):
    (tree / "folder.png" / "INNER.JPEG").write_bytes(
        png(photograph[:20, :30])
    )  # by content, whatever its name says
    found = photos.folder(tree)
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
    assert found.origin == f"--data={tree}"


def test_hidden_files_are_no_photographs(tree):
    """What macOS writes beside a picture, and what a killed command was writing."""
    before = photos.folder(tree).names
    (tree / "._a.png").write_bytes(b"resources")
    assert photos.folder(tree).names == before


def test_links_are_followed_and_dangling_ones_reported(tree):
    (tree / "link.png").symlink_to(tree / "a" / "0.png")
    (tree / "dangling.png").symlink_to(tree / "gone.png")
    found = photos.folder(tree)
    np.testing.assert_array_equal(found.read("link.png"), found.read("a/0.png"))
    with pytest.raises(ImageError, match="dangling.png: cannot be read .No such file"):
        found.read("dangling.png")


def test_a_name_that_is_not_utf8_is_refused(tree):
    name = b"caf\xe9.png".decode("utf-8", "surrogateescape")
    try:
        (tree / name).write_bytes((tree / "a" / "0.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 names alone")
    found = photos.folder(tree)
    assert name in found.names
    with pytest.raises(ImageError, match="is not UTF-8; rename it"):
        found.read(name)


def test_a_folder_that_is_none_names_the_flag(tmp_path):
    path = tmp_path / "pictures"
    for make, reason in (
        (str, "no such folder"),
        (pathlib.Path.touch, "is not a folder"),
        (pathlib.Path.mkdir, "holds no"),
    ):
        path.unlink(missing_ok=True)
        make(path)
        with pytest.raises(ConfigError, match=f"^--validation={path}: {reason}"):
            photos.folder(path, "validation")


@pytest.mark.parametrize(("count", "held"), [(2, 1), (10, 1), (25, 2), (400, 24)])
def test_a_tenth_is_held_out_evenly(monkeypatch, count, held):
    names = tuple(f"{i:03d}.png" for i in range(count))
    monkeypatch.setattr(
        photos,
        "folder",
        lambda path, flag: photos.ImageSource(names, lambda name: None, f"--{flag}={path}"),
    )
    training, validation = photos.training_and_validation(preset("quick", data="/somewhere"))
    assert len(validation.names) == held and sorted(training.names + validation.names) == list(
        names
    )
    assert (
        np.ptp(np.diff([names.index(name) for name in validation.names])) <= 1 if held > 2 else True
    )
    assert training.origin == validation.origin == "--data=/somewhere"


def test_one_photograph_is_too_few(tmp_path, photograph):
    (tmp_path / "one.png").write_bytes(png(photograph))
    with pytest.raises(
        ConfigError, match=f"^--data={tmp_path}: holds one photograph; add more, or .*--validation"
    ):
        photos.training_and_validation(preset("quick", data=str(tmp_path)))
    training, validation = photos.training_and_validation(
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
    """(data_dir, HR pictures by split): archives in the layout of DIV2K, extracted and prepared by tensorflow-datasets."""
    import tensorflow_datasets as tfds
    from skimage import data

    data_dir = tmp_path_factory.mktemp("data")
    downloads = data_dir / "downloads"
    downloads.mkdir()
    pictures, first = {}, {"train": 1, "valid": 801}
    for split, count in (("train", 5), ("valid", 3)):
        sizes = [(64 + 2 * i, 80 - 4 * i) for i in range(count)]
        pictures[split] = [
            data.chelsea()[10 * i : 10 * i + h, 30 * i : 30 * i + w]
            for i, (h, w) in enumerate(sizes)
        ]
        numbered = list(enumerate(pictures[split], first[split]))
        hr = {f"DIV2K_{split}_HR/{n:04d}.png": png(picture) for n, picture in numbered}
        lr = {
            f"DIV2K_{split}_LR_bicubic/X2/{n:04d}x2.png": png(picture[::2, ::2])
            for n, picture in numbered
        }
        archive(downloads / f"DIV2K_{split}_HR.zip", hr)
        archive(downloads / f"DIV2K_{split}_LR_bicubic_X2.zip", lr)

    def downloaded(manager, urls: dict[str, str]):
        return manager.extract(
            {key: downloads / url.rpartition("/")[2] for key, url in urls.items()}
        )

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfds.download.DownloadManager, "download_and_extract", downloaded)
        photos.div2k("train", str(data_dir))
    return data_dir, {"train": pictures["train"], "validation": pictures["valid"]}


@pytest.mark.parametrize("split", ["train", "validation"])
def test_div2k_gives_exactly_the_originals(prepared, split, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)  # what is prepared needs no network
    data_dir, pictures = prepared
    div2k = photos.div2k(split, str(data_dir))
    assert div2k.names == tuple(f"{split}_{i + 1:04d}" for i in range(len(pictures[split])))
    read = everything(div2k)
    key = lambda picture: picture.tobytes()  # noqa: E731  tensorflow-datasets shuffles them while it prepares
    for ours, theirs in zip(sorted(read, key=key), sorted(pictures[split], key=key), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for i in (3, 1, 1, 0, 2)[-len(read) :]:  # in any order the same
        np.testing.assert_array_equal(div2k.read(div2k.names[i % len(read)]), read[i % len(read)])
    for ours, again in zip(read, everything(photos.div2k(split, str(data_dir))), strict=True):
        np.testing.assert_array_equal(ours, again)


def test_div2k_for_a_run(prepared, tmp_path, photograph):
    data_dir, pictures = prepared
    config = preset("quick", data="div2k", data_dir=str(data_dir))
    assert [len(some.names) for some in photos.training_and_validation(config)] == [5, 3]
    (tmp_path / "own.png").write_bytes(png(photograph))
    config = preset("quick", data="div2k", data_dir=str(data_dir), validation=str(tmp_path))
    assert photos.training_and_validation(config)[1].names == ("own.png",)


def test_a_damaged_shard_of_div2k_is_named(prepared, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(prepared[0] / "div2k", copy / "div2k")
    (shard,) = copy.rglob("*train*tfrecord*")
    shard.write_bytes(shard.read_bytes()[:-100])
    div2k = photos.div2k("train", str(copy))
    with pytest.raises(
        ConfigError, match=f"^--data=div2k: {copy}/div2k.*: cannot be read .*delete it"
    ) as caught:
        everything(div2k)
    assert "\n" not in str(caught.value)


def way_out(caught) -> str:
    message = str(caught.value)
    assert message.startswith("--data=div2k: ") and "\n" not in message
    assert (
        "--data_dir" in message and "--data=DIV2K_train_HR --validation=DIV2K_valid_HR" in message
    )
    return message


def test_div2k_without_a_network_says_so_at_once_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(ConfigError) as caught:
        photos.div2k("train", str(tmp_path))
    assert str(tmp_path) in way_out(caught) and "data.vision.ee.ethz.ch" in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_div2k_without_tensorflow_datasets(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ConfigError) as caught:
        photos.div2k("train", str(tmp_path))
    assert "tensorflow_datasets" in way_out(caught)


def test_div2k_in_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        photos.div2k("train", str(tmp_path / "file"))
    way_out(caught)
