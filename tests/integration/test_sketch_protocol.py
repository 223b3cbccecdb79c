"""From photographs and sketches to a sweep: trained, tested and saved through the protocol."""

import json

import numpy as np
import pytest
from mmengine.config import Config

from noiseedit.config import load_config, shipped_root
from noiseedit.engine import build_runner
from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.evaluation.setup import for_sweep, for_testing
from noiseedit.imaging import read_image, write_image

SIZE = (250, 200)
SWEEP = {'noises': [{'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'levels': [50]}]}


@pytest.fixture
def faces(tmp_path):
    """Six grey gradients as photographs, their negatives as sketches."""
    ramp = np.linspace(0, 255, SIZE[0])[:, None, None].astype(np.uint8)
    for number in range(6):
        image = np.broadcast_to(np.roll(ramp, 30 * number, axis=0), (*SIZE, 3))
        write_image(tmp_path / f'data/mine/photo/{number}.png', image)
        write_image(tmp_path / f'data/mine/sketch/{number}.png', 255 - image)
    return tmp_path / 'data'


@pytest.fixture
def config(faces, tmp_path):
    """The toy recipe of pix2pix on the data set of CUFS, cut down to six pairs and two steps."""
    config = load_config('pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py')
    data = Config.fromfile(str(shipped_root() / '_base_/datasets/cufs_photo2sketch.py'))
    own = {'type': 'FaceSketches', 'data_root': str(faces), 'databases': {'mine': (4, 2)}}
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader] = data[loader]
        config[loader].dataset.update(own, cache=None)
        config[loader].update(num_workers=0, persistent_workers=False)
    config.train_dataloader.batch_size = 2
    config.model.generator.update(num_blocks=1, width=4)
    config.model.discriminator.width = 4
    config.train_cfg.update(max_iters=2, val_interval=2)
    config.default_hooks.checkpoint.interval = 2
    config.param_scheduler = None
    config.work_dir = str(tmp_path / 'work')
    return config


def test_train_sweep_and_save(config, tmp_path):
    build_runner(config).train()
    checkpoint = next((tmp_path / 'work').glob('iter_2*.pth'))
    config = for_sweep(for_testing(config, str(checkpoint)), SWEEP, str(tmp_path / 'saved'))
    runner = build_runner(config)
    runner.test()
    saved = sorted((tmp_path / 'saved').rglob('*.png'))
    assert len(saved) == 4
    assert {read_image(file).shape for file in saved} == {(*SIZE, 3)}
    facts = json.loads((tmp_path / 'work/sweep.json').read_text())['dataset']
    assert facts['identity_list'] == 'noiseedit-v1'
    assert facts['identity_list_sha256'] == runner.test_dataloader.dataset.identities.sha256
    assert facts['databases'] == {'mine': 2}
    trained_on = load_checkpoint(checkpoint)['meta']['dataset_meta']
    assert trained_on['identity_list_sha256'] == facts['identity_list_sha256']
    assert trained_on['databases'] == {'mine': 4}
