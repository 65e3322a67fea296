"""A video in spans equals the same video in one go, in whatever order the spans are made."""

import pytest

pytest.importorskip("av", reason="needs the extra 'video'")

from rts_tf.enhance import video_spans  # noqa: E402
from rts_tf.enhance.coding import Settings  # noqa: E402
from rts_tf.enhance.targets import Job, root_of  # noqa: E402
from rts_tf.enhance.video import enhance_video  # noqa: E402
from rts_tf.errors import VideoError  # noqa: E402
from tests.support.enhance_command import model, model_file  # noqa: E402, F401
from tests.support.videos import make  # noqa: E402


class Silent:
    """A progress that nobody sees."""

    def say(self, line):
        pass

    def skip(self, phase, work):
        pass

    def advance(self, phase, work, text, count, unit):
        pass


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """106 frames, which are three segments, with sound and a variable frame rate."""
    return make(
        tmp_path_factory.mktemp("source") / "clip.mp4",
        count=106,
        size=(64, 48),
        audio="aac",
        variable=True,
    )


@pytest.fixture
def spans(source, model, tmp_path):  # noqa: F811
    """A job, its spans, and the arguments of what is done with them."""
    job = Job(str(source), tmp_path / "out.mp4", "clip.mp4", video=True)
    root_of(job.target).mkdir()
    context = job, lambda info, precision: model, Settings()
    return job, video_spans.divide(*context), context


def test_spans_in_any_order_make_the_same_video(spans, source, model, tmp_path):  # noqa: F811
    job, parts, context = spans
    assert [(part.first, part.stop) for part in parts] == [(0, 1), (1, 2), (2, None)]
    made = {k: video_spans.make(*context, parts[k]) for k in (2, 0)}
    with pytest.raises(VideoError, match="its segment 1 is missing or damaged; run the command"):
        video_spans.finish(*context, parts[0], [made[0], made[0], made[2]])
    assert not job.target.exists()
    made[1] = video_spans.make(*context, parts[1])
    assert [made[k].frames for k in range(3)] == [48, 96, 106]
    assert made[1].megapixels == pytest.approx(48 * 64 * 48 / 1e6)
    lines = video_spans.finish(*context, parts[0], [made[k] for k in range(3)])

    whole = job._replace(target=tmp_path / "whole.mp4")
    expected = enhance_video(whole, *context[1:], Silent(), "")
    assert job.target.read_bytes() == whole.target.read_bytes() and lines == expected


def test_segments_that_are_there_are_kept(spans):
    _, parts, context = spans
    first = video_spans.make(*context, parts[0])
    segment = root_of(context[0].target) / "00000.nut"
    before = segment.stat().st_mtime_ns
    assert video_spans.make(*context, parts[0]) == first._replace(megapixels=0.0)
    assert segment.stat().st_mtime_ns == before


def test_long_videos_have_few_spans(spans, monkeypatch):
    monkeypatch.setattr(video_spans, "MOST", 2)
    parts = video_spans.divide(*spans[2])
    assert [(part.first, part.stop) for part in parts] == [(0, 2), (2, None)]


def test_a_worker_that_differs_is_refused(spans, monkeypatch):
    _, parts, context = spans
    monkeypatch.setattr("tensorflow.__version__", "1.0")
    for call in (
        lambda: video_spans.make(*context, parts[0]),
        lambda: video_spans.finish(*context, parts[0], []),
    ):
        with pytest.raises(VideoError, match=r"a worker differs .* \(tensorflow\)"):
            call()
