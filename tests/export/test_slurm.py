"""The script of export/slurm, with stand-ins for the commands of Slurm."""

import os
import subprocess

from rts_tf.workers import Task, task_of
from tests.support.paths import ROOT

HOSTS = ("node1", "node2", "node3", "node4")
STAND_INS = {
    "scontrol": 'test "$*" = "show hostnames node[1-4]" && printf "%s\\n" ' + " ".join(HOSTS),
    # Slurm starts the command that follows its flags on every node.
    "srun": 'shift; for SLURM_PROCID in 0 1 2 3; do export SLURM_PROCID; "$@"; done',
    "rts": 'printf "%s\\n" "$TF_CONFIG" "$*"',
}


def test_each_process_is_the_worker_of_its_number(tmp_path):
    for name, text in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    activate = tmp_path / "rts_env" / "rts" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.write_text("")
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "rts_env"),
        "SLURM_JOB_NODELIST": "node[1-4]",
    }
    script = ROOT / "export" / "slurm" / "train.sh"
    ran = subprocess.run(
        ["bash", script], env=environment, capture_output=True, text=True, check=True
    )
    lines = ran.stdout.splitlines()
    addresses = tuple(f"{host}:2222" for host in HOSTS)
    assert [task_of({"TF_CONFIG": line}) for line in lines[::2]] == [
        Task(number, addresses) for number in range(len(HOSTS))
    ]
    assert all(line.startswith("train --preset=standard") for line in lines[1::2])
