"""A hook that runs the files first that take longest, so that no process is alone at the end.

pytest-xdist hands out files in the order of collection (``--no-loadscope-reorder``).
"""

LONGEST_FIRST = (
    *("test_inference", "test_recurrence", "test_phase_a", "test_export", "test_viqet_golden"),
    *("test_platforms", "test_notebook", "test_viqet", "test_startup", "test_network_runs"),
    *("test_crash", "test_evaluate", "test_coded", "test_damaged_run", "test_public_api"),
    *("test_pretrained", "test_perceptual", "test_no_skips", "test_mos_validation"),
    *("test_tflite", "test_eight_stages", "test_table3", "test_settop"),
)
_RANK = {name: rank for rank, name in enumerate(LONGEST_FIRST)}


def pytest_collection_modifyitems(items) -> None:
    """Called with all tests, in the order of their files."""
    items.sort(key=lambda item: _RANK.get(item.path.stem, len(_RANK)))
