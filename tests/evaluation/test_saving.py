"""8-bit conventions: grey of sketches, smoothing, saving; in scores and in files."""

import cv2
import numpy as np
import pytest
import skimage.metrics
import torch
from evaluation_images import image_pair, sample_of
from PIL import Image

from noiseedit.errors import ConfigError
from noiseedit.evaluation.images import SaveImagesHook, save_pred
from noiseedit.evaluation.metrics import FSIM, PSNR, SSIM
from noiseedit.evaluation.profiles import protocol
from noiseedit.evaluation.saving import to_uint8
from noiseedit.imaging import read_image

SAVINGS = ['round', 'truncate', 'stretch', 'jpeg']


def skimage_ssim(a, b):
    return skimage.metrics.structural_similarity(
        a, b, gaussian_weights=True, sigma=1.5, win_size=11, use_sample_covariance=False
    )


def test_sketch_profile_equals_scikit_image_on_pillow_grey():
    clean, noisy = image_pair(250, 200)
    grey = [np.asarray(Image.fromarray(image).convert('L')) for image in (clean, noisy)]
    found = SSIM('sketch').score(sample_of(noisy, clean))
    assert found == pytest.approx(skimage_ssim(*grey), abs=1e-5)  # 0.1 % of pixels differ by 1
    clean, noisy = image_pair(250, 200, channels=1)
    repeated = sample_of(*(np.repeat(image, 3, 2) for image in (noisy, clean)))
    expected = skimage_ssim(clean[..., 0], noisy[..., 0])
    assert SSIM('sketch').score(repeated) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize('channels', [1, 3])
def test_smoothing_touches_the_prediction_alone(channels):
    clean, noisy = image_pair(60, 50, channels=1)
    smooth = cv2.bilateralFilter(noisy, 7, 75, 75)
    sample = sample_of(*(np.repeat(image, channels, 2) for image in (noisy, clean)))
    expected = skimage_ssim(clean[..., 0], smooth)
    assert SSIM('sketch-smooth').score(sample) == pytest.approx(expected, abs=1e-12)
    assert SSIM('sketch-smooth').score(sample) > SSIM('sketch').score(sample)
    smoothed = sample_of(np.repeat(smooth[..., None], channels, 2), np.repeat(clean, channels, 2))
    assert FSIM('sketch-smooth').score(sample) == FSIM('sketch').score(smoothed)


def test_smoothing_comes_before_the_border_is_cut():
    clean, noisy = image_pair(60, 50)
    smooth = cv2.bilateralFilter(noisy, 7, 75, 75)
    found = SSIM(smooth='bilateral', border=4).score(sample_of(noisy, clean))
    assert found == SSIM(border=4).score(sample_of(smooth, clean))


def test_rules_of_8_bit_values():
    image = torch.tensor([-1.0, 0.0, 0.9, 1.49, 1.5, 254.9, 255.0, 300.0]).view(1, 1, -1) / 255
    assert to_uint8(image).ravel().tolist() == [0, 0, 1, 1, 2, 255, 255, 255]
    assert to_uint8(image, 'truncate').ravel().tolist() == [0, 0, 0, 1, 1, 254, 255, 255]
    ramp = torch.tensor([0.25, 0.5, 0.75]).view(1, 1, 3)
    assert to_uint8(ramp, 'stretch').ravel().tolist() == [0, 128, 255]
    assert to_uint8(torch.full((1, 2, 2), 0.4), 'stretch').max() == 0


@pytest.mark.parametrize('saving', SAVINGS)
@pytest.mark.parametrize('channels', [1, 3])
def test_scores_are_those_of_the_saved_file(tmp_path, saving, channels):
    clean, noisy = image_pair(60, 50, channels=channels)
    sample = sample_of(noisy.astype(np.float32) / 300 + 0.1, clean)
    profile = 'gray' if channels == 1 else 'uint8'
    save_pred(sample, tmp_path, saving)
    (file,) = tmp_path.iterdir()
    assert file.suffix == ('.jpg' if saving == 'jpeg' else '.png')
    saved = read_image(file, channels=channels)
    for metric in (PSNR, SSIM):
        found = metric(profile, saving=saving).score(sample)
        assert found == metric(profile).score(sample_of(saved, clean))
    if saving != 'round':
        assert PSNR(profile, saving=saving).score(sample) != PSNR(profile).score(sample)


def test_target_is_never_saved_anew():
    """An 8-bit target stays as it is under every convention."""
    clean, _ = image_pair(60, 50)
    sample = sample_of(clean, clean)
    for saving in SAVINGS:
        rules = protocol(saving=saving, smooth='bilateral')
        assert np.array_equal(rules.prepare(sample.gt), clean)


def test_hook_saves_as_told(tmp_path):
    sample = sample_of(*image_pair(20, 30), key='a/b.c')
    SaveImagesHook(tmp_path, 'jpeg').after_test_iter(None, 0, outputs=[sample])
    assert (tmp_path / 'a' / 'b.c.jpg').is_file()
    with pytest.raises(ConfigError, match=r'one of round, .* jpeg, got .floor'):
        SaveImagesHook(tmp_path, 'floor')


@pytest.mark.parametrize(
    ('arguments', 'text'),
    [
        ({'smooth': 'median'}, "expected one of none, bilateral, got 'median'"),
        ({'saving': 'floor'}, "expected one of round, truncate, stretch, jpeg, got 'floor'"),
        ({'saving': 'truncate', 'rounding': 'float'}, 'need 8-bit images, got .*float'),
        ({'smooth': 'bilateral', 'channels': 'y'}, "need 8-bit images, got channels='y'"),
    ],
)
def test_conventions_that_do_not_fit(arguments, text):
    with pytest.raises(ConfigError, match=text):
        SSIM(**arguments)
