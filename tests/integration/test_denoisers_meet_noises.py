"""Every denoiser on every source of noise: composed of one base each, built, trained, tested."""

import numpy as np
import pytest

from noiseedit.config import load_config, shipped_root
from noiseedit.engine import build_runner
from noiseedit.imaging import write_image

BASES = shipped_root() / '_base_'
DENOISERS = {
    'dncnn_gray': {'depth': 4, 'width': 8},
    'dncnn_color': {'depth': 4, 'width': 8},
    'ffdnet_gray': {'depth': 4, 'width': 8},
    'ffdnet_color': {'depth': 4, 'width': 8},
    'ridnet': {'width': 16},
    'nafnet': {'width': 4, 'encoder': [1, 1], 'middle': 1, 'decoder': [1, 1]},
}
NOISES = (
    'awgn25',
    'awgn_blind0-55',
    'awgn_blind0-75',
    'poisson30',
    'poisson_gaussian30_5',
    'poisson_gaussian_blind',
    'gaussian_poisson_blind',
    'transferred_synthetic',
    'transferred_folder',
)
GENERATED = ('transferred_synthetic', 'transferred_folder')
REAL = ('sidd', 'cc15', 'paired_folder')
CAMERAS = ('5dmark3_iso3200_1', 'd600_iso3200_1', 'd800_iso1600_2')
PHONE = '0001_001_S6_00100_00060_3200_L'


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder that holds a little of every set, noisy and clean."""
    root = tmp_path_factory.mktemp('data')
    rng = np.random.default_rng(0)
    ramp = np.linspace(40, 200, 48)[:, None, None] + np.zeros((48, 64, 3))

    def pair(noisy, clean):
        for path, sigma in ((noisy, 12), (clean, 0)):
            image = np.clip(np.rint(ramp + rng.normal(0, sigma, ramp.shape)), 0, 255)
            write_image(root / path, image.astype(np.uint8))

    for name in CAMERAS:
        pair(f'cc15/{name}_real.png', f'cc15/{name}_mean.png')
    scene = f'sidd/Data/{PHONE}/{PHONE[:4]}'
    pair(f'{scene}_NOISY_SRGB_010.PNG', f'{scene}_GT_SRGB_010.PNG')
    for name in ('a.png', 'b.png'):
        pair(f'paired/noisy/{name}', f'paired/clean/{name}')
    return root


def placed(source, data):
    """Return the settings of a data set that point it at the little one."""
    if source == 'paired_folder':
        return {
            'source_root': str(data / 'paired/noisy'),
            'target_root': str(data / 'paired/clean'),
        }
    if source in REAL:
        return {'data_root': str(data / source), 'check_count': False, 'layout': LAYOUTS[source]}
    return {'data_root': str(data / 'paired/clean')}


LAYOUTS = {'sidd': 'sidd_medium', 'cc15': 'cc15'}


def bases(denoiser, source):
    grey = denoiser.endswith('gray')
    if source in REAL:
        return [f'denoisers/{denoiser}', f'datasets/{source}']
    clean = f'datasets/denoise_{"gray" if grey else "color"}_folder'
    return [f'denoisers/{denoiser}', clean, f'noise/{source}']


def compose(denoiser, source, folder):
    """Write the recipe that inherits one base each; return its path."""
    lines = [f'noiseedit::_base_/{base}.py' for base in bases(denoiser, source)]
    recipe = f'_base_ = {lines!r}\n'
    if denoiser.startswith('ffdnet') and source in REAL:
        recipe += "model = dict(data_preprocessor=dict(noise_level='estimate'))\n"
    (folder / 'recipe.py').write_text(recipe)
    return folder / 'recipe.py'


def overrides(source, data):
    """Return the settings of generated noise here: small networks that nobody trained."""
    settings = {}
    for mode in ('train', 'test') if source == 'transferred_folder' else ('train',):
        settings[f'noise.{mode}.checkpoint'] = None
        if source == 'transferred_folder':
            settings[f'noise.{mode}.reference'] = str(data / 'paired/noisy')
            settings |= {f'noise.{mode}.crop': 32, f'noise.{mode}.cache': None}
    return settings if source in GENERATED else None


def tiny(config, denoiser, source, data, folder):
    """Make a recipe small: the network, the crops, the batches, two iterations."""
    config.model.generator.update(DENOISERS[denoiser])
    grey = [{'type': 'ToGrey'}] if denoiser.endswith('gray') else []
    for loader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        loader.update(batch_size=1, num_workers=0, persistent_workers=False)
        loader.dataset.update(cache=None, **placed(source, data))
        noise = [step for step in loader.dataset.get('pipeline', []) if step.type == 'NoiseSlot']
        loader.dataset.pipeline = [*grey, *noise]
    train = config.train_dataloader
    train.batch_size = 2
    train.dataset.pipeline[:0] = [{'type': 'RandomCrop', 'size': 32}, {'type': 'RandomDihedral'}]
    config.train_cfg.update(max_iters=2, val_interval=2)
    config.default_hooks.checkpoint = None
    config.default_hooks.pop('progress')
    config.visualizer = {'type': 'Visualizer', 'vis_backends': []}
    config.work_dir, config.experiment_name = str(folder / 'work'), folder.name
    return config


def weights(runner):
    return [p.detach().clone() for p in runner.model.parameters()]


@pytest.mark.parametrize('source', [*NOISES, *REAL])
@pytest.mark.parametrize('denoiser', DENOISERS)
def test_every_denoiser_meets_every_noise(denoiser, source, data, tmp_path):
    config = load_config(compose(denoiser, source, tmp_path), overrides(source, data))
    runner = build_runner(tiny(config, denoiser, source, data, tmp_path))
    before = weights(runner)
    runner.train()
    assert runner.iter == 2
    after = weights(runner)
    assert all(bool(p.isfinite().all()) for p in after)
    assert any(not bool((p == q).all()) for p, q in zip(before, after, strict=True))
    scores = [key for key in runner.message_hub.log_scalars if key.startswith('val/PSNR')]
    assert scores


def test_every_denoiser_base_is_in_the_table():
    assert {path.stem for path in (BASES / 'denoisers').glob('*.py')} == set(DENOISERS)
    synthetic = {
        p.stem for p in (BASES / 'noise').glob('*.py') if p.stem[:4] in ('awgn', 'pois', 'tran')
    }
    assert synthetic - set(NOISES) == {'awgn15', 'awgn50'}


@pytest.mark.parametrize('loss', ['L1Loss', 'MSELoss', 'CharbonnierLoss'])
def test_a_loss_is_one_override(loss, data, tmp_path):
    override = f'model.losses.pixel={{"_delete_": True, "type": "{loss}"}}'
    config = load_config(compose('dncnn_color', 'awgn25', tmp_path), [override])
    runner = build_runner(tiny(config, 'dncnn_color', 'awgn25', data, tmp_path))
    assert type(runner.model.losses['pixel']).__name__ == loss
    assert getattr(runner.model.losses['pixel'], 'reduction', 'mean') == 'mean'
    runner.train()
    assert runner.message_hub.get_scalar('train/loss').current() > 0


def test_the_moving_average_is_one_override(data, tmp_path):
    override = '+custom_hooks=[{"type": "ModuleEMAHook"}]'
    config = load_config(compose('ridnet', 'awgn25', tmp_path), [override])
    runner = build_runner(tiny(config, 'ridnet', 'awgn25', data, tmp_path))
    runner.train()
    hook = next(hook for hook in runner.hooks if type(hook).__name__ == 'ModuleEMAHook')
    assert hook.shadow
