"""Folders: images are found by their contents, and what is passed over is counted at the end."""

import numpy as np
import pytest
from PIL import Image

from rts_tf.enhance.jobs import is_video, plan
from rts_tf.images.image_file import read_image_file
from tests.support.commands import photo
from tests.support.enhance_command import command, model_file, refused, run  # noqa: F401  fixtures
from tests.support.image_files import saved

PNG, JPEG = saved(photo(), "PNG"), saved(photo(1), "JPEG")
FILES = {  # the contents, and the name in the output
    "a.jfif": (JPEG, "a.jfif"),
    "b.JPE": (JPEG, "b.JPE"),
    "without": (JPEG, "without.jpg"),
    "below/png.jpg": (PNG, "below/png.png"),
    "c.avif": (saved(photo(2), "AVIF"), "c.avif"),
    "still.gif": (saved(photo(3), "GIF"), "still.png"),
    "logo.gif": (saved(photo(4), "GIF"), "logo.gif.png"),
    "logo.png": (PNG, "logo.png"),
    "version 1.2": (PNG, "version 1.2.png"),
}


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "in"
    for name, (contents, _) in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(contents)
    for name in ("notes.txt", "raw.cr2", "more.txt", ".hidden", ".clip.mp4.rts/00000.nut"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no image")
    return folder


def test_images_of_any_name_are_enhanced_and_others_counted(run, tree, tmp_path):
    output = tmp_path / "out"
    out, err = run(tree, f"--output={output}", "--strength=0")
    assert f"enhanced {len(FILES)} of {len(FILES)} images" in out and not err
    assert "passed over: 2 .txt, 1 .cr2\n" in out
    made = {p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file()}
    assert made == {name for _, name in FILES.values()}
    for name, (_, target) in FILES.items():
        found = Image.open(output / target)
        assert found.format == Image.open(tree / name).format.replace("GIF", "PNG")
    given = read_image_file(tree / "logo.gif").pixels
    np.testing.assert_array_equal(read_image_file(output / "logo.gif.png").pixels, given)
    out, _ = run(tree, f"--output={output}", "--strength=0")
    assert f"already there: {len(FILES)} of {len(FILES)}" in out and "passed over: 2 .txt" in out
    out, _ = run(tree, f"--output={tree / 'below'}", "--strength=0")
    assert "passed over: 2 .txt, 1 .cr2\n" in out  # without what lies in the output


def test_what_was_made_is_measured_against_its_original(run, tree, tmp_path):
    from rts_tf.data.datasets import counterpart

    run(tree, f"--output={tmp_path / 'out'}", "--strength=0")
    for name, (_, target) in FILES.items():
        if name != "logo.gif":
            assert counterpart(tree, target) == str(tree / name)
    (tree / "logo.png").unlink()
    assert counterpart(tree, "logo.gif.png") == str(tree / "logo.gif")


def test_names_that_become_too_long_are_refused_before_the_work(tree, tmp_path):
    name = "x" * 253
    (tree / name).write_bytes(PNG)
    found = plan([str(tree)], str(tmp_path / "out"), False)
    assert len(found.jobs) == len(FILES) and len(found.errors) == 1
    assert f"{name}: would become a file whose name" in found.errors[0]


def test_the_longest_names(run, tmp_path):
    name = "\u5c71" * 83 + "ab.png"
    (tmp_path / name).write_bytes(PNG)
    run(tmp_path / name, f"--output={tmp_path / 'out'}/", "--strength=0")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]


def test_the_longest_names_of_videos(run, tmp_path):
    """The hidden folder beside the video has a name of its own, which fits too."""
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    from tests.support.videos import contents, make

    video = make(tmp_path / ("v" * 251 + ".mkv"), count=3)
    run(video, f"--output={tmp_path / 'out'}/", "--strength=0")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [video.name]
    assert len(contents(tmp_path / "out" / video.name).times) == 3


def test_a_folder_of_other_files(tmp_path, model_file):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "notes.txt").write_text("no image")
    code, out, err = command(folder, f"--output={tmp_path / 'out'}", f"--model={model_file}")
    assert code == 1 and "in: holds no images (PNG," in err and "passed over: 1 .txt" in out


def test_an_animation_is_an_error_and_the_others_are_made(run, tree, tmp_path):
    (tree / "moves.png").write_bytes(saved(photo(), "PNG", save_all=True, append_images=[photo(1)]))
    _, err = run(tree, f"--output={tmp_path / 'out'}", "--strength=0", code=1)
    assert err.count("error: ") == 1 and "moves.png: holds 2 images" in err


def test_contents_decide_what_a_file_is(tmp_path):
    """An image is none of the videos, whatever its name is."""
    for name, contents, video in (
        ("a.mp4", PNG, False),
        ("a", PNG, False),
        ("a.gif", JPEG, False),
        ("b.mp4", b"", True),
        ("b", b"", True),
        ("b.png", b"", False),
        ("b.heic", b"", False),
    ):
        (tmp_path / name).write_bytes(contents)
        assert is_video(tmp_path / name) == video, name
