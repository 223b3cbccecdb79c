"""Denoisers trained on generated noise: the shipped recipes, made small, from end to end."""

import numpy as np
import pytest
import torch

from noiseedit.config import load_config
from noiseedit.engine import build_runner
from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.errors import MissingWeightsError
from noiseedit.imaging import write_image
from noiseedit.models.noise_transfer import ContraE, VUNet

PHONES = ('0001_001_S6_00100_00060_3200_L', '0002_001_S6_00100_00020_3200_N')
FOLDERS = ('DIV2K', 'BSDS500', 'CBSD432', 'CBSD68', 'noisy')
RECIPES = {
    'synthetic': ('TransferredNoise(OneOf', {'noise.train.checkpoint': ''}),
    'folder': ('TransferredNoise(', {'noise.train.checkpoint': '', 'noise.test.checkpoint': ''}),
    'sidd': ('', {'scheme.checkpoint': ''}),
}


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with a little of every set, and a noise generator with random weights."""
    root = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = {'generator': VUNet(4), 'encoder': ContraE(4)}
    weights = {f'{p}.{n}': t for p, net in parts.items() for n, t in net.state_dict().items()}
    save_checkpoint({'state_dict': weights}, root / 'transfer.pth')
    files = [root / folder / f'{number}.png' for folder in FOLDERS for number in (1, 2)]
    for scene in PHONES:
        files += [
            root / 'sidd' / 'Data' / scene / f'{scene[:4]}_{kind}_SRGB_010.PNG'
            for kind in ('NOISY', 'GT')
        ]
    for file in files:
        write_image(file, rng.integers(0, 256, (48, 48, 3), dtype=np.uint8))
    return root


def place(dataset, data):
    """Point a data set, or the one inside it, at the little one."""
    inner = dataset.get('dataset', dataset)
    inner.cache = None
    name = inner.data_root.split('/', 1)[1]
    if name.startswith('SIDD'):
        inner.update(layout='sidd_medium', check_count=False, data_root=str(data / 'sidd'))
    elif inner.type == 'StandardSet':
        inner.pop('layout')
        inner.update(type='CleanFolder', data_root=str(data / name))
    else:
        inner.data_root = str(data / name)
    for step in inner.get('pipeline', []):
        step.update({'size': 40} if 'size' in step else {})


def tiny(kind, data, folder):
    overrides = dict.fromkeys(RECIPES[kind][1], str(data / 'transfer.pth'))
    if kind == 'folder':
        for mode in ('train', 'test'):
            overrides |= {f'noise.{mode}.reference': str(data / 'noisy'), f'noise.{mode}.crop': 16}
            overrides |= {f'noise.{mode}.cache': None}
    config = load_config(f'ridnet/ridnet_g_transferred-{kind}.py', overrides)
    config.model.generator.width = 16
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.update(batch_size=2, num_workers=0, persistent_workers=False)
        place(loader.dataset, data)
    config.train_cfg.update(max_iters=2, val_interval=2)
    config.default_hooks.checkpoint = None
    config.default_hooks.pop('progress')
    config.visualizer = {'type': 'Visualizer', 'vis_backends': []}
    config.work_dir, config.experiment_name = str(folder / 'work'), folder.name
    return config


@pytest.mark.parametrize('mode', ['train', 'test'])
def test_a_missing_generator_is_named_before_training(mode, data, tmp_path):
    config = tiny('folder', data, tmp_path)
    config.model.data_preprocessor.noise[mode].checkpoint = 'none.pth'
    runner = build_runner(config)
    with pytest.raises(MissingWeightsError, match=r'none\.pth: no such checkpoint'):
        runner.train()
    assert runner.iter == 0


def test_a_test_needs_no_generator_of_the_training_noise(data, tmp_path):
    config = tiny('folder', data, tmp_path)
    config.model.data_preprocessor.noise.train.checkpoint = 'none.pth'
    assert any(name.startswith('PSNR') for name in build_runner(config).test())


@pytest.mark.parametrize('kind', RECIPES)
def test_the_shipped_recipes_train_and_validate(kind, data, tmp_path):
    runner = build_runner(tiny(kind, data, tmp_path))
    seen = []
    runner.model.generator.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape))
    runner.train()
    assert runner.iter == 2
    assert seen[0] == (2, 3, 32, 32)  # 40 pixels less a border of 4
    assert any(key.startswith('val/PSNR') for key in runner.message_hub.log_scalars)
    assert not any('transfer' in name or 'encoder' in name for name in runner.model.state_dict())
    noise = runner.model.data_preprocessor.noises.get('train')
    assert (noise.name if noise else '').startswith(RECIPES[kind][0].rstrip('('))
