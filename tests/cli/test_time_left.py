"""The time left does not jump where a phase changes, and comes to be right."""

import math

import pytest

from rts_tf.cli.time_left import TimeLeft

WORK = {"Phase A": 1518.0, "Phase B": 1608.0, "VIQET": 6000.0}
TRIED = {"Phase B": 0.0085, "VIQET": 0.0085}
# A training of three stages on two busy cores: phase, work, seconds. The first step of each stage,
# and the first image after it, take long since TensorFlow traces its functions.
STAGE_1 = [
    ("Phase A", 126.5, 4.66),
    *(("Phase A", 126.5, seconds) for seconds in (0.6, 0.44, 0.44, 0.5, 0.83)),
    ("Phase B", 60.0, 2.49),
    ("Phase B", 30.9, 0.3),
    ("VIQET", 2100.0, 28.96),
    ("VIQET", 2100.0, 7.4),
    ("VIQET", 300.0, 3.94),
    ("VIQET", 300.0, 0.82),
]
TARGETS = [
    ("Phase B", work, seconds)
    for work, seconds in zip(
        (54.9, 62.4, 84.6, 199.5, 60.0, 60.0, 60.0, 60.0, 26.5),
        (0.62, 0.65, 0.79, 3.85, 0.4, 1.27, 0.84, 1.0, 0.31),
        strict=True,
    )
]
LATER_STAGE = [
    *TARGETS,
    ("Phase A", 126.5, 3.6),
    ("Phase A", 126.5, 0.51),
    ("Phase A", 126.5, 0.99),
    ("Phase B", 60.0, 0.96),
    ("Phase B", 30.9, 0.13),
    ("VIQET", 300.0, 6.9),
    ("VIQET", 300.0, 2.57),
]
RECORDED = [*STAGE_1, *LATER_STAGE, *LATER_STAGE]


def steps(phase: str, count: int, seconds: float, first: float = 0.0) -> list[tuple]:
    """Equal steps of one unit of work; the first one takes ``first`` seconds more."""
    times = [seconds + first, *[seconds] * (count - 1)]
    return [(phase, 1.0, each) for each in times]


def shown(work: dict, trace: list[tuple], tried: dict) -> list[tuple[str, float, float, float]]:
    """Play a trace: for each step its phase, what was shown before and after it, and the truth."""
    left, now, found = TimeLeft(work), 1000.0, []
    for phase, pace in tried.items():
        left.expect(phase, pace)
    end = now + sum(seconds for *_, seconds in trace)
    for phase, amount, seconds in trace:
        now += seconds
        before = left.shown(now)
        left.add(phase, amount, seconds)
        left.update(now)
        found.append((phase, before, left.shown(now), end - now))
    return found


TRACES = {
    "recorded": (WORK, RECORDED, TRIED),
    "recorded, without a trial": (WORK, RECORDED, {}),
    "B is 20 times as slow as A": (
        {"A": 200, "B": 100},
        [*steps("A", 200, 0.1, first=8), *steps("B", 100, 2.0, first=3)],
        {"B": 1.8},
    ),
    "B is 20 times as slow, which nobody tried": (
        {"A": 200, "B": 100},
        [*steps("A", 200, 0.1, first=8), *steps("B", 100, 2.0, first=3)],
        {},
    ),
    "videos after images": (
        {"images": 40, "videos": 900},
        [*steps("images", 40, 0.7, first=4), *steps("videos", 900, 0.05, first=5)],
        {},
    ),
    "an export in steps of many sizes": (
        {"export": 60},
        [("export", work, seconds) for work, seconds in ((8, 12), (5, 4), (5, 9), (12, 40))]
        + [("export", 5.0, 5.0)] * 6,
        {},
    ),
}


@pytest.mark.parametrize("name", TRACES)
def test_it_never_jumps_by_more_than_a_third(name):
    """Nor anywhere else, but for three seconds that nobody minds."""
    known = 0
    for _, before, after, _ in shown(*TRACES[name]):
        if not math.isnan(before):
            known += 1
            assert abs(after - before) <= max(before / 3, 3.0) + 1e-9
    assert known > 5


@pytest.mark.parametrize("name", ["recorded", "B is 20 times as slow as A"])
def test_a_trial_makes_it_right_before_the_phase_begins(name):
    work, trace, tried = TRACES[name]
    first = trace[0][0]
    of_first = [
        (now, truth) for phase, _, now, truth in shown(work, trace[:200], tried) if phase == first
    ]
    *_, (now, _) = of_first[:6]
    truth = sum(seconds for *_, seconds in trace[6:])
    assert now == pytest.approx(truth, rel=1 / 3)


@pytest.mark.parametrize(
    "name", ["B is 20 times as slow, which nobody tried", "videos after images"]
)
def test_it_comes_to_be_right_after_the_change(name):
    found = shown(*TRACES[name])
    last = found[-1][0]
    of_last = [(now, truth) for phase, _, now, truth in found if phase == last]
    for now, truth in of_last[len(of_last) // 2 :]:
        assert now == pytest.approx(truth, rel=0.25, abs=2)


def test_it_ends_at_nothing():
    *_, (_, _, now, _) = shown(*TRACES["recorded"])
    assert now < 2


def test_what_is_traced_at_first_counts_little():
    left = TimeLeft({"A": 100.0})
    for seconds in (20.0, 1.0, 1.0, 1.0, 1.0, 1.0):
        left.add("A", 1, seconds)
    assert left.estimate() == pytest.approx(94, rel=0.25)


def test_results_that_come_in_groups_count_together():
    """Four threads end at about the same time: one result takes long, and three nothing."""
    left = TimeLeft({"VIQET": 40.0})
    for seconds in (8.0, 0.01, 0.01, 0.01) * 5:
        left.add("VIQET", 1, seconds)
    assert left.estimate() == pytest.approx(40, rel=0.2)


def test_it_runs_down_between_steps_and_waits_for_a_late_one():
    left = TimeLeft({"A": 100.0})
    for second in range(1, 5):
        left.add("A", 1, 1.0)
        left.update(float(second))
    assert left.shown(4.0) == pytest.approx(96)
    assert left.shown(14.0) == pytest.approx(86)
    assert left.shown(400.0) == pytest.approx(32)


def test_nothing_is_shown_before_there_is_a_speed():
    left = TimeLeft({"A": 100.0})
    left.add("A", 1, 30.0)
    left.update(30.0)
    assert math.isnan(left.shown(30.0))
