"""ImageNet-C and CIFAR-10-C against their published code, fed with the same random numbers.

``published_corruptions.json`` holds what that code (hendrycks/robustness, with ImageMagick 6.9 for
its motion blur) makes of one photograph: for each of the five severities the mean of each quarter
of the image, row by row, and the standard deviation of all of it, in 8-bit units. Its random
numbers were those of ``numpy.random.RandomState(0)``.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from noiseedit.noises import blur as blurs
from noiseedit.noises import build, digital, list_presets, textures, weather

PUBLISHED = json.loads((Path(__file__).parent / 'published_corruptions.json').read_text())
EIGHT_BIT = ('motion_blur', 'glass_blur', 'snow', 'pixelate')  # truncated in between
CONSTANTS = {
    'cifar_c/gaussian_noise': [0.04, 0.06, 0.08, 0.09, 0.10],
    'cifar_c/shot_noise': [500, 250, 100, 75, 50],
    'cifar_c/impulse_noise': [0.01, 0.02, 0.03, 0.05, 0.07],
    'cifar_c/speckle_noise': [0.06, 0.1, 0.12, 0.16, 0.2],
    'cifar_c/frost': [0.2, 0.3, 0.4, 0.4, 0.45],
    'imagenet_c/frost': [0.4, 0.6, 0.7, 0.7, 0.75],
}


def photo(family: str) -> torch.Tensor:
    """Return (1, 3, 224, 224), or (1, 3, 32, 32), in [0, 1]."""
    step = 2 if family == 'imagenet_c' else 14
    image = astronaut()[20:468:step, 20:468:step]
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255


class Replay:
    """The draws of the published code, in its order and layout."""

    def __init__(self) -> None:
        self.source = np.random.RandomState(0)
        self.motion_blur = blurs.motion_blur

    def uniform(self, shape, generator):
        fields = self.source.uniform(size=shape)
        if shape[1:] == (3, 2):  # corners: (x, y)
            fields = fields[..., ::-1]
        elif len(shape) == 4:  # displacement: x, y
            fields = fields[:, ::-1]
        return torch.from_numpy(fields.copy()).float()

    def normal(self, shape, generator):
        return torch.from_numpy(self.source.normal(size=shape)).float()

    def integers(self, shape, low, high, generator):
        """Return offsets (1, 2, H, W) drawn from the last pixel to the first, as (x, y)."""
        side, reach = shape[-1], high + 1
        inner = side - 2 * reach
        pairs = self.source.randint(low, reach, (inner, inner, 2))[::-1, ::-1, ::-1]
        offsets = torch.zeros(shape, dtype=torch.int64)
        own = slice(reach + 1, side - reach + 1)
        offsets[0, :, own, own] = torch.from_numpy(pairs.transpose(2, 0, 1).copy())
        return offsets

    def late_angle(self, x, widths, radius, angle):
        """Draw the angle here: snow draws its flakes before it."""
        low = -135 if x.shape[1] == 1 else -45
        return self.motion_blur(x, widths, radius, angle * 0 + low + 90 * self.source.uniform())


@pytest.fixture
def replay(monkeypatch):
    """Make the draws of all corruptions those of the published code."""
    draws = Replay()
    monkeypatch.setattr(blurs, 'motion_blur', draws.late_angle)
    monkeypatch.setattr(weather, 'motion_blur', draws.late_angle)
    monkeypatch.setattr(weather, 'normal', draws.normal)
    monkeypatch.setattr(blurs, 'integers', draws.integers)
    monkeypatch.setattr(textures, 'uniform', draws.uniform)
    monkeypatch.setattr(digital, 'uniform', draws.uniform)


@pytest.mark.parametrize('severity', [1, 2, 3, 4, 5])
@pytest.mark.parametrize('name', PUBLISHED)
def test_corruption_is_the_published_one(name, severity, replay):
    noisy = build(f'{name}/{severity}')(photo(name.split('/')[0]), generator=torch.Generator())
    image = 255 * noisy[0].permute(1, 2, 0).double()
    half = len(image) // 2
    quarters = [image[a : a + half, b : b + half] for a in (0, half) for b in (0, half)]
    ours = [*(float(part.mean()) for part in quarters), float(image.std(correction=0))]
    tolerance = 1 if name.split('/')[1] in EIGHT_BIT else 0.02
    assert ours == pytest.approx(PUBLISHED[name][severity - 1], abs=tolerance)


@pytest.mark.parametrize('name', CONSTANTS)
def test_levels_are_the_published_ones(name):
    levels = [build(f'{name}/{severity}').level.low for severity in (1, 2, 3, 4, 5)]
    assert levels == CONSTANTS[name]


def test_both_families_have_nineteen_corruptions_at_five_severities():
    names = list_presets()
    for family in ('imagenet_c', 'cifar_c'):
        corruptions = [name for name in names if name.startswith(family) and name.count('/') == 1]
        assert len(corruptions) == 19
        assert all(
            f'{name}/{severity}' in names for name in corruptions for severity in range(1, 6)
        )
