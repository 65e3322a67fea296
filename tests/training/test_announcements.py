"""While LR is made, a line tells every ten seconds how much of it is left."""

from rts_tf.training import run


def test_the_time_left_is_told_every_ten_seconds(monkeypatch):
    clock, lines = iter([100.0, *(100.0 + 4 * i for i in range(1, 11))]), []
    monkeypatch.setattr(run.time, "monotonic", lambda: next(clock))
    on_image = run._announcer(10, lines.append)
    for _ in range(10):
        on_image()
    assert lines == [
        "LR of 3 of 10 images is made, about 28 s left",
        "LR of 6 of 10 images is made, about 16 s left",
        "LR of 9 of 10 images is made, about 4 s left",
    ]


def test_a_source_calls_back_after_each_image(small_photographs, tmp_path):
    from rts_tf.data.datasets import folder
    from rts_tf.data.degradation import Degradation
    from rts_tf.data.source_shards import build_source

    called = []
    degradation = Degradation("reduce", "box", 1, 1, 0)
    images = folder(small_photographs)
    build_source(
        tmp_path / "s", images, degradation, 16, 2, print, on_image=lambda: called.append(1)
    )
    assert len(called) == len(images.names)
