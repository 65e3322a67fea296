"""Jobs in Beam: what comes back, what fails, and what stops."""

import os
import threading

import pytest

from rts_tf.errors import Interrupted, RtsError
from tests.support.beam_work import Squares, needs_beam

pytestmark = needs_beam
HERE = "--direct_running_mode=in_memory"  # in this process, which starts no other


@pytest.fixture
def run(tmp_path):
    """Do items; what was done, in order."""
    from rts_tf.beam.options import parsed
    from rts_tf.beam.run import results

    def run(items, beam_args=HERE, **options):
        done = results(Squares(tmp_path), items, parsed(beam_args), **options)
        return sorted(done, key=lambda each: (each.number, each.is_part))

    return run


def test_items_and_parts_are_done_in_processes_and_a_bad_one_is_no_end(run, tmp_path):
    items = [1, 2, "bad", [3, 4, 5], *range(6, 30)]
    done = run(items, "--direct_num_workers=2", in_parts=True)
    whole = [each for each in done if not each.is_part]
    assert [each.number for each in whole] == list(range(len(items)))
    assert whole[2].result == {"failed": "bad: ValueError"}
    assert whole[3].result == {"sum": 9 + 16 + 25}
    squares = [each.result for each in whole if "square" in each.result]
    assert [each["square"] for each in squares] == [i**2 for i in items if isinstance(i, int)]
    assert len([each for each in done if each.is_part]) == 3
    processes = {str(each["process"]) for each in squares}
    assert len(processes) == 2 and str(os.getpid()) not in processes
    assert processes == {path.name for path in tmp_path.iterdir()}


def test_a_lost_worker_ends_the_job_with_one_line(run, capfd):
    with pytest.raises(RtsError, match=r"a worker process was lost .*-9.*run the command again"):
        run(["lost"], "--direct_num_workers=1")
    assert capfd.readouterr().err == ""
    assert threading.excepthook.__module__ != "rts_tf.beam.run"


def test_a_full_disk_ends_the_job(run):
    with pytest.raises(RtsError, match="^the disk is full$"):
        run(["full", *range(9)])


def test_a_job_that_is_stopped_begins_nothing_more(run, tmp_path):
    def stop():
        if any(tmp_path.iterdir()):
            raise Interrupted("stopped")

    threads = set(threading.enumerate())  # Beam's own wait for ever for a worker that was lost
    before = set(os.listdir(os.environ.get("TMPDIR", "/tmp")))
    with pytest.raises(Interrupted):
        run(list(range(1000)), while_waiting=stop)
    assert {thread for thread in threading.enumerate() if thread.name == "beam"} <= threads
    left = set(os.listdir(os.environ.get("TMPDIR", "/tmp"))) - before
    assert not [name for name in left if name.startswith("rts-beam-")]


def test_results_pass_through_the_folder_that_was_named_and_leave_nothing(run, tmp_path):
    folder = tmp_path / "handed over"
    folder.mkdir()
    done = run([3], f"{HERE} --temp_location='{folder}'")
    assert done[0].result["square"] == 9 and not any(folder.iterdir())


def test_workers_get_their_share_of_the_cores_unless_the_user_set_it(monkeypatch):
    from rts_tf.beam import run as module

    monkeypatch.setattr(module, "cores", lambda: 9)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    with module._share_of_threads(2):
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == "4"
        assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ
    with module._share_of_threads(0):
        assert "TF_NUM_INTRAOP_THREADS" not in os.environ
