"""Where the tests find the checkout, the files recorded for them, and reference data beside the checkout."""

import pathlib

ROOT = pathlib.Path(__file__).parents[2]  # of the checkout
GOLDEN = ROOT / "tests" / "golden"  # recorded weights and outputs
SHARED = ROOT.parent / "shared"  # reference images and figures; not part of the project
