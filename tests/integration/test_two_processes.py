"""The sketch models in two processes: several passes through one network, nested outputs, pools."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import json, os, sys, torch
from noiseedit.config import load_config
from noiseedit.engine import build_runner
from noiseedit.engine.weights import unwrapped

name, folder, options = sys.argv[1:]
runner = build_runner(load_config(name, json.loads(options)))
runner.train()
with unwrapped(runner.model) as model:
    torch.save(model.state_dict(), f'{folder}/rank{os.environ["RANK"]}.pt')
"""
SHORT = {
    'train_cfg.max_iters': 2,
    'train_cfg.val_interval': 2,
    'train_dataloader.batch_size': 1,
    '+launcher': 'pytorch',
}
MODELS = {
    'sketch_transformer/sketch_transformer_small_sketch-toy_gaussian-v0.08.py': {
        'model.discriminator.num_scales': 2,
        'model.gan_loss.type': 'HingeGANLoss',
        'model.feature_matching': {'type': 'FeatureMatchingLoss'},
        'model.generator.spade_levels': [3, 2],
    },
    'cyclegan/cyclegan_resnet_toy-pencil_gaussian-v0.08.py': {
        'model.generator.width': 4,
        'model.pool_size': 1,
        'model.identity': {'_delete_': True, 'type': 'L1Loss'},
    },
}


def free_port():
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        return str(free.getsockname()[1])


@pytest.mark.slow
@pytest.mark.parametrize('name', MODELS)
def test_ranks_end_with_equal_weights(name, tmp_path):
    script = tmp_path / 'train.py'
    script.write_text(SCRIPT)
    options = json.dumps({**MODELS[name], **SHORT, '+work_dir': str(tmp_path / 'work')})
    launch = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node', '2']
    run = subprocess.run(
        [*launch, '--master_port', free_port(), str(script), name, str(tmp_path), options],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    first, second = (torch.load(tmp_path / f'rank{rank}.pt') for rank in (0, 1))
    weights = [key for key in first if not key.endswith(('running_mean', 'running_var'))]
    assert len(weights) > 20
    assert [key for key in weights if not torch.equal(first[key], second[key])] == []
    assert all(bool(torch.isfinite(first[key]).all()) for key in weights)
