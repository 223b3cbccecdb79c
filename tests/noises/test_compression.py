"""JPEG against libjpeg, the differentiable one against both, quantisation."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from noiseedit.errors import ConfigError
from noiseedit.noises import build, compression
from noiseedit.noises import differentiable_jpeg as dj

PHOTOS = ('astronaut', 'coffee', 'chelsea')
GENERATOR = torch.Generator()


def photo(name: str, size: int = 256) -> torch.Tensor:
    """Return the middle of a photograph, (1, 3, H, W) in [0, 1]."""
    image = getattr(data, name)()
    top, left = (image.shape[0] - size) // 2, (image.shape[1] - size) // 2
    crop = image[top : top + size, left : left + size]
    return torch.from_numpy(crop.copy()).permute(2, 0, 1)[None].float() / 255


def psnr(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


def real(quality, **options):
    return build({'type': 'JPEGNoise', 'quality': quality, **options})


def differentiable(quality, **options):
    return build({'type': 'DifferentiableJPEG', 'quality': quality, **options})


def run(noise, x):
    return noise(x, generator=GENERATOR)


@pytest.mark.parametrize('quality', [1, 10, 49, 50, 51, 75, 90, 99, 100])
def test_quantiser_steps_are_those_that_libjpeg_writes(quality):
    file = io.BytesIO()
    Image.new('RGB', (16, 16)).save(file, 'JPEG', quality=quality)
    written = Image.open(file).quantization
    for index, table in ((0, dj.LUMINANCE), (1, dj.CHROMINANCE)):
        steps = dj.quantiser(torch.tensor(table).float(), torch.full((1, 1, 1, 1), quality))
        assert steps.flatten().tolist() == list(written[index])


@pytest.mark.parametrize('subsampling', ['4:2:0', '4:4:4'])
@pytest.mark.parametrize('quality', [10, 50, 90])
def test_libjpeg_gives_what_pillow_gives(quality, subsampling):
    x = photo('astronaut')
    file = io.BytesIO()
    image = (x[0].permute(1, 2, 0) * 255).round().byte().numpy()
    Image.fromarray(image).save(
        file, 'JPEG', quality=quality, subsampling={'4:4:4': 0, '4:2:0': 2}[subsampling]
    )
    expected = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)[None] / 255
    assert psnr(run(real(quality, subsampling=subsampling), x), expected) > 55


@pytest.mark.parametrize('subsampling', ['4:2:0', '4:4:4'])
@pytest.mark.parametrize('quality', [10, 50, 90])
@pytest.mark.parametrize('name', PHOTOS)
def test_differentiable_agrees_with_libjpeg(name, quality, subsampling):
    x = photo(name)
    expected = run(real(quality, subsampling=subsampling), x)
    noise = differentiable(quality, subsampling=subsampling)
    agreement = psnr(run(noise, x), expected)
    assert agreement > 41
    noise.luminance.copy_(noise.luminance.T.clone())  # the table against its frequencies
    assert psnr(run(noise, x), expected) < agreement - 2


@pytest.mark.parametrize('quality', [10, 50, 90])
@pytest.mark.parametrize('name', PHOTOS)
def test_nearest_upsampling_agrees_too_but_less(name, quality):
    x = photo(name)
    expected = run(real(quality), x)
    nearest = psnr(run(differentiable(quality, upsampling='nearest'), x), expected)
    assert 37 < nearest < psnr(run(differentiable(quality), x), expected)


@pytest.mark.parametrize('quality', [10, 50, 90])
def test_soft_rounding_loses_less_than_jpeg(quality):
    x = photo('coffee')
    hard, soft = (psnr(run(differentiable(quality, rounding=r), x), x) for r in ('hard', 'soft'))
    assert 0.3 < soft - hard < 1.2


def test_grey_images_agree_with_libjpeg():
    x = photo('chelsea')[:, :1]
    assert psnr(run(differentiable(30), x), run(real(30), x)) > 48


@pytest.mark.parametrize('size', [(1, 1), (7, 9), (16, 24), (33, 50)])
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('subsampling', ['4:2:0', '4:4:4'])
def test_any_size(size, channels, subsampling):
    x = photo('astronaut')[:, :channels, : size[0], : size[1]]
    hard = run(differentiable(50, subsampling=subsampling), x)
    expected = run(real(50, subsampling=subsampling), x)
    assert hard.shape == x.shape
    assert psnr(hard, expected) > 34


@pytest.mark.parametrize('rounding', ['hard', 'soft'])
@pytest.mark.parametrize('quality', [1, 50, 100])
def test_gradient_flows_and_is_finite(rounding, quality):
    x = photo('coffee', 48).requires_grad_()
    (gradient,) = torch.autograd.grad(run(differentiable(quality, rounding=rounding), x).sum(), x)
    assert torch.isfinite(gradient).all()
    if rounding == 'hard' or quality < 100:
        assert gradient.abs().mean() > 1e-2


def test_hard_rounding_is_straight_through():
    x = (photo('coffee', 48) * 0.4 + 0.3).double().requires_grad_()  # nothing is clamped
    noise = differentiable(90, subsampling='4:4:4')
    weights = torch.rand(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad((run(noise, x) * weights).sum(), x)
    torch.testing.assert_close(gradient, weights, atol=1e-5, rtol=1e-4)


def test_gradient_with_respect_to_quality():
    x = photo('coffee', 48)
    noise = differentiable(20)
    quality = torch.full((1, 1, 1, 1), 20.0, requires_grad=True)
    error = (noise.apply(x, {'quality': quality}, GENERATOR) - x).square().mean()
    (gradient,) = torch.autograd.grad(error, quality)
    assert torch.isfinite(gradient).all()
    assert gradient.item() != 0
    assert torch.equal(noise.apply(x, {'quality': quality.detach()}, GENERATOR), run(noise, x))


@pytest.mark.parametrize('make', [real, differentiable])
def test_every_image_has_its_own_quality(make):
    x = torch.cat([photo(name, 64) for name in PHOTOS])
    quality = torch.tensor([5.0, 50.0, 95.0]).view(3, 1, 1, 1)
    together = make(50).apply(x, {'quality': quality}, GENERATOR)
    for row, value in enumerate((5, 50, 95)):
        alone = run(make(value), x[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone, atol=2e-6, rtol=0)


def test_batch_and_single_8_bit_image_agree():
    x = photo('astronaut', 65)
    image = (x[0].permute(1, 2, 0) * 255).round().byte().numpy()
    before = image.copy()
    fast = real(35).apply_uint8(image, seed=1)
    assert np.array_equal(fast, (run(real(35), x)[0].permute(1, 2, 0) * 255).round().byte().numpy())
    assert np.array_equal(image, before)
    grey = real(35).apply_uint8(image[:, :, :1], seed=1)
    assert grey.shape == (65, 65, 1)


def test_the_decoder_of_older_opencv_gives_the_same(monkeypatch):
    import cv2

    image = data.astronaut()[:40, :50]
    expected = compression.jpeg(image, 60)
    monkeypatch.delattr(cv2, 'IMREAD_COLOR_RGB')
    assert np.array_equal(compression.jpeg(image, 60), expected)


def test_ranges_reach_every_whole_number_alike():
    noise = real((10, 13))
    drawn = noise.sample_params(4000, torch.Generator().manual_seed(0))['quality']
    values, counts = drawn.unique(return_counts=True)
    assert values.tolist() == [10, 11, 12, 13]
    assert (counts - 1000).abs().max() < 120
    log = real({'low': 5, 'high': 90, 'log': True})
    assert log.sample_params(9, GENERATOR)['quality'].frac().abs().max() == 0


def test_tables_are_buffers_and_not_saved():
    noise = differentiable(50)
    assert not list(noise.parameters())
    assert not noise.state_dict()
    assert {name for name, _ in noise.named_buffers()} >= {'luminance', 'chrominance', 'dct'}


@pytest.mark.parametrize('dtype', [torch.float64, torch.bfloat16])
@pytest.mark.parametrize('make', [real, differentiable])
def test_other_float_types(make, dtype):
    x = photo('coffee', 40).to(dtype)
    assert run(make(50), x).dtype == dtype


@pytest.mark.parametrize('quality', [0, 101, 50.5, (0, 50), (50, 101)])
@pytest.mark.parametrize('make', [real, differentiable])
def test_bad_quality_is_refused(make, quality):
    with pytest.raises(ConfigError, match=r'quality: expected whole numbers in 1\.\.100'):
        make(quality)
    with pytest.raises(ConfigError, match=r'quality: expected whole numbers in 1\.\.100'):
        make(50).with_level(quality)


def test_bad_options_are_refused():
    with pytest.raises(ConfigError, match="subsampling: expected '4:2:0' or '4:4:4'"):
        real(50, subsampling='4:2:2')
    with pytest.raises(ConfigError, match="rounding: expected 'hard' or 'soft'"):
        differentiable(50, rounding='none')
    with pytest.raises(ConfigError, match="upsampling: expected 'triangle' or 'nearest'"):
        differentiable(50, upsampling='cubic')
    for make in (real, differentiable):
        with pytest.raises(ValueError, match='expected 1 or 3 channels'):
            run(make(50), torch.rand(1, 4, 16, 16))


def quantize(bits):
    return build({'type': 'QuantizeNoise', 'bits': bits})


def test_eight_bits_keep_8_bit_images():
    x = (torch.arange(256) / 255).view(1, 1, 16, 16)
    torch.testing.assert_close(run(quantize(8), x), x, atol=1e-7, rtol=0)
    image = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)
    assert np.array_equal(quantize(8).apply_uint8(image, 1), image)


@pytest.mark.parametrize('bits', [1, 3, 10])
def test_quantisation_has_its_levels_and_error(bits):
    x = torch.rand(1, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    y = run(quantize(bits), x)
    assert len(y.unique()) == 2**bits
    assert (y - x).abs().max() <= 0.5 / (2**bits - 1) + 1e-6
    assert (y - x).var().sqrt() == pytest.approx(1 / (2**bits - 1) / 12**0.5, rel=0.05)


def test_quantisation_is_straight_through():
    x = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    (gradient,) = torch.autograd.grad(run(quantize(2), x).sum(), x)
    assert torch.equal(gradient, torch.ones_like(x))


@pytest.mark.parametrize('bits', [0, 17, 2.5])
def test_bad_bits_are_refused(bits):
    with pytest.raises(ConfigError, match=r'bits: expected whole numbers in 1\.\.16'):
        quantize(bits)
