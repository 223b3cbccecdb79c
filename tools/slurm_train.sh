#!/usr/bin/env bash
# Train under SLURM, one task per GPU.
#   GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 tools/slurm_train.sh PARTITION JOB_NAME CONFIG [options of tools/train.py]
# SRUN_ARGS passes more to srun. A requeued job goes on where it was: --resume is always given.
set -euo pipefail
if [ "$#" -lt 3 ]; then
    sed -n '2,4p' "$0" >&2
    exit 2
fi
partition=$1
job_name=$2
config=$3
shift 3
gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
here=$(cd "$(dirname "$0")" && pwd)
nodes_head='export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n1)'
# shellcheck disable=SC2086  # SRUN_ARGS is a list
exec srun --partition="$partition" --job-name="$job_name" --gres="gpu:$gpus_per_node" \
    --ntasks="$gpus" --ntasks-per-node="$gpus_per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    bash -c "$nodes_head; exec \"\$@\"" slurm_train \
    "${PYTHON:-python}" -u "$here/train.py" "$config" --launcher slurm --resume auto "$@"
