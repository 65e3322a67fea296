"""The summary of a run on systems that do not report everything."""

import json
import math

from rts_tf.storage import write_json
from rts_tf.training import summary


def test_memory_that_the_system_does_not_report_is_null_on_disk(tmp_path):
    assert summary._rounded(1234.5678) == 1235
    memory = summary._rounded(math.nan)
    write_json(tmp_path / "summary.json", {"peak_memory_mb": memory})
    assert json.loads((tmp_path / "summary.json").read_text()) == {"peak_memory_mb": None}
