"""Loss terms of NoiseTransfer against golden values and independent libraries."""

import math

import pytest
import torch
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur

from noiseedit.errors import DataError
from noiseedit.losses import VanillaGANLoss
from noiseedit.models.noise_transfer.losses import (
    blur,
    consistency,
    contrast_accuracy,
    contrast_logits,
    info_nce,
    matching,
    unit_columns,
)


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=stream(seed))


def unit(*shape, seed=0):
    return functional.normalize(normal(*shape, seed=seed), dim=1)


def test_contrast_of_orthogonal_embeddings():
    """Keys equal the queries, everything else is orthogonal: ln(1 + 4127 e^-10)."""
    axes = torch.eye(128)
    query, queue = axes[:32], axes[32:].T.repeat(1, 43)[:, :4096]
    loss = info_nce(contrast_logits(query, query, queue, 0.1))
    assert loss.item() == pytest.approx(math.log(1 + 4127 * math.exp(-10)), abs=1e-6)
    assert loss.item() == pytest.approx(0.1717, abs=5e-5)


def test_contrast_is_cross_entropy_of_the_own_key():
    query, keys, queue = unit(6, 128, seed=1), unit(6, 128, seed=2), unit(40, 128, seed=3).T
    logits = contrast_logits(query, keys, queue, 0.1)
    by_hand = torch.cat([query @ keys.T, query @ queue], 1) / 0.1
    torch.testing.assert_close(logits, by_hand)
    expected = functional.cross_entropy(by_hand, torch.arange(6))
    torch.testing.assert_close(info_nce(logits), expected)


def test_contrast_is_float32_under_autocast():
    embeddings = unit(6, 128, seed=1), unit(6, 128, seed=2), unit(40, 128, seed=3).T
    with torch.autocast('cpu', dtype=torch.bfloat16):
        logits = contrast_logits(*embeddings, 0.1)
    assert torch.equal(logits, contrast_logits(*embeddings, 0.1))


def test_equal_batch_keys_cost_the_logarithm_of_the_batch():
    """An encoder that has learnt nothing, and a queue far away: near ln 4."""
    key = unit(1, 128).expand(4, -1)
    queue = unit_columns(4096, stream(5), 128)
    loss = info_nce(contrast_logits(key, key, queue, 0.1)).item()
    assert math.log(4) < loss < math.log(4) + 0.25


@pytest.mark.parametrize('first', [0, 2, 4])
def test_rows_of_a_rank_have_their_positives_further_right(first):
    query, queue = unit(6, 128, seed=1), unit(8, 128, seed=3).T
    whole = contrast_logits(query, unit(6, 128, seed=2), queue, 0.1)
    rows = whole[first : first + 2]
    expected = functional.cross_entropy(rows, torch.tensor([first, first + 1]))
    torch.testing.assert_close(info_nce(rows, first), expected)


def test_accuracy_counts_rows_whose_own_key_wins():
    logits = torch.eye(4)[:, [1, 0, 2, 3]]
    assert contrast_accuracy(logits).item() == 0.5
    assert contrast_accuracy(torch.eye(4)[2:], first=2).item() == 1


@pytest.mark.parametrize('size', [(48, 48), (17, 60), (11, 12)])
def test_blur_is_that_of_torchvision(size):
    image = torch.rand(2, 3, *size, generator=stream())
    expected = gaussian_blur(image, [21, 21], [3.5, 3.5])
    torch.testing.assert_close(blur(image), expected, atol=2e-6, rtol=0)


def test_consistency_is_the_distance_of_blurred_images():
    one, other = torch.rand(2, 3, 24, 24, generator=stream()), normal(2, 3, 24, 24, seed=1)
    expected = functional.l1_loss(
        gaussian_blur(one, [21, 21], [3.5, 3.5]), gaussian_blur(other, [21, 21], [3.5, 3.5])
    )
    torch.testing.assert_close(consistency(one, other), expected, atol=1e-6, rtol=1e-5)


def test_consistency_sees_colours_and_little_of_white_noise():
    clean = torch.full((1, 3, 64, 64), 0.5)
    assert consistency(clean, clean + 0.1).item() == pytest.approx(0.1, abs=1e-6)
    noise = 0.1 * normal(1, 3, 64, 64)
    assert consistency(clean, clean + noise).item() < 0.01


def test_too_small_a_crop_is_named():
    with pytest.raises(DataError, match='at least 11 pixels, got 10'):
        blur(torch.zeros(1, 3, 10, 12))


def test_features_are_matched_level_by_level():
    fake = [normal(2, 4, 8, 8).requires_grad_(), normal(2, 8, 4, 4).requires_grad_()]
    real = [normal(2, 4, 8, 8, seed=1).requires_grad_(), torch.zeros(2, 8, 4, 4)]
    loss = matching(fake, real)
    by_hand = ((fake[0] - real[0]).abs().mean() + fake[1].abs().mean()) / 2
    torch.testing.assert_close(loss, by_hand)
    loss.backward()
    assert all(f.grad is not None for f in fake)
    assert real[0].grad is None


def test_adversarial_loss_is_binary_cross_entropy_over_three_scales():
    gan = VanillaGANLoss(d_weight=0.5)
    scales = [normal(2, 1, n, n, seed=n) for n in (12, 6, 3)]
    bce = functional.binary_cross_entropy_with_logits
    ones = sum(bce(s, torch.ones_like(s)) for s in scales) / 3
    zeros = sum(bce(s, torch.zeros_like(s)) for s in scales) / 3
    torch.testing.assert_close(gan.generator(scales), ones)
    torch.testing.assert_close(gan.real(scales) + gan.fake(scales), (ones + zeros) / 2)


def test_the_queue_starts_with_unit_columns():
    columns = unit_columns(64, stream(), 128)
    torch.testing.assert_close(columns.norm(dim=0), torch.ones(64))
    assert columns.mean().abs() < 0.01
