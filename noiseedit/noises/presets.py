"""Named noises: NR-GAN's data sets, noise injection, AmbientGAN, BNCR, ImageNet-C and CIFAR-10-C.

``build('nrgan/A')``, ``build(dict(preset='gni/laplace', level=0.08))`` or
``build(dict(preset='nrgan/A', clip=False))``.
"""

from __future__ import annotations

import copy
from typing import Any

from noiseedit.errors import ConfigError, UnknownNameError, nearest
from noiseedit.noises.imagenet_c import corruption_presets
from noiseedit.noises.nrgan_compat import REPLAYS

Spec = dict[str, Any]


def preset_spec(name: str) -> Spec:
    """Return the spec of a preset, a copy of its own.

    Raises:
        UnknownNameError: If there is no such preset; lists the nearest names.
    """
    if name not in _PRESETS:
        raise UnknownNameError(
            f'{name!r} is not a noise preset. Nearest names: {", ".join(nearest(name, _PRESETS))}. '
            'All: python tools/noise.py list'
        )
    return copy.deepcopy(_PRESETS[name][0])


def list_presets() -> dict[str, str]:
    """Return the name of every preset with one line of text."""
    return {name: text for name, (_, text) in _PRESETS.items()}


def add_preset(name: str, spec: Spec, text: str) -> None:
    """Make ``name`` a preset, e.g. from a plug-in package.

    Args:
        name: ``family/noise``.
        spec: What :func:`noiseedit.noises.build` takes, with ``type``.
        text: One line for ``tools/noise.py list``.

    Raises:
        ConfigError: If the name is taken.
    """
    if name in _PRESETS:
        raise ConfigError(f'noise preset {name!r} exists already')
    _PRESETS[name] = (copy.deepcopy(spec), text)


def _of(type_: str, **arguments: Any) -> Spec:
    return {'type': type_, **arguments}


def _s8(type_: str, sigma: Any, **arguments: Any) -> Spec:
    """Return a spec whose sigma is in 8-bit units."""
    return _of(type_, sigma=sigma, unit=255, **arguments)


_NRGAN: dict[str, tuple[Spec, str]] = {
    'A': (_s8('GaussianNoise', 25), 'additive Gaussian, sigma 25'),
    'B': (_s8('GaussianNoise', (5, 50)), 'additive Gaussian, sigma 5 to 50 per image'),
    'C': (_s8('PatchGaussianNoise', 25, size=16), 'local Gaussian, sigma 25 in a 16x16 square'),
    'D': (
        _s8('PatchGaussianNoise', 25, size=(8, 24)),
        'local Gaussian, sigma 25 in a rectangle of 8 to 24 pixels',
    ),
    'E': (_of('UniformNoise', amplitude=50, unit=255), 'uniform on +-50'),
    'F': (
        _of(
            'Mixture',
            noises=[
                _s8('GaussianNoise', 15),
                _s8('GaussianNoise', 25),
                _of('UniformNoise', amplitude=50, unit=255),
            ],
            probs=[0.7, 0.2, 0.1],
        ),
        'per pixel: 70 % Gaussian 15, 20 % Gaussian 25, 10 % uniform +-50',
    ),
    'G': (_s8('BrownNoise', 25, size=5), 'brown Gaussian, sigma 25, kernel 5'),
    'H': (
        _s8('AdditiveBrownNoise', 25, size=5),
        'white plus brown Gaussian, sigma 25 each, one draw for both',
    ),
    'I': (_s8('MultiplicativeNoise', 25), 'multiplicative Gaussian, sigma 25'),
    'J': (_s8('MultiplicativeNoise', (5, 50)), 'multiplicative Gaussian, sigma 5 to 50 per image'),
    'K': (
        _of('Sequential', noises=[_s8('MultiplicativeNoise', 25), _s8('GaussianNoise', 5)]),
        'multiplicative Gaussian 25 plus additive Gaussian 5',
    ),
    'L': (
        _of('Sequential', noises=[_s8('MultiplicativeNoise', 25), _s8('GaussianNoise', 25)]),
        'multiplicative Gaussian 25 plus additive Gaussian 25',
    ),
    'M': (_of('PoissonNoise', peak=30), 'Poisson, peak 30'),
    'N': (_of('PoissonNoise', peak=(10, 50)), 'Poisson, peak 10 to 50 per image'),
    'O': (_s8('PoissonGaussianNoise', 5, peak=30), 'Poisson, peak 30, plus Gaussian, sigma 5'),
    'P': (_s8('PoissonGaussianNoise', 25, peak=30), 'Poisson, peak 30, plus Gaussian, sigma 25'),
}

_GNI: dict[str, tuple[str, Spec, str]] = {
    'gaussian': ('GaussianNoise', {}, 'Gaussian'),
    'gaussian_mono': ('GaussianNoise', {'mono': True}, 'Gaussian, one field for all channels'),
    'uniform': ('UniformNoise', {}, 'uniform'),
    'laplace': ('LaplaceNoise', {}, 'Laplace'),
    'color': ('PowerLawNoise', {'alpha': 1.0}, 'coloured Gaussian, spectrum 1/f'),
    'color_kernel': ('KernelNoise', {}, 'coloured Gaussian, 5x5 kernel of width 1'),
    'salt_pepper': ('SaltPepperNoise', {}, 'salt and pepper, whole pixels, matched per image'),
    'poisson': ('PoissonNoise', {}, 'Poisson, peak matched to the image'),
    'poisson_gaussian': (
        'PoissonGaussianNoise',
        {},
        'Poisson and Gaussian, half the variance each',
    ),
}


_AMBIENT: dict[str, tuple[Spec, str]] = {
    'block_pixels': (_of('BlockNoise', amount=0.5), 'half of the pixels lost, the rest doubled'),
    'block_values': (
        _of('BlockNoise', amount=0.5, block='values'),
        'half of the values lost, channel by channel, the rest doubled',
    ),
    'block_rows': (_of('BlockNoise', amount=0.5, block='rows'), 'half of the rows lost'),
    'block_columns': (_of('BlockNoise', amount=0.5, block='columns'), 'half of the columns lost'),
    'block_patch': (_of('BlockPatch', size=14), 'a 14x14 square lost'),
    'keep_patch': (_of('KeepPatch', size=14), 'all lost but a 14x14 square'),
    'extract_patch': (_of('ExtractPatch', size=14), 'a 14x14 square, moved to the centre'),
    'blur_noise': (
        _of(
            'Sequential',
            noises=[
                _of('KernelBlur', width=1.0, size=5),
                _of('GaussianNoise', sigma=0.2, unit='[-1,1]'),
            ],
        ),
        'Gaussian blur of width 1 (5x5), then Gaussian noise of 0.2 in [-1,1]',
    ),
}


_BNCR_BLUR = _of('GaussianBlur', width=(0.0, 2.0))
_BNCR_NOISE = _s8('GaussianNoise', (0, 50), clip=True)
_BNCR_JPEG = _of('JPEGNoise', quality=(30, 95))
_BNCR: dict[str, tuple[Spec, str]] = {
    'blur': (_BNCR_BLUR, 'Gaussian blur, width 0 to 2 pixels per image'),
    'jpeg': (_BNCR_JPEG, 'JPEG, quality 30 to 95 per image'),
    'blur_noise_jpeg': (
        _of('Sequential', noises=[_BNCR_BLUR, _BNCR_NOISE, _BNCR_JPEG]),
        'Gaussian blur of width 0 to 2, Gaussian noise of 0 to 50, JPEG of quality 30 to 95',
    ),
}


def _bncr() -> dict[str, tuple[Spec, str]]:
    return {f'bncr/{name}': entry for name, entry in _BNCR.items()}


def _ambient() -> dict[str, tuple[Spec, str]]:
    return {f'ambient/{name}': entry for name, entry in _AMBIENT.items()}


def _nrgan() -> dict[str, tuple[Spec, str]]:
    presets = {}
    for letter, (spec, text) in _NRGAN.items():
        presets[f'nrgan/{letter}'] = ({**spec, 'clip': True}, f'{text}; clipped')
    for letter in REPLAYS:
        compat = _of('NRGANCompatNoise', letter=letter, clip=True)
        text = f'nrgan/{letter} with the random numbers of the released code, by image index'
        presets[f'nrgan/{letter}:compat'] = (compat, text)
    return presets


def _gni() -> dict[str, tuple[Spec, str]]:
    return {
        f'gni/{name}': (
            _of(type_, variance=0.04, unit='[-1,1]', **arguments),
            f'{text}; level: variance in [-1,1], now 0.04',
        )
        for name, (type_, arguments, text) in _GNI.items()
    }


_PRESETS: dict[str, tuple[Spec, str]] = {
    **_nrgan(),
    **_gni(),
    **_ambient(),
    **_bncr(),
    **corruption_presets(),
}
