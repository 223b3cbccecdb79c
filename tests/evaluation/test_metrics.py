"""Values of the metrics against other libraries, frozen numbers and closed forms."""

import math
import sys

import cv2
import numpy as np
import pytest
import skimage.metrics
import torch
from evaluation_images import image_pair, sample_of

from noiseedit.errors import (
    CheckpointError,
    ConfigError,
    DataError,
    MissingExtraError,
    UnknownNameError,
)
from noiseedit.evaluation.metrics import LPIPS, MSSSIM, PSNR, SSIM, ms_ssim, mse, psnr, ssim
from noiseedit.evaluation.profiles import PROFILES, luma
from noiseedit.registry import METRICS


@pytest.fixture
def pair():
    return image_pair()


def dense_ssim(a, b, peak=255.0):
    """The field's definition: a dense 11x11 window, float64, valid region, mean over channels."""
    kernel = cv2.getGaussianKernel(11, 1.5)
    window = kernel @ kernel.T

    def smooth(image):
        return cv2.filter2D(image, -1, window)[5:-5, 5:-5]

    values = []
    for channel in range(a.shape[2]):
        x, y = a[..., channel].astype(np.float64), b[..., channel].astype(np.float64)
        mx, my = smooth(x), smooth(y)
        vx, vy = smooth(x * x) - mx * mx, smooth(y * y) - my * my
        cov = smooth(x * y) - mx * my
        c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
        top = (2 * mx * my + c1) * (2 * cov + c2)
        values.append((top / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean())
    return float(np.mean(values))


@pytest.mark.parametrize('shape', [(48, 56), (300, 257)])
def test_psnr_equals_scikit_image(shape):
    clean, noisy = image_pair(*shape)
    expected = skimage.metrics.peak_signal_noise_ratio(clean, noisy)
    assert psnr(noisy, clean) == pytest.approx(expected, abs=1e-12)
    floats = [image.astype(np.float32) / 255 for image in (noisy, clean)]
    expected = skimage.metrics.peak_signal_noise_ratio(floats[1], floats[0], data_range=1)
    assert psnr(*floats, peak=1.0) == pytest.approx(expected, abs=1e-6)


def test_psnr_sum_of_integers_is_exact_for_large_differences():
    black = np.zeros((1024, 1024, 3), np.uint8)
    assert mse(black, black + 255) == 255.0**2
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 256, (2, 700, 701, 3), dtype=np.uint8)
    total = ((a.astype(np.int64) - b) ** 2).sum()
    assert mse(a, b) == total / a.size


@pytest.mark.parametrize('shape', [(11, 11), (48, 56), (107, 130), (300, 97)])
def test_ssim_equals_dense_definition_and_scikit_image(shape):
    clean, noisy = image_pair(*shape)
    found = ssim(noisy, clean)
    assert found == pytest.approx(dense_ssim(clean, noisy), abs=1e-12)
    assert ssim(noisy, clean, precision='float32') == pytest.approx(found, abs=1e-6)
    if min(shape) > 11:
        expected = skimage.metrics.structural_similarity(
            clean,
            noisy,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert found == pytest.approx(expected, abs=1e-12)


def test_ssim_float32_holds_for_bright_flat_images():
    rng = np.random.default_rng(1)
    a, b = rng.integers(250, 253, (2, 64, 64, 1), dtype=np.uint8)
    assert ssim(a, b, precision='float32') == pytest.approx(ssim(a, b), abs=1e-6)


def test_ssim_uniform_window_equals_scikit_image_default(pair):
    clean, noisy = pair
    expected = skimage.metrics.structural_similarity(clean, noisy, channel_axis=2)
    assert ssim(noisy, clean, window='uniform7') == pytest.approx(expected, abs=1e-12)
    floats = sample_of(noisy, clean)
    arrays = [floats.get(name).permute(1, 2, 0).numpy() for name in ('gt', 'pred')]
    expected = skimage.metrics.structural_similarity(*arrays, channel_axis=2, data_range=1.0)
    assert SSIM('skimage').score(floats) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize('shape', [(176, 192), (256, 208)])
def test_ms_ssim_equals_pytorch_msssim(shape):
    peer = pytest.importorskip('pytorch_msssim')
    clean, noisy = image_pair(*shape)
    tensors = [torch.from_numpy(i).permute(2, 0, 1)[None].double() for i in (noisy, clean)]
    expected = peer.ms_ssim(*tensors, data_range=255).item()
    assert ms_ssim(noisy, clean) == pytest.approx(expected, abs=2e-6)
    assert ms_ssim(noisy, clean, precision='float32') == pytest.approx(expected, abs=3e-6)


def test_frozen_values():
    rows, columns = np.mgrid[:192, :192]
    ramp = np.stack([rows, columns, (rows + columns) // 2], -1).astype(np.uint8)
    other = np.minimum(ramp.astype(int) + (rows * 7 + columns * 3)[..., None] % 31, 255)
    other = other.astype(np.uint8)
    found = [psnr(other, ramp), ssim(other, ramp), ms_ssim(other, ramp)]
    assert found == pytest.approx([23.288367262827, 0.423949785058, 0.874096197784], abs=1e-9)


@pytest.mark.parametrize('seed', [0, 1])
def test_y_channel_is_132_hundredths_db_above_yiq(seed):
    """The Y of BT.601 spans 219 steps of 255; the luma of YIQ all: 20 log10(255 / 219) dB."""
    clean, noisy = image_pair(seed=seed)
    yiq = [image @ np.array([0.299, 0.587, 0.114]) for image in (noisy, clean)]
    found = PSNR('y').score(sample_of(noisy, clean))
    assert found - psnr(*yiq) == pytest.approx(20 * math.log10(255 / 219), abs=2e-3)


def test_luma_is_matlabs():
    colours = np.array([[[255, 255, 255], [0, 0, 0], [255, 0, 0]]], np.uint8)
    assert luma(colours)[0, :, 0] == pytest.approx([235, 16, 65.481 + 16], abs=1e-3)
    as_float = colours.astype(np.float32) / 255
    assert luma(as_float) == pytest.approx(luma(colours), abs=1e-4)


def test_rounding_costs_what_theory_says():
    """Rounding adds a variance of 1/12: 10 log10(1 + 1 / (12 MSE)) dB."""
    rng = np.random.default_rng(0)
    clean = rng.integers(60, 200, (256, 256, 3)).astype(np.uint8)
    pred = (clean + rng.normal(0, 1.0, clean.shape)).astype(np.float32) / 255
    sample = sample_of(pred, clean)
    loss = PSNR('float').score(sample) - PSNR('uint8').score(sample)
    assert loss == pytest.approx(10 * math.log10(1 + 1 / 12), abs=0.01)


def test_uint8_protocol_rounds_half_to_even_and_clamps():
    target = np.zeros((4, 4, 3), np.float32)
    pred = np.full((4, 4, 3), 0.5 / 255, np.float32)
    assert PSNR('uint8').score(sample_of(pred, target)) == 100.0
    assert PSNR('uint8').score(sample_of(pred - 9, target)) == 100.0
    assert PSNR('float').score(sample_of(pred, target)) == pytest.approx(54.1514, abs=1e-3)


def test_border_is_cut(pair):
    clean, noisy = pair
    frame = noisy.copy()
    frame[4:-4, 4:-4] = clean[4:-4, 4:-4]
    assert PSNR(border=4).score(sample_of(frame, clean)) == 100.0
    assert PSNR(border=3).score(sample_of(frame, clean)) < 60
    cropped = sample_of(noisy[4:-4, 4:-4], clean[4:-4, 4:-4])
    assert SSIM(border=4).score(sample_of(noisy, clean)) == SSIM().score(cropped)


def test_identical_images(pair):
    clean, _ = pair
    assert psnr(clean, clean) == math.inf
    assert PSNR().score(sample_of(clean, clean)) == 100.0
    assert SSIM().score(sample_of(clean, clean)) == 1.0


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_a_prediction_that_is_not_finite_scores_nan(pair, bad):
    sample = sample_of(*pair)
    sample.pred[0, 3, 3] = bad
    for metric in (PSNR(), SSIM('float'), LPIPS('squeeze', weights='random')):
        assert math.isnan(metric.score(sample))


@pytest.mark.parametrize(
    ('config', 'name'),
    [
        ({'type': 'PSNR'}, 'PSNR(rgb,uint8,border=0)'),
        (
            {'type': 'PSNR', 'channels': 'gray', 'rounding': 'float'},
            'PSNR(gray,float,border=0)',
        ),
        ({'type': 'PSNR', 'profile': 'gray-float'}, 'PSNR(gray,float,border=0)'),
        ({'type': 'SSIM', 'channels': 'y', 'border': 4}, 'SSIM(y,uint8,border=4)'),
        ({'type': 'SSIM', 'profile': 'skimage'}, 'SSIM(rgb,float,border=0,window=uniform7)'),
        ({'type': 'MS_SSIM'}, 'MS_SSIM(rgb,uint8,border=0)'),
        ({'type': 'LPIPS', 'net': 'squeeze', 'weights': 'random'}, 'LPIPS(squeeze,random)'),
    ],
)
def test_name_says_the_protocol(config, name):
    metric = METRICS.build(config)
    assert metric.name == name
    assert metric.higher_is_better is not name.startswith('LPIPS')


@pytest.mark.parametrize('profile', list(PROFILES))
def test_every_profile_scores(profile):
    channels = 1 if profile.startswith('gray') else 3
    clean, noisy = image_pair(channels=channels)
    for metric in (PSNR(profile), SSIM(profile)):
        assert 0.1 < metric.score(sample_of(noisy, clean)) < 60


@pytest.mark.parametrize(
    ('arguments', 'error', 'text'),
    [
        ({'profile': 'uint9'}, UnknownNameError, "'uint9' is unknown; nearest: uint8"),
        ({'channels': 'bgr'}, ConfigError, "expected one of rgb, gray, y, L, got 'bgr'"),
        ({'rounding': 8}, ConfigError, 'expected one of uint8, float, got 8'),
        ({'border': -1}, ConfigError, 'expected a whole number >= 0, got -1'),
    ],
)
def test_wrong_protocol_is_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        PSNR(**arguments)


@pytest.mark.parametrize('metric', [SSIM, MSSSIM])
def test_wrong_precision_is_refused(metric):
    with pytest.raises(ConfigError, match="'float64' or 'float32', got 'half'"):
        metric(precision='half')


def test_images_that_do_not_fit_the_protocol(pair):
    sample = sample_of(*pair)
    with pytest.raises(DataError, match=r"'gray' needs images of 1 .* choice: channels='rgb'"):
        PSNR('gray').score(sample)
    with pytest.raises(DataError, match='border=40 leaves nothing of an image of 48x56'):
        PSNR(border=40).score(sample)
    sample.pred = (sample.pred * 255).byte()
    with pytest.raises(DataError, match=r'expected \(C, H, W\) float .* torch.uint8'):
        PSNR().score(sample)


def test_sample_without_target_or_with_another_size(pair):
    sample = sample_of(*pair)
    del sample.gt
    with pytest.raises(DataError, match="sample 'a' has no 'gt'; it has pred"):
        PSNR().score(sample)
    clean, noisy = pair
    with pytest.raises(DataError, match='expected two arrays of one shape'):
        PSNR().score(sample_of(noisy, clean[:40]))


def test_arrays_that_cannot_be_compared(pair):
    clean, noisy = pair
    with pytest.raises(DataError, match=r'one shape and type, got .* uint8 .* float32'):
        psnr(noisy, clean.astype(np.float32))
    with pytest.raises(DataError, match=r'uint8, float32 or float64, got .* int32'):
        psnr(noisy.astype(np.int32), clean.astype(np.int32))
    with pytest.raises(DataError, match='at least 11x11 pixels, got 10x56'):
        ssim(noisy[:10], clean[:10])
    with pytest.raises(DataError, match='sides of at least 161 pixels, got 48x56'):
        ms_ssim(noisy, clean)


def test_lpips_needs_weights(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(CheckpointError, match='Nothing is downloaded; fetch https'):
        LPIPS()
    with pytest.raises(CheckpointError, match=r'weights of alexnet not found at missing.pth'):
        LPIPS(weights='missing.pth')
    (tmp_path / 'wrong.pth').write_bytes(b'nothing')
    with pytest.raises(CheckpointError, match='is no weight file of alexnet'):
        LPIPS(weights=tmp_path / 'wrong.pth')
    with pytest.raises(ConfigError, match=r'expected one of alex, squeeze, vgg, got .resnet'):
        LPIPS('resnet')


def test_lpips_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torchmetrics.functional.image.lpips', None)
    with pytest.raises(MissingExtraError, match=r"pip install 'noiseedit\[metrics\]'"):
        LPIPS(weights='random')


@pytest.mark.parametrize('net', ['alex', 'squeeze'])
def test_lpips_reads_torchvision_weights(tmp_path, net):
    torchvision = pytest.importorskip('torchvision')
    name = {'alex': 'alexnet', 'squeeze': 'squeezenet1_1'}[net]
    backbone = getattr(torchvision.models, name)()
    torch.save(backbone.state_dict(), tmp_path / 'weights.pth')
    metric = LPIPS(net, weights=tmp_path / 'weights.pth')
    own = next(metric.network.net.parameters())
    assert torch.equal(own, backbone.features[0].weight)
    clean, noisy = image_pair(64, 64)
    same, other = (metric.score(sample_of(image, clean)) for image in (clean, noisy))
    assert same == 0
    assert other > 1e-4


def test_lpips_does_not_touch_the_global_generator():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = LPIPS('squeeze', weights='random')
    assert torch.equal(torch.get_rng_state(), before)
    again = LPIPS('squeeze', weights='random')
    assert torch.equal(next(first.network.parameters()), next(again.network.parameters()))
