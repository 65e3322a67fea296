"""Random videos, enhanced with strength 0: everything that they hold is accounted for.

``python -m tests.formats`` checks hundreds; these are some of them.
"""

import pytest

pytest.importorskip("av", reason="the extra 'video' is not installed")

from tests.formats.video_check import check_video, states_the_range  # noqa: E402
from tests.formats.video_contents import read_video  # noqa: E402
from tests.formats.video_maker import make_video  # noqa: E402
from tests.formats.video_plans import FOCI, OUTPUTS, video_plan  # noqa: E402

# A stride through all that a video can be about and all containers of the output, and those that
# once failed: a joint after three frames, sound that lasts otherwise in MOV, sound without lengths,
# and sound whose last packet lasts less than nothing
NUMBERS = [*(31 * i for i in range(14)), 8, 36, 41, 50]


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_is_lost_in_silence(number):
    outcome = check_video(number, seed=0)
    faults = [f"{kind}: {detail}" for kind, detail in outcome.faults]
    assert not faults, "\n".join([outcome.what, *faults, *outcome.lines])


def test_numbers_go_through_all_kinds_and_containers():
    plans = [video_plan(number, seed=0) for number in range(len(FOCI) * len(OUTPUTS))]
    assert {(plan.focus, plan.output) for plan in plans} == {
        (focus, output) for focus in FOCI for output in OUTPUTS
    }


def test_a_plan_makes_what_it_says(tmp_path):
    plan = next(
        plan
        for plan in (video_plan(number, seed=0) for number in range(450))
        if plan.suffix == ".mkv" and {"chapters", "font"} <= set(plan.extras) and plan.sounds
    )
    path = tmp_path / f"video{plan.suffix}"
    truth, found = make_video(plan, path), read_video(path)
    assert len(found.frames) == plan.count == len(truth.times)
    assert [track.language for track in found.of_kind("audio")] == [
        sound.language for sound in plan.sounds
    ]
    assert len(found.chapters) == 2 and found.of_kind("attachment")[0].name == "font.ttf"


@pytest.mark.parametrize(
    ("codec", "before", "after", "expected"),
    [
        ("hevc", (0, 2, 2, 2), (1, 2, 2, 2), True),
        ("h264", (0, 9, 9, 14), (1, 9, 9, 14), True),
        ("h264", (0, 2, 2, 2), (1, 2, 2, 2), False),
        ("ffv1", (0, 9, 9, 14), (1, 9, 9, 14), False),
        ("hevc", (0, 2, 2, 2), (2, 2, 2, 2), False),
        ("hevc", (0, 9, 9, 14), (1, 9, 9, 2), False),
    ],
)
def test_a_range_may_become_limited_only_where_it_must(codec, before, after, expected):
    assert states_the_range(before, after, codec) == expected
