"""An encoder of AV1 that root starts does not take the machine for itself."""

import os
import subprocess
import sys

import pytest

from rts_tf.video.scheduling import usual_scheduling
from tests.support.paths import ROOT

pytest.importorskip("av")

CLASSES = """
import os
def classes():
    threads = map(int, os.listdir("/proc/self/task"))
    return {os.sched_getscheduler(thread) for thread in threads} - {os.SCHED_OTHER}
"""
IN_TRAINING = """
import numpy as np
from rts_tf.data.codecs import video
video([np.zeros((64, 64, 3), np.uint8)], "av1", 30)
"""
IN_ENHANCEMENT = """
import pathlib, sys
from rts_tf.video.encoders import Coding
from rts_tf.video.reader import VideoReader
from rts_tf.video.trial import written_and_read
from tests.support.videos import make
video = make(pathlib.Path(sys.argv[1]) / "in.mp4", count=1)
with VideoReader(video) as reader:
    written_and_read(reader.info, Coding("av1", 30), "matroska")
"""


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="only Linux has these classes")
@pytest.mark.parametrize("work", [IN_TRAINING, IN_ENHANCEMENT])
def test_no_thread_stays_in_a_real_time_class(work, tmp_path):
    program = CLASSES + work + "print(classes())"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "set()", done.stdout + done.stderr


def test_who_is_in_such_a_class_stays_there(monkeypatch):
    """The class is what the process was given."""
    changed = []
    monkeypatch.setattr(os, "SCHED_OTHER", 0, raising=False)
    monkeypatch.setattr(os, "sched_getscheduler", lambda thread: 1, raising=False)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *given: changed.append(given), False)
    with usual_scheduling():
        pass
    assert not changed
