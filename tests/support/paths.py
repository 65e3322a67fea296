"""Where the tests find the checkout, recorded files, and the reference data beside the checkout."""

import pathlib

ROOT = pathlib.Path(__file__).parents[2]  # of the checkout
GOLDEN = ROOT / "tests" / "golden"  # recorded weights and outputs
SHARED = ROOT.parent / "shared"  # reference images and figures, no part of the project
