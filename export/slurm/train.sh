#!/bin/bash
# One worker on each of four nodes trains one network: sbatch train.sh
#
# What to fill in: the environment of Python, the images, and a directory that all nodes share.
#SBATCH --job-name=rts-train
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=24:00:00
# SIGTERM two minutes before the time is over: the state is saved, and --requeue continues it.
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu
. "$HOME/rts/bin/activate"

hosts=
for host in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
    hosts="$hosts,\"$host:2222\""
done
export HOSTS="${hosts#,}"

# SLURM_PROCID is the number of the process, so it is expanded in each of them.
# shellcheck disable=SC2016
exec srun --kill-on-bad-exit=1 bash -euc '
    task="{\"type\": \"worker\", \"index\": $SLURM_PROCID}"
    export TF_CONFIG="{\"cluster\": {\"worker\": [$HOSTS]}, \"task\": $task}"
    exec rts train --preset=standard --data="$HOME/images" --workdir="$HOME/run"
'
