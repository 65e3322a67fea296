"""Random images, enhanced with strength 0: everything that they hold is accounted for.

``python -m tests.formats`` checks thousands; these are some of them, and some that change.
"""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.formats.image_check import check_image
from tests.formats.image_plans import FAMILIES, KINDS, OUTPUTS, image_plan

# A stride through all kinds of files and all formats of the output
NUMBERS = range(0, 13 * 130, 13)
PARTS = 10


def faults_of(number: int, seed: int) -> list[str]:
    outcome = check_image(number, seed)
    return [f"{outcome.what}: {kind}: {detail}" for kind, detail in outcome.faults]


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_is_lost_in_silence(part):
    faults = [fault for number in NUMBERS[part::PARTS] for fault in faults_of(number, seed=1)]
    assert not faults, "\n".join(faults)


@settings(
    max_examples=20,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.integers(0, 2**32), st.integers(0, 2**32))
def test_nothing_is_lost_from_any_image(number, seed):
    assert not faults_of(number, seed)


def test_numbers_go_through_all_kinds_and_formats():
    plans = [image_plan(number, seed=0) for number in range(len(KINDS) * len(OUTPUTS))]
    assert {(plan.family, plan.kind, plan.output) for plan in plans} == {
        (family, kind, output)
        for family, each in FAMILIES.items()
        for kind in each.kinds
        for output in OUTPUTS
    }


def test_plans_are_those_of_their_numbers():
    assert image_plan(137, seed=5) == image_plan(137, seed=5)
    assert image_plan(137, seed=5) != image_plan(137, seed=6)
