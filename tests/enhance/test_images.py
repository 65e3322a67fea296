"""The enhance command: what it makes, where it puts it, and what it leaves alone."""

import numpy as np
import pytest
from PIL import Image

from rts_tf.images.image_file import LARGEST, ImageFile, read_image_file
from rts_tf.images.transparency import visible_only
from rts_tf.images.write import write_image_file
from tests.support.commands import photo, state
from tests.support.enhance_command import command, model, model_file, refused, run  # noqa: F401  fixtures
from tests.support.image_files import EIGHT, PROFILE, SIXTEEN, check_exif, exif


@pytest.mark.parametrize("scale", [1, 2])
@pytest.mark.parametrize(
    "pixels",
    [EIGHT, EIGHT[..., :1], SIXTEEN, SIXTEEN[..., :1]],
    ids=["rgb8", "grey8", "rgb16", "grey16"],
)
def test_one_image_with_all_that_belongs_to_it(run, model, tmp_path, pixels, scale):
    """Pixels are those of the Python interface, in the same bits; the rest is kept."""
    alpha = SIXTEEN[..., 2] if pixels.dtype == np.uint16 else EIGHT[..., 2]
    transparent = pixels.shape[2] == 3
    block = exif(6)
    photograph = ImageFile(
        pixels,
        alpha if transparent else None,
        PROFILE if transparent else b"",
        block,
        (240.0, 300.0),
    )
    write_image_file(tmp_path / "in.png", photograph)
    run(
        tmp_path / "in.png",
        f"--output={tmp_path / 'out.png'}",
        f"--scale={scale}",
        f"--compare={tmp_path / 'page.html'}",
    )
    turned, found = read_image_file(tmp_path / "in.png"), read_image_file(tmp_path / "out.png")
    function = model.upscale if scale == 2 else model.enhance
    expected = function(visible_only(turned.pixels, turned.alpha))
    seen = ... if found.alpha is None else found.alpha > 0
    np.testing.assert_array_equal(found.pixels[seen], expected[seen])
    assert (
        found.pixels.shape == (scale * 55, scale * 41, pixels.shape[2])
        and found.pixels.dtype == pixels.dtype
    )
    assert (found.icc, found.dpi) == (photograph.icc, pytest.approx((300, 240), abs=0.01))
    check_exif(found.exif, width=scale * 41)
    if transparent:
        kept = found.alpha if scale == 1 else found.alpha.reshape(55, 2, 41, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(
            kept, turned.alpha, atol=0 if scale == 1 else np.ptp(turned.alpha) / 4
        )
    assert (tmp_path / "page.html").stat().st_size > 10000


def test_strength(run, model, tmp_path):
    photo().save(tmp_path / "in.png")
    pixels = np.asarray(photo())
    run(tmp_path / "in.png", f"--output={tmp_path / 'none.png'}", "--strength=0")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "none.png")), pixels)
    run(tmp_path / "in.png", f"--output={tmp_path / 'half.png'}", "--strength=0.5", "--tile=64")
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "half.png")), model.enhance(pixels, 0.5)
    )


@pytest.fixture
def tree(tmp_path):
    folder = tmp_path / "photos"
    (folder / "below" / "it").mkdir(parents=True)
    photo(0).save(folder / "a.png")
    photo(1, 50, 70).save(folder / "below" / "b.JPG")
    photo(2).convert("L").save(folder / "below" / "it" / "c.tiff")
    (folder / "notes.txt").write_text("passed over")
    return folder


def test_a_folder_keeps_its_tree_and_a_second_run_does_nothing(run, tree, tmp_path):
    output = tmp_path / "better"
    before = state(tree)
    out, err = run(tree, f"--output={output}")
    assert "enhanced 3 of 3 images" in out and "error" not in err
    assert sorted(p.relative_to(output).as_posix() for p in output.rglob("*.*")) == [
        "a.png",
        "below/b.JPG",
        "below/it/c.tiff",
    ]
    assert Image.open(output / "below" / "it" / "c.tiff").mode == "L"
    assert Image.open(output / "below" / "b.JPG").format == "JPEG"
    made = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    out, err = run(tree, f"--output={output}")
    assert "already there: 3 of 3 images" in out and "enhanced" not in out and not err
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == made and state(
        tree
    ) == before
    (output / "a.png").unlink()
    out, _ = run(tree, f"--output={output}")
    assert "enhanced 1 of 1 images" in out and "already there: 2 of 3" in out
    assert "enhanced 3 of 3" in run(tree, f"--output={output}", "--overwrite")[0]


def test_a_folder_into_itself_is_searched_without_what_was_made(run, tree):
    for expected in ("enhanced 3 of 3", "already there: 3 of 3"):
        assert expected in run(tree, f"--output={tree / 'better'}")[0]
    assert not (tree / "better" / "better").exists()


def test_several_images_and_a_folder_that_is_there(run, tree, tmp_path):
    run(tree / "a.png", tree / "below" / "b.JPG", f"--output={tmp_path / 'new'}")
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["a.png", "b.JPG"]
    run(tree / "below" / "it" / "c.tiff", f"--output={tmp_path / 'new'}")
    assert (tmp_path / "new" / "c.tiff").exists()
    run(tree / "a.png", f"--output={tmp_path / 'other'}/")
    assert (tmp_path / "other" / "a.png").exists()


def test_images_are_written_over_only_if_asked(run, model, tree, model_file):
    before = state(tree)
    for arguments in (
        (tree, f"--output={tree}"),
        (tree / "a.png", f"--output={tree}"),
        (tree / "a.png", f"--output={tree / 'below' / '..' / 'a.png'}"),
    ):
        assert (
            "a.png: is one of the images" in refused(f"--model={model_file}", *arguments)
            and state(tree) == before
        )
    run(tree, f"--output={tree}", "--overwrite")
    np.testing.assert_array_equal(
        np.asarray(Image.open(tree / "a.png")), model.enhance(np.asarray(photo(0)))
    )


def test_two_images_for_one_file(tree, tmp_path, model_file):
    photo(5).save(tree / "below" / "a.png")
    line = refused(
        f"--model={model_file}",
        tree / "a.png",
        tree / "below" / "a.png",
        f"--output={tmp_path / 'out'}",
    )
    assert f"{tree / 'a.png'} and {tree / 'below' / 'a.png'} would both become" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "name images, videos or folders"),
        (["{}/nowhere", "--output={}/x"], "nowhere: no such file or folder"),
        (["{}/a.png", "--output={}/x.gif"], "x.gif: cannot tell the format; end it in .png"),
        (["{}/a.png", "--output={}/x"], "x: cannot tell the format"),
        (
            ["{}/unknown.dat", "--output={}/x.png"],
            "unknown.dat: is not a PNG, JPEG, WebP, TIFF, BMP, AVIF, GIF, JPEG XL or HEIC image;",
        ),
        (["{}", "--output={}/x.png"], "x.png: is a file; name a folder"),
        (
            ["{}/a.png", f"--output={{}}/{'x' * 252}.png"],
            "has 256 bytes, and file systems take 255",
        ),
        (["{}", "--output={}/notes.txt"], "notes.txt: is a file; name a folder"),
        (
            ["{}/a.png", "--output={}/x.png", "--strength=1.6"],
            "--strength=1.6: must be from 0 to 1.5",
        ),
        (["{}/a.png", "--output={}/x.png", "--strength=nan"], "--strength=nan: must be"),
        (
            ["{}/a.png", "--output={}/x.png", "--tile=many"],
            "--tile=many: must be auto or a number from 64 to 8192",
        ),
        (["{}/a.png", "--output={}/x.png", "--tile=8"], "--tile=8: must be"),
        (
            ["{}/a.png", "--output={}/x.png", "--model=residual99"],
            "--model=residual99: no such file or directory, and",
        ),
        (["{}/a.png", "--output={}/x.png", "--model={}"], "has no final.keras"),
        (
            ["{}/a.png", "--output={}/x.png", "--model={}/notes.txt"],
            "notes.txt: is not a network of this package",
        ),
        (
            ["{}/a.png", "--output={}/x.png", "--compare={}/a.png"],
            "a.png: name a file that ends in .html",
        ),
        (["{}/a.png", "--output={}/x.png", "--compare={}/no/a.html"], "there is no folder"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(tree, model_file, arguments, reason):
    (tree / "unknown.dat").write_bytes(b"nothing of the kind")
    before = state(tree)
    given = [argument.replace("{}", str(tree)) for argument in arguments]
    line = refused(
        *([] if any("--model" in argument for argument in given) else [f"--model={model_file}"]),
        *given,
    )
    assert reason in line and state(tree) == before


def test_other_images_are_not_taken_for_videos(run, tree, tmp_path):
    image = Image.open(tree / "a.png").convert("RGB")
    image.save(tree / "photo.ppm")
    for name, reason in (("photo.ppm", "is not a PNG"),):
        for output in (tmp_path / "x.png", tmp_path):
            _, err = run(tree / name, f"--output={output}", code=1)
            assert (
                err.strip().splitlines()[-1].startswith(f"error: {tree / name}: ") and reason in err
            )
    assert not (tmp_path / "x.png").exists() and not list(tmp_path.glob("*.mkv"))


def test_a_folder_without_images(run, tmp_path):
    (tmp_path / "empty").mkdir()
    out, err = run(tmp_path / "empty", f"--output={tmp_path / 'out'}", code=1)
    assert err.startswith(f"error: {tmp_path / 'empty'}: holds no images") and not out


def test_large_images_are_alone_in_memory(run, model, tree, tmp_path, monkeypatch):
    """The same files come out when nothing is read or written beside the network."""
    from rts_tf.enhance import images as enhancing

    run(tree, f"--output={tmp_path / 'one'}")
    monkeypatch.setattr(enhancing, "OVERLAPPED", 64 * 64 - 1)
    run(tree, f"--output={tmp_path / 'two'}")
    files = [
        {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    ]
    assert files[0] == files[1] and len(files[0]) == 3 and LARGEST > enhancing.OVERLAPPED


@pytest.mark.parametrize("scale", [1, 2])
def test_a_sprite_gets_no_fringe(tmp_path, scale):
    """Its hidden colours are black, and a constant stays within a level wherever it is seen."""
    y, x = np.mgrid[:48, :48]
    alpha = np.where(np.hypot(y - 24, x - 24) < 16, 255, 0).astype(np.uint8)
    pixels = np.where(alpha[..., None] > 0, (40, 160, 80), 0).astype(np.uint8)
    write_image_file(tmp_path / "in.png", ImageFile(pixels, alpha))
    output = tmp_path / "out.png"
    arguments = f"--output={output}", f"--scale={scale}", "--model=residual1"
    code, _, err = command(tmp_path / "in.png", *arguments)
    assert code == 0, err
    found = read_image_file(output)
    seen = found.alpha > 0
    assert np.abs(found.pixels[seen].astype(int) - (40, 160, 80)).max() <= 1
    assert (found.pixels[~seen] == 0).all() and (~seen).any()


def test_what_is_converted_or_left_out_is_one_line_each(run, tmp_path):
    image = ImageFile(SIXTEEN, exif=exif(artist="x" * 70000), dpi=(300.0, 300.0))
    write_image_file(tmp_path / "in.png", image)
    _, err = run(tmp_path / "in.png", f"--output={tmp_path / 'out.jpg'}", "--strength=0")
    out = tmp_path / "out.jpg"
    assert err.splitlines()[-2:] == [
        f"note: {out}: its 16 bits per sample became 8, the most that JPEG holds",
        f"note: {out}: JPEG has no room for these, which were left out: EXIF of 70 kB",
    ]
    assert Image.open(out).size == (55, 41)


def test_what_the_format_cannot_hold_is_refused_before_the_network(run, tmp_path, monkeypatch):
    from rts_tf.enhance import images as enhancing

    def never(*_):
        raise AssertionError("the network ran")

    write_image_file(tmp_path / "in.png", ImageFile(EIGHT, EIGHT[..., 0]))
    monkeypatch.setattr(enhancing, "enhanced", never)
    _, err = run(tmp_path / "in.png", f"--output={tmp_path / 'out.jpg'}", code=1)
    assert "out.jpg: is transparent in places, which JPEG cannot hold; name a .png" in err
    write_image_file(tmp_path / "wide.png", ImageFile(np.zeros((1, 9000, 3), np.uint8)))
    output = f"--output={tmp_path / 'out.webp'}"
    _, err = run(tmp_path / "wide.png", output, "--scale=2", code=1)
    assert "18000x2 is more than the 16383 pixels a side of WebP" in err
