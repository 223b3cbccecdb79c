"""The corruptions of ImageNet-C and CIFAR-10-C: the published constants as named noises.

Constants: hendrycks/robustness, ``imagenet_c/corruptions.py`` (224x224 images) and
``make_cifar_c.py`` (32x32 images), severities 1 to 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Spec = dict[str, Any]
Rows: TypeAlias = Sequence[float | tuple[float, ...]]

# What each corruption is: class, keywords of its constants, other arguments, text.
_KINDS: dict[str, tuple[str, tuple[str, ...], Spec, str]] = {
    'gaussian_noise': ('GaussianNoise', ('sigma',), {'unit': '[0,1]'}, 'Gaussian'),
    'shot_noise': ('PoissonNoise', ('peak',), {}, 'Poisson'),
    'impulse_noise': (
        'SaltPepperNoise', ('amount',), {'per_channel': True}, 'salt and pepper per channel'
    ),
    'defocus_blur': ('DefocusBlur', ('radius', 'alias_blur'), {}, 'disk'),
    'glass_blur': ('GlassBlur', ('width', 'shift', 'iterations'), {}, 'blurred and scattered'),
    'motion_blur': ('MotionBlur', ('radius', 'width'), {}, 'along a line'),
    'zoom_blur': ('ZoomBlur', ('zoom', 'steps'), {}, 'mean of zooms'),
    'snow': (
        'Snow',
        ('density', 'spread', 'zoom', 'threshold', 'radius', 'width', 'keep'),
        {},
        'flakes',
    ),
    'frost': ('Frost', ('keep', 'opacity'), {}, 'ice of our own, or textures=FOLDER'),
    'fog': ('Fog', ('thickness', 'decay'), {}, 'plasma fractal'),
    'brightness': ('Brightness', ('shift',), {}, 'HSV value'),
    'contrast': ('Contrast', ('factor',), {}, 'towards the mean'),
    'elastic_transform': ('ElasticTransform', ('shift', 'width', 'jitter'), {}, 'random warp'),
    'pixelate': ('Pixelate', ('factor',), {}, 'boxes'),
    'jpeg_compression': ('JPEGNoise', ('quality',), {}, 'libjpeg'),
    'speckle_noise': (
        'MultiplicativeNoise', ('sigma',), {'unit': '[0,1]'}, 'multiplicative Gaussian'
    ),
    'gaussian_blur': ('GaussianBlur', ('width',), {}, 'Gaussian blur'),
    'spatter': (
        'Spatter',
        ('density', 'spread', 'width', 'threshold', 'opacity', 'mud'),
        {},
        'water or mud',
    ),
    'saturate': ('Saturate', ('factor', 'shift'), {}, 'HSV saturation'),
}  # fmt: skip

MAIN = tuple(_KINDS)[:15]
"""The corruptions of the benchmark; the other four are for validation."""

_ELASTIC = 244 / 224  # the published lengths are parts of 244, for images of 224 pixels

_IMAGENET_C: dict[str, Rows] = {
    'gaussian_noise': [0.08, 0.12, 0.18, 0.26, 0.38],
    'shot_noise': [60, 25, 12, 5, 3],
    'impulse_noise': [0.03, 0.06, 0.09, 0.17, 0.27],
    'defocus_blur': [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)],
    'glass_blur': [(0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)],
    'motion_blur': [(10, 3), (15, 5), (15, 8), (15, 12), (20, 15)],
    'zoom_blur': [(1.11, 12), (1.15, 16), (1.2, 11), (1.24, 13), (1.3, 11)],
    'snow': [
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ],
    'frost': [(1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)],
    'fog': [(1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)],
    'brightness': [0.1, 0.2, 0.3, 0.4, 0.5],
    'contrast': [0.4, 0.3, 0.2, 0.1, 0.05],
    'elastic_transform': [
        tuple(round(part * _ELASTIC, 6) for part in row)
        for row in (
            (2, 0.7, 0.1),
            (2, 0.08, 0.2),
            (0.05, 0.01, 0.02),
            (0.07, 0.01, 0.02),
            (0.12, 0.01, 0.02),
        )
    ],
    'pixelate': [0.6, 0.5, 0.4, 0.3, 0.25],
    'jpeg_compression': [25, 18, 15, 10, 7],
    'speckle_noise': [0.15, 0.2, 0.35, 0.45, 0.6],
    'gaussian_blur': [1, 2, 3, 4, 6],
    'spatter': [
        (0.65, 0.3, 4, 0.69, 0.6, False),
        (0.65, 0.3, 3, 0.68, 0.6, False),
        (0.65, 0.3, 2, 0.68, 0.5, False),
        (0.65, 0.3, 1, 0.65, 1.5, True),
        (0.67, 0.4, 1, 0.65, 1.5, True),
    ],
    'saturate': [(0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)],
}

_CIFAR_C: dict[str, Rows] = {
    'gaussian_noise': [0.04, 0.06, 0.08, 0.09, 0.1],
    'shot_noise': [500, 250, 100, 75, 50],
    'impulse_noise': [0.01, 0.02, 0.03, 0.05, 0.07],
    'defocus_blur': [(0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)],
    'glass_blur': [(0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)],
    'motion_blur': [(6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)],
    'zoom_blur': [(1.06, 7), (1.11, 12), (1.15, 16), (1.2, 21), (1.25, 26)],
    'snow': [
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ],
    'frost': [(1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)],
    'fog': [(0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)],
    'brightness': [0.05, 0.1, 0.15, 0.2, 0.3],
    'contrast': [0.75, 0.5, 0.4, 0.3, 0.15],
    'elastic_transform': [
        (0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)
    ],
    'pixelate': [0.95, 0.9, 0.85, 0.75, 0.65],
    'jpeg_compression': [80, 65, 58, 50, 40],
    'speckle_noise': [0.06, 0.1, 0.12, 0.16, 0.2],
    'gaussian_blur': [0.4, 0.6, 0.7, 0.8, 1],
    'spatter': [
        (0.62, 0.1, 0.7, 0.7, 0.5, False),
        (0.65, 0.1, 0.8, 0.7, 0.5, False),
        (0.65, 0.3, 1, 0.69, 0.5, False),
        (0.65, 0.1, 0.7, 0.69, 0.6, True),
        (0.65, 0.1, 0.5, 0.68, 0.6, True),
    ],
    'saturate': [(0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)],
}  # fmt: skip


def corruption_presets() -> dict[str, tuple[Spec, str]]:
    """Return name -> (spec, text): ``imagenet_c/...`` and ``cifar_c/...``, with severities."""
    presets = {}
    for family, table, fixed in (
        ('imagenet_c', _IMAGENET_C, {}),
        ('cifar_c', _CIFAR_C, {'frost': {'scale': 0.2}}),
    ):
        for name, rows in table.items():
            presets.update(_presets(f'{family}/{name}', name, rows, fixed.get(name, {})))
    return presets


def _presets(title: str, name: str, rows: Rows, fixed: Spec) -> dict[str, tuple[Spec, str]]:
    """Return the family of one corruption, and its five severities."""
    type_, keywords, arguments, text = _KINDS[name]
    constants = [
        dict(zip(keywords, row if isinstance(row, tuple) else (row,), strict=True)) for row in rows
    ]
    specs = [{'type': type_, **row, **arguments, **fixed} for row in constants]
    family = {'type': 'Severity', 'noise': specs[0], 'levels': specs, 'clip': True}
    presets = {title: (family, f'{text}; level: severity 0 to 5; clipped')}
    for severity, (spec, row) in enumerate(zip(specs, constants, strict=True), start=1):
        numbers = ', '.join(f'{keyword} {value}' for keyword, value in row.items())
        presets[f'{title}/{severity}'] = ({**spec, 'clip': True}, numbers)
    return presets
