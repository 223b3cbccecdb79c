"""Losses against hand values, torch's own functions and finite differences."""

import math

import pytest
import torch
from torch.nn import functional

from noiseedit.losses import (
    FeatureMatchingLoss,
    HingeGANLoss,
    LeastSquaresGANLoss,
    R1Penalty,
    TotalVariationLoss,
    VanillaGANLoss,
    WassersteinGANLoss,
)
from noiseedit.losses.pixel import charbonnier, l1, mse
from noiseedit.losses.regularisers import r1_penalty, total_variation
from noiseedit.registry import LOSSES

LOGITS = torch.tensor([[-1.5, 0.25], [0.0, 3.0]])
GAN_LOSSES = [VanillaGANLoss, LeastSquaresGANLoss, HingeGANLoss, WassersteinGANLoss]


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def mean(function):
    return sum(function(value) for value in LOGITS.flatten().tolist()) / LOGITS.numel()


@pytest.mark.parametrize(
    ('loss', 'real', 'fake', 'generator'),
    [
        (
            VanillaGANLoss,
            lambda x: math.log(1 + math.exp(-x)),
            lambda x: math.log(1 + math.exp(x)),
            lambda x: math.log(1 + math.exp(-x)),
        ),
        (
            LeastSquaresGANLoss,
            lambda x: (x - 1) ** 2,
            lambda x: x**2,
            lambda x: (x - 1) ** 2,
        ),
        (HingeGANLoss, lambda x: max(0, 1 - x), lambda x: max(0, 1 + x), lambda x: -x),
        (WassersteinGANLoss, lambda x: -x, lambda x: x, lambda x: -x),
    ],
)
def test_gan_losses_by_hand(loss, real, fake, generator):
    terms = loss()
    assert terms.real(LOGITS).item() == pytest.approx(mean(real), rel=1e-6)
    assert terms.fake(LOGITS).item() == pytest.approx(mean(fake), rel=1e-6)
    assert terms.generator(LOGITS).item() == pytest.approx(mean(generator), rel=1e-6)


def test_vanilla_gan_is_binary_cross_entropy_of_logits():
    ones, zeros = torch.ones_like(LOGITS), torch.zeros_like(LOGITS)
    reference = functional.binary_cross_entropy_with_logits
    loss = VanillaGANLoss()
    torch.testing.assert_close(loss.real(LOGITS), reference(LOGITS, ones))
    torch.testing.assert_close(loss.fake(LOGITS), reference(LOGITS, zeros))
    torch.testing.assert_close(loss.generator(LOGITS), reference(LOGITS, ones))


@pytest.mark.parametrize('loss', GAN_LOSSES)
def test_gan_loss_weights(loss):
    plain, weighted = loss(), loss(weight=3, d_weight=0.5)
    torch.testing.assert_close(weighted.real(LOGITS), 0.5 * plain.real(LOGITS))
    torch.testing.assert_close(weighted.fake(LOGITS), 0.5 * plain.fake(LOGITS))
    torch.testing.assert_close(weighted.generator(LOGITS), 3 * plain.generator(LOGITS))


@pytest.mark.parametrize('loss', GAN_LOSSES)
def test_gan_losses_stay_finite_and_float32_for_large_half_logits(loss):
    logits = torch.tensor([-300.0, 300.0], dtype=torch.float16)
    for value in (loss().real(logits), loss().fake(logits), loss().generator(logits)):
        assert value.dtype is torch.float32
        assert torch.isfinite(value)


@pytest.mark.parametrize('loss', GAN_LOSSES)
def test_scales_count_alike_however_many_patches_they_have(loss):
    terms, other = loss(weight=3, d_weight=0.5), random(1, 1, 3, 3) - 0.5
    for term in (terms.real, terms.fake, terms.generator):
        torch.testing.assert_close(term([LOGITS, other]), (term(LOGITS) + term(other)) / 2)
        assert torch.equal(term([LOGITS]), term(LOGITS))


def test_feature_matching_by_hand():
    """Mean over scales, sum over layers but the logits, mean over each layer."""
    fake = [[random(1, 2, 4, 4), random(1, 3, 2, 2, seed=1), LOGITS], [random(1, 2, 2, 2), LOGITS]]
    real = [[torch.zeros_like(layer) for layer in scale] for scale in fake]
    expected = (fake[0][0].mean() + fake[0][1].mean() + fake[1][0].mean()) / 2
    torch.testing.assert_close(FeatureMatchingLoss(7)(fake, real), 7 * expected)


def test_feature_matching_moves_the_generated_images_alone():
    fake, real = random(1, 1, 2, 2).requires_grad_(), random(1, 1, 2, 2, seed=1).requires_grad_()
    FeatureMatchingLoss()([[fake, LOGITS]], [[real, LOGITS]]).backward()
    assert fake.grad.abs().sum() > 0
    assert real.grad is None


def test_r1_sums_over_scales():
    images = random(2, 1, 3, 3).requires_grad_()
    one, two = (images * 2).flatten(1).sum(1), images.square().flatten(1).sum(1)
    torch.testing.assert_close(r1_penalty([one, two], images), r1_penalty(one + two, images))


def test_pixel_losses_agree_with_torch_and_hand_values():
    pred, target = random(3, 2, 4, 5), random(3, 2, 4, 5, seed=1)
    torch.testing.assert_close(l1(pred, target), (pred - target).abs().mean())
    torch.testing.assert_close(mse(pred, target), (pred - target).pow(2).mean())
    half_sum = mse(pred, target, 'half_sum')
    torch.testing.assert_close(half_sum, (pred - target).pow(2).flatten(1).sum(1).mean() / 2)
    flat = charbonnier(torch.full((1, 1, 2, 2), 0.3), torch.zeros(1, 1, 2, 2), eps=0.4)
    assert flat.item() == pytest.approx(0.5)


@pytest.mark.parametrize('name', ['L1Loss', 'MSELoss', 'CharbonnierLoss'])
def test_pixel_losses_are_weighted_and_refuse_broadcasting(name):
    pred, target = random(2, 3, 4, 4), random(2, 3, 4, 4, seed=1)
    plain, weighted = LOSSES.build({'type': name}), LOSSES.build({'type': name, 'weight': 7})
    torch.testing.assert_close(weighted(pred, target), 7 * plain(pred, target))
    with pytest.raises(ValueError, match=r'\(2, 3, 4, 4\) and target \(2, 1, 4, 4\) differ'):
        plain(pred, target[:, :1])


def test_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="'mean' or 'half_sum', got 'sum'"):
        mse(random(1, 1, 2, 2), random(1, 1, 2, 2), 'sum')


def test_r1_of_a_quadratic_by_hand():
    """D(x) = sum a x^2 / 2 has gradient a x: R1 = mean over images of sum (a x)^2 / 2."""
    images, a = random(4, 3, 5, 5).requires_grad_(), 1.7
    logits = (a * images.square() / 2).flatten(1).sum(1)
    expected = (a * images).square().flatten(1).sum(1).mean() / 2
    torch.testing.assert_close(r1_penalty(logits, images), expected)
    torch.testing.assert_close(R1Penalty(10)(logits, images), 10 * expected)


def test_r1_trains_the_discriminator():
    scale = torch.tensor(2.0, requires_grad=True)
    images = random(2, 1, 3, 3).requires_grad_()
    r1_penalty((scale * images).flatten(1).sum(1), images).backward()
    assert scale.grad.item() == pytest.approx(2.0 * 9)  # d/ds of 9 s^2 / 2


def test_total_variation_by_hand():
    image = torch.tensor([[0.0, 1.0, 3.0], [0.0, 0.0, 0.0]])[None, None]
    assert total_variation(image).item() == pytest.approx((1 + 2) / 4 + (0 + 1 + 3) / 3)
    assert TotalVariationLoss(2)(image).item() == pytest.approx(2 * (3 / 4 + 4 / 3))


def test_every_loss_has_a_weight():
    import inspect

    shipped = [n for n in LOSSES.names() if LOSSES.get(n).__module__.startswith('noiseedit.losses')]
    assert shipped
    for name in shipped:
        assert 'weight' in inspect.signature(LOSSES.get(name)).parameters, name
