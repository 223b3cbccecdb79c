"""CutMix within one image: never black, but with the published flag; and the smoothing of crops."""

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import gaussian_blur, rotate

from noiseedit.datasets.transforms import CutMixCrop, Smooth
from noiseedit.datasets.transforms.cutmix import _framed
from noiseedit.errors import ConfigError, DataError

SIZE = 32


def sample(seed, *, low=1, shape=(50, 60)):
    """Return a pair whose noisy image is the clean one plus 7; no pixel is black."""
    image = np.random.default_rng(1).integers(low, 240, (*shape, 3), dtype=np.uint8)
    return {'key': 'x', 'seed': seed, 'source': image, 'target': image + np.uint8(7)}


def black(image):
    return float((image == 0).all(2).mean())


@pytest.mark.parametrize('mix', [0.0, 0.5, 1.0])
def test_patches_are_parts_of_the_image_and_of_one_size(mix):
    for seed in range(60):
        results = CutMixCrop(SIZE, mix)(sample(seed))
        source, target = results['source'], results['target']
        assert source.shape == target.shape == (SIZE, SIZE, 3)
        assert black(source) == 0
        assert np.array_equal(target, source + np.uint8(7))  # both the same, everywhere


def test_draws_are_those_of_the_seed():
    first, again = (CutMixCrop(SIZE)(sample(5))['source'] for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, CutMixCrop(SIZE)(sample(6))['source'])


def test_the_published_rotation_blackens_a_quarter_of_the_patches():
    shares = [
        black(CutMixCrop(SIZE, published=True)(sample(seed))['source']) for seed in range(400)
    ]
    assert np.mean([share > 0 for share in shares]) == pytest.approx(0.24, abs=0.07)
    for seed, share in enumerate(shares):
        if share > 0:
            results = CutMixCrop(SIZE, published=True)(sample(seed))
            gone = (results['source'] == 0).all(2)
            assert np.array_equal(gone, (results['target'] == 0).all(2))  # in clean and noisy alike
            break


@pytest.mark.parametrize('shape', [(24, 72), (72, 24), (30, 40)])
def test_the_published_frame_is_that_of_a_rotation_that_does_not_expand(shape):
    image = np.random.default_rng(0).integers(1, 255, (*shape, 3), dtype=np.uint8)
    framed = _framed(np.rot90(image), *shape)
    rotated = rotate(torch.from_numpy(image.copy()).permute(2, 0, 1), 90)
    assert np.array_equal(framed, rotated.permute(1, 2, 0).numpy())
    short, long = sorted(shape)
    assert black(framed) == pytest.approx(1 - short / long)


def test_rectangles_have_the_published_sizes():
    step = CutMixCrop(96)
    rng = np.random.default_rng(0)
    places = [step._rectangle(rng, (200, 200)) for _ in range(2000)]
    heights, widths = (np.array([place[n] for _, place in places]) for n in (2, 3))
    for sides in (heights, widths):
        assert (sides.min(), sides.max()) == (24, 71)
        assert sides.mean() == pytest.approx(47.5, abs=1.5)
    assert all(
        top + height <= 96 and left + width <= 96 for _, (top, left, height, width) in places
    )
    assert all(
        (piece.width, piece.height)[:: 1 if piece.turns % 2 else -1] == place[2:]
        for piece, place in places
    )


def test_half_of_the_patches_are_mixed_and_all_symmetries_occur():
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0], image[..., 1] = np.mgrid[:SIZE, :SIZE]
    image[..., 2] = 1
    plain = {np.rot90(m, k).tobytes() for m in (image, image[:, ::-1]) for k in range(4)}
    patches = [
        CutMixCrop(SIZE)({'key': 'x', 'seed': seed, 'source': image})['source']
        for seed in range(400)
    ]
    unmixed = [patch.tobytes() for patch in patches if patch.tobytes() in plain]
    assert len(unmixed) / 400 == pytest.approx(0.5, abs=0.1)
    assert set(unmixed) == plain


def test_small_images_and_pairs_of_two_sizes_are_named():
    with pytest.raises(DataError, match='at least 64 pixels'):
        CutMixCrop(64)(sample(0))
    with pytest.raises(DataError, match='of one size'):
        CutMixCrop(SIZE)({**sample(0), 'target': np.ones((50, 61, 3), np.uint8)})


@pytest.mark.parametrize('settings', [{'size': 3}, {'size': 32, 'mix': 1.5}])
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ConfigError, match='CutMixCrop'):
        CutMixCrop(**settings)


def test_smoothing_is_that_of_torchvision():
    image = np.random.default_rng(0).random((40, 48, 3), np.float32)
    smooth = Smooth()({'key': 'x', 'seed': 0, 'target': image})['target']
    expected = gaussian_blur(torch.from_numpy(image).permute(2, 0, 1), [21, 21], [3.5, 3.5])
    np.testing.assert_allclose(smooth, expected.permute(1, 2, 0).numpy(), atol=2e-6)
    eight = Smooth()({'key': 'x', 'seed': 0, 'target': np.full((30, 30, 3), 51, np.uint8)})
    np.testing.assert_allclose(eight['target'], 0.2, atol=1e-6)
    with pytest.raises(ConfigError, match='odd size'):
        Smooth(size=20)
