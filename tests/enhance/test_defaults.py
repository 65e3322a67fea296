"""Without --output the results lie beside their inputs; and patterns that no shell has expanded."""

import os

import pytest
from PIL import Image

from rts_tf.enhance.patterns import expanded
from rts_tf.errors import ConfigError
from tests.support.commands import photo, state
from tests.support.enhance_command import command, model_file, refused, run  # noqa: F401  fixtures
from tests.support.image_files import saved


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(*names: str) -> None:
    """Make images whose formats are those of the suffixes."""
    for i, name in enumerate(names):
        kind = {"jpg": "JPEG", "gif": "GIF"}.get(name.rpartition(".")[2], "PNG")
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        with open(name, "wb") as file:
            file.write(saved(photo(i), kind))


def made(folder) -> set[str]:
    """The files below a folder whose path says that they were made."""
    names = {path.relative_to(folder).as_posix() for path in state(folder)}
    return {name for name in names if "_enhanced" in name}


def test_one_image(run, here):
    put("photo.jpg")
    out, err = run("photo.jpg", "--strength=0")
    assert "enhanced 1 of 1 images: photo_enhanced.jpg\n" in out and not err
    assert Image.open("photo_enhanced.jpg").format == "JPEG"
    before = state(here)
    out, _ = run("photo.jpg")
    assert "already there: 1 of 1 images, photo_enhanced.jpg (--overwrite makes" in out
    assert state(here) == before
    out, _ = run("photo.jpg", "--overwrite")
    assert "enhanced 1 of 1" in out and state(here) != before


def test_several_inputs_each_beside_itself(run, here):
    put("a/photo.jpg", "b/photo.jpg", "c/photo.png", "photos/1.png", "photos/below/2.jpg")
    out, err = run("a/photo.jpg", here / "b" / "photo.jpg", "c/photo.png", "photos/")
    assert "enhanced 5 of 5 images: a/photo_enhanced.jpg, " in out and not err
    names = {"a/photo_enhanced.jpg", "b/photo_enhanced.jpg", "c/photo_enhanced.png"}
    assert made(here) == {*names, "photos_enhanced/1.png", "photos_enhanced/below/2.jpg"}


def test_the_folder_that_one_is_in(run, here, monkeypatch):
    put("photos/1.png")
    monkeypatch.chdir("photos")
    out, _ = run(".", "--strength=0")
    assert f"enhanced 1 of 1 images: {here / 'photos_enhanced'}\n" in out
    assert made(here) == {"photos_enhanced/1.png"}
    assert "no folder beside it; name an --output" in refused("/")
    (here / "other").mkdir()
    (here / "other_enhanced").write_text("precious")
    assert "other_enhanced: is a file" in refused(here / "other")


def test_formats_that_are_not_written(run, here):
    put("a.gif", "b.gif", "a.png")
    os.rename("a.png", "a.jpg")  # a PNG of a wrong name
    _, err = run("a.gif", "b.gif", "a.jpg")
    assert (
        err == "note: GIF is not written: a.gif becomes a_enhanced.gif.png (and 1 more likewise)\n"
    )
    assert made(here) == {"a_enhanced.gif.png", "b_enhanced.png", "a_enhanced.jpg.png"}


def test_heic_becomes_jpeg(run, here):
    pytest.importorskip("pillow_heif", reason="the extra 'images' is not installed")
    from rts_tf.images.formats import make_known

    make_known("HEIF")
    (here / "a.heic").write_bytes(saved(photo(), "HEIF"))
    _, err = run("a.heic")
    assert err == "note: HEIC is not written: a.heic becomes a_enhanced.jpg\n"
    assert Image.open("a_enhanced.jpg").format == "JPEG"


def test_videos(run, here):
    pytest.importorskip("av", reason="the extra 'video' is not installed")
    from tests.support.videos import contents, make

    make(here / "a.mp4", count=3)
    make(here / "b.mpg", codec="mpeg2video", count=3, options={})
    out, err = run("a.mp4", "b.mpg", "--strength=0")
    assert "enhanced 2 of 2 videos: a_enhanced.mp4, b_enhanced.mkv" in out
    assert "note: .mpg is not written: b.mpg becomes b_enhanced.mkv" in err
    assert len(contents(here / "b_enhanced.mkv").times) == 3


def test_a_pattern_given_twice_makes_nothing_of_what_it_made(run, here):
    put("a.jpg", "b.jpg", "old_enhanced.jpg")
    out, _ = run("*.jpg", "--strength=0")
    assert "enhanced 3 of 3" in out and "left out" not in out
    # The last of these was no output of another input, so it is an image like any other.
    names = {"a_enhanced.jpg", "b_enhanced.jpg", "old_enhanced.jpg", "old_enhanced_enhanced.jpg"}
    assert made(here) == names
    for overwrite in ("", "--overwrite"):
        out, _ = run("*.jpg", "--strength=0", *filter(None, [overwrite]))
        assert made(here) == names
        assert "left out: a_enhanced.jpg, b_enhanced.jpg, old_enhanced_enhanced.jpg" in out
    # A shell may have expanded it.
    out, _ = run(*sorted(path.name for path in here.iterdir()), "--strength=0")
    assert made(here) == names and "already there: 3 of 3" in out
    out, _ = run("a_enhanced.jpg", "--strength=0")
    assert "enhanced 1 of 1 images: a_enhanced_enhanced.jpg" in out


def test_folders_given_twice(run, here):
    put("photos/a.jpg", "photos/a_enhanced.jpg", "photos/b_enhanced.jpg")
    for _ in range(2):
        out, _ = run("photo*", "--strength=0")
        assert "left out: photos/a_enhanced.jpg" in out
    assert {name for name in made(here) if name.startswith("photos_enhanced")} == {
        "photos_enhanced/a.jpg",
        "photos_enhanced/b_enhanced.jpg",
    }
    out, _ = run("photos", "--output=all", "--strength=0")
    assert "enhanced 3 of 3 images: all" in out  # the user has named the place


def test_patterns(run, here):
    put("p/a.png", "p/below/b.png", "p/below/c.jpg", "p/.hidden.png")
    (here / "p" / "notes.txt").write_text("no image")
    out, _ = run("p/**/*.png", "--output=better", "--strength=0")
    assert "enhanced 2 of 2 images: better" in out
    assert sorted(os.listdir("better")) == ["a.png", "b.png"]
    out, _ = run("p/*.*", "p/a.png", "--output=again", "--strength=0")
    assert os.listdir("again") == ["a.png"] and "passed over: 1 .txt" in out


def test_names_with_brackets(here):
    put("a[1].png", "a1.png")
    assert expanded(["a[1].png"]).inputs == ["a[1].png"]
    os.remove("a[1].png")
    assert expanded(["a[1].png"]).inputs == ["a1.png"]
    assert expanded(["-", "gone.png"]).inputs == ["-", "gone.png"]


def test_patterns_that_match_nothing(here):
    (here / "notes.txt").write_text("no image")
    assert "*.jpg: no file or folder has this name or matches" in refused("*.jpg")
    assert "*.txt: of the 1 files that match, none is an image" in refused("*.txt", "--output=x")
    with pytest.raises(ConfigError, match="gone"):
        expanded(["gone*"])
    assert os.listdir() == ["notes.txt"]


def test_bare_frames_of_a_file_need_an_output(here):
    (here / "raw").write_bytes(bytes(96))
    assert "--raw_size=8x8: name an --output too" in refused("raw", "--raw_size=8x8")
