"""The measurements of AmbientGAN: moments, places, kernels, against direct NumPy and SciPy."""

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from noiseedit.errors import ConfigError
from noiseedit.noises import build
from noiseedit.seeding import generator_for

BLOCKS = {'pixels': (1, 12, 10), 'values': (3, 12, 10), 'rows': (1, 12, 1), 'columns': (1, 1, 10)}


@pytest.fixture
def image():
    return torch.rand(1, 3, 12, 10, generator=generator_for(3))


@pytest.mark.parametrize('rescale', [True, False])
@pytest.mark.parametrize('block', BLOCKS)
def test_blocks_keep_the_mean_and_have_the_variance_they_say(block, rescale, image):
    noise = build({'type': 'BlockNoise', 'amount': 0.4, 'block': block, 'rescale': rescale})
    x = image.expand(20_000, -1, -1, -1)
    y = noise(x, generator=generator_for(0))
    params = noise.sample_params(1, generator_for(0))
    mean, variance = noise.mean(image, params), noise.variance(image, params)
    spread = (variance / len(x)).sqrt()
    assert ((y.mean(0, keepdim=True) - mean).abs() <= 5 * spread + 1e-6).all()
    torch.testing.assert_close(y.var(0, keepdim=True), variance, rtol=0.06, atol=1e-5)
    expected = image if rescale else 0.6 * image + 0.4 * 0.5
    torch.testing.assert_close(mean, expected)


@pytest.mark.parametrize(('block', 'shape'), BLOCKS.items())
def test_blocks_share_their_fate(block, shape, image):
    """In [-1, 1] the published form: x m / (1 - p) with one m per block."""
    noise = build({'type': 'BlockNoise', 'amount': 0.4, 'block': block})
    y = 2 * noise(image, generator=generator_for(5)) - 1
    ratio = (y / (2 * image - 1)).numpy()[0]
    assert set(np.round(ratio, 3).flatten()) == {0, np.float32(1.667)}
    kept = ratio > 1
    one = kept[tuple(slice(0, side) for side in shape)]
    assert np.array_equal(kept, np.broadcast_to(one, kept.shape))


def test_nothing_lost_is_the_identity_and_all_lost_is_refused(image):
    noise = build('ambient/block_pixels')
    torch.testing.assert_close(noise.with_level(0)(image, generator=generator_for(0)), image)
    with pytest.raises(ConfigError, match='amount: expected a probability below 1, got 1'):
        noise.with_level(1)
    with pytest.raises(ConfigError, match=r"block: expected one of .*, got 'lines'"):
        build({'type': 'BlockNoise', 'amount': 0.1, 'block': 'lines'})


@pytest.mark.parametrize('kind', ['BlockPatch', 'KeepPatch', 'ExtractPatch'])
def test_patches_equal_slices(kind, image):
    noise = build({'type': kind, 'size': (3, 9)})
    x = image.expand(50, -1, -1, -1)
    params = noise.sample_params(50, generator_for(1))
    corners = noise.corner(x, params).flatten(1).tolist()
    sizes = params['size'].flatten().int().tolist()
    measured = noise.apply(x, params, generator_for(2))
    assert len(set(sizes)) == 7
    for y, (top, left), size in zip(measured, corners, sizes, strict=True):
        inside = np.s_[:, top : top + size, left : left + size]
        middle = ((12 - size) // 2, (10 - size) // 2)
        centre = np.s_[:, middle[0] : middle[0] + size, middle[1] : middle[1] + size]
        expected = image[0].clone() if kind == 'BlockPatch' else torch.full_like(image[0], 0.5)
        place = centre if kind == 'ExtractPatch' else inside
        expected[place] = 0.5 if kind == 'BlockPatch' else image[0][inside]
        assert torch.equal(y, expected)


@pytest.mark.parametrize(('last', 'places'), [(True, (9, 7)), (False, (8, 6))])
def test_every_place_is_as_likely_but_the_last_of_the_released_code(last, places, image):
    noise = build({'type': 'BlockPatch', 'size': 4, 'last': last})
    x = image.expand(20_000, -1, -1, -1)
    corner = noise.corner(x, noise.sample_params(len(x), generator_for(0)))
    for axis, count in enumerate(places):
        counts = corner[:, axis].flatten().bincount()
        assert len(counts) == count
        torch.testing.assert_close(
            counts / len(x), torch.full((count,), 1 / count), atol=0.02, rtol=0
        )


def test_a_square_without_a_place_is_refused(image):
    with pytest.raises(ConfigError, match='size: expected at most 10 pixels, got 11'):
        build({'type': 'KeepPatch', 'size': 11})(image, generator=generator_for(0))
    with pytest.raises(ConfigError, match='size: expected at most 9 pixels, got 10'):
        build({'type': 'KeepPatch', 'size': 10, 'last': False})(image, generator=generator_for(0))
    whole = build({'type': 'KeepPatch', 'size': 10})(image, generator=generator_for(0))
    assert (whole == image).all(1).sum() == 100


@pytest.mark.parametrize(('width', 'size'), [(1.0, 5), (2.5, 3)])
def test_the_kernel_blur_equals_scipy(width, size, image):
    steps = np.arange(size) - size // 2
    kernel = np.exp(-(steps[:, None] ** 2 + steps**2) / (2 * width**2))
    kernel /= kernel.sum()
    x = 2 * image[0].numpy().astype(np.float64) - 1
    expected = np.stack([correlate(channel, kernel, mode='constant') for channel in x])
    noise = build({'type': 'KernelBlur', 'width': width, 'size': size})
    ours = 2 * noise(image.double(), generator=generator_for(0))[0] - 1
    np.testing.assert_allclose(ours.numpy(), expected, atol=1e-12)


def test_blur_and_noise_of_the_preset(image):
    x = image.expand(4_000, -1, -1, -1)
    y = build('ambient/blur_noise')(x, generator=generator_for(0))
    blurred = build({'type': 'KernelBlur', 'width': 1})(image, generator=generator_for(0))
    torch.testing.assert_close(y.mean(0, keepdim=True), blurred, atol=0.01, rtol=0)
    assert float((y - blurred).std()) == pytest.approx(0.1, rel=0.01)
