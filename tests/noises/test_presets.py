"""Presets, ImageNet-C against scikit-image, and the mixins of configs/_base_/noise."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from skimage.data import astronaut
from skimage.util import random_noise

from noiseedit.config import shipped_root
from noiseedit.errors import ConfigError, UnknownNameError
from noiseedit.noises import add_preset, build, list_presets, preset_spec

MIXINS = sorted((shipped_root() / '_base_' / 'noise').glob('*.py'))
IMAGENET_C = {
    'gaussian_noise': [0.08, 0.12, 0.18, 0.26, 0.38],
    'shot_noise': [60, 25, 12, 5, 3],
    'impulse_noise': [0.03, 0.06, 0.09, 0.17, 0.27],
    'speckle_noise': [0.15, 0.2, 0.35, 0.45, 0.6],
}


@pytest.fixture(scope='module')
def photo() -> np.ndarray:
    """Return (96, 96, 3) float64 in [0, 1]."""
    return astronaut()[20:212:2, 120:312:2] / 255


def legacy(name: str, image: np.ndarray, constant: float, seed: int) -> np.ndarray:
    """Return the corruption by scikit-image (shot noise by NumPy), clipped."""
    if name == 'shot_noise':
        return np.clip(np.random.default_rng(seed).poisson(image * constant) / constant, 0, 1)
    options = {
        'gaussian_noise': {'mode': 'gaussian', 'var': constant**2},
        'impulse_noise': {'mode': 's&p', 'amount': constant},
        'speckle_noise': {'mode': 'speckle', 'var': constant**2},
    }
    return random_noise(image, rng=seed, **options[name])


@pytest.mark.parametrize('severity', [1, 3, 5])
@pytest.mark.parametrize('name', IMAGENET_C)
def test_imagenet_c_agrees_with_scikit_image(name, severity, photo):
    constant = IMAGENET_C[name][severity - 1]
    x = torch.from_numpy(photo).float().permute(2, 0, 1)[None].repeat(8, 1, 1, 1)
    ours = build(f'imagenet_c/{name}/{severity}')(x, generator=torch.Generator().manual_seed(0))
    theirs = np.stack([legacy(name, photo, constant, seed) for seed in range(8)])
    ours = ours.permute(0, 2, 3, 1).numpy()
    for moment in (lambda error: error.mean(), lambda error: (error**2).mean()):
        values = [np.array([moment(y - photo) for y in batch]) for batch in (ours, theirs)]
        spread = np.sqrt(sum(value.var(ddof=1) / len(value) for value in values))
        assert abs(values[0].mean() - values[1].mean()) < 4 * spread
    dark, bright = photo < 0.2, photo > 0.8
    for part in (dark, bright):
        assert ours[:, part].std() == pytest.approx(theirs[:, part].std(), rel=0.03)


@pytest.mark.parametrize('name', IMAGENET_C)
def test_severity_family_has_the_published_constants(name):
    family = build(f'imagenet_c/{name}')
    for severity, constant in enumerate(IMAGENET_C[name], start=1):
        fixed = build({'preset': f'imagenet_c/{name}/{severity}'})
        assert fixed.level.low == family.with_level(severity).noise.level.low == constant
        assert fixed.clip


def test_names_and_texts():
    presets = list_presets()
    assert {
        f'nrgan/{letter}{mode}' for letter in 'ABCDEFGHIJKLMNOP' for mode in ('', ':compat')
    } <= {*presets}
    assert all(text and '\n' not in text for text in presets.values())
    assert all(build(name).name == name for name in presets)


def test_presets_can_be_changed_and_are_copies():
    assert build({'preset': 'nrgan/A', 'clip': False}).clip is False
    assert build({'preset': 'gni/laplace', 'level': 0.08}).level.low == 0.08
    assert build({'preset': 'gni/laplace', 'level': (0, 0.16)}).level.high == 0.16
    preset_spec('nrgan/F')['noises'].clear()
    assert len(preset_spec('nrgan/F')['noises']) == 3


def test_unknown_presets_list_the_nearest():
    with pytest.raises(UnknownNameError, match='Nearest names: gni/laplace'):
        build('gni/laplac')
    with pytest.raises(ConfigError, match='expected dict'):
        build({'sigma': 25})


def test_a_plug_in_adds_presets(monkeypatch):
    monkeypatch.setattr('noiseedit.noises.presets._PRESETS', {})
    add_preset('mine/soft', {'type': 'GaussianNoise', 'sigma': 5, 'unit': 255}, 'soft')
    assert build('mine/soft').name == 'mine/soft'
    with pytest.raises(ConfigError, match='exists already'):
        add_preset('mine/soft', {}, '')


@pytest.mark.parametrize('file', MIXINS, ids=lambda path: path.stem)
def test_mixins_hold_a_noise_and_nothing_else(file):
    config = Config.fromfile(str(file), lazy_import=False)
    assert list(config) == ['noise']
    assert set(config.noise) <= {'where', 'target', 'train', 'test'}
    for mode in {'train', 'test'} & set(config.noise):
        build(config.noise[mode])
    trains_alone = file.stem.startswith('gaussian_v') or file.stem.endswith('_fixed')
    assert ('test' in config.noise) != trains_alone
