"""Videos open no other files, and ask for no more than the limits."""

import struct

import numpy as np
import pytest
from PIL import Image

from rts_tf import limits
from rts_tf.errors import VideoError
from tests.support.image_files import EIGHT, saved

av = pytest.importorskip("av", reason="the extra 'video' is not installed")

from rts_tf.video import demuxers  # noqa: E402
from rts_tf.video.reader import VideoReader  # noqa: E402
from rts_tf.video.stills import stills  # noqa: E402
from tests.support.videos import make  # noqa: E402


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    return make(tmp_path_factory.mktemp("video") / "secret.mp4", count=5, size=(64, 48))


PLAYLISTS = {
    "concat.mp4": "ffconcat version 1.0\nfile '{}'\n",
    "hls.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{}\n#EXT-X-ENDLIST\n",
    "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    "<Period><AdaptationSet><Representation><BaseURL>{}</BaseURL></Representation>"
    "</AdaptationSet></Period></MPD>",
    "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={}\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    "text.mp4": ";FFMETADATA1\ntitle={}\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
def test_playlists_are_refused(name, video, tmp_path):
    path = tmp_path / name
    path.write_text(PLAYLISTS[name].format(video))
    for read in (VideoReader, lambda p: stills(str(p), 1)):
        with pytest.raises(VideoError, match=f"{name}: ") as raised:
            read(path)
        assert "\n" not in str(raised.value)


def test_no_demuxer_of_the_list_opens_other_files():
    """And each is one that some FFmpeg knows, by the name that the list is compared with."""
    harmful = {"concat", "hls", "dash", "sdp", "rtsp", "image2", "lavfi", "webm_dash_manifest"}
    names = {name for each in demuxers.DEMUXERS for name in each.split(",")}
    assert not names & harmful
    assert {"mov", "matroska", "avi", "mpegts"} <= names


@pytest.mark.parametrize("limit", ["STREAMS", "SECONDS", "FRAME", "PACKETS", "FILE_OF_VIDEO"])
def test_limits(limit, video, monkeypatch):
    with VideoReader(video) as reader:
        assert reader.survey().packets == 5
    monkeypatch.setattr(limits, limit, limits.Limit(0.01, f"so many {limit}"))
    reason = f"secret.mp4: has more than so many {limit}, the limit; lift the limits with `limits`"
    with pytest.raises(VideoError, match=reason), VideoReader(video) as reader:
        reader.survey()
    monkeypatch.setenv("RTS_LIMITS", "off")
    with VideoReader(video) as reader:
        assert reader.survey().packets == 5 and len(list(reader.frames())) == 5


def test_a_frame_that_is_larger_than_its_header_says(video, tmp_path, monkeypatch):
    """The decoder is given the limit as well."""
    contents = video.read_bytes()
    small = contents.replace(struct.pack(">HH", 64, 48), struct.pack(">HH", 8, 8))
    assert small != contents
    (tmp_path / "a.mp4").write_bytes(small)
    monkeypatch.setattr(limits, "FRAME", limits.Limit(200, "200 pixels"))
    with pytest.raises(VideoError, match="a.mp4: "), VideoReader(tmp_path / "a.mp4") as reader:
        list(reader.frames())


def test_animated_webp(tmp_path, monkeypatch):
    frames = [Image.fromarray(np.roll(EIGHT, i, 0)) for i in range(3)]
    path = tmp_path / "a.webp"
    path.write_bytes(saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=40))
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 3
    monkeypatch.setattr(limits, "ANIMATION", limits.Limit(2 * 41 * 55, "two frames"))
    with pytest.raises(VideoError, match="a.webp: has more than two frames, the limit"):
        VideoReader(path)
    canvas = path.read_bytes().index(b"VP8X") + 12
    contents = bytearray(path.read_bytes())
    contents[canvas : canvas + 6] = b"\xff\xff\xff" * 2
    path.write_bytes(contents)
    with pytest.raises(VideoError, match="a.webp: cannot be read as a video"):
        VideoReader(path)
