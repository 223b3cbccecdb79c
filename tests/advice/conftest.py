"""Pictures with the spectrum of photographs."""

import numpy as np
import pytest

from noiseedit.imaging import write_image
from noiseedit.noises.build import build
from noiseedit.noises.files import corrupt_image


def picture(seed, size=64):
    """Return (size, size, 3) float in [0, 1]: noise with spectrum f^-3, grey with a tint."""
    random = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    frequency[0, 0] = np.inf
    field = np.fft.ifft2(np.fft.fft2(random.standard_normal((size, size))) / frequency**1.5).real
    grey = 0.45 + 0.13 * field / field.std()
    return np.clip(grey[:, :, None] * (1.0, 0.95, 0.9), 0, 1)


@pytest.fixture(scope='session')
def photos(tmp_path_factory):
    """Return a folder with eight pictures of 64 x 64."""
    folder = tmp_path_factory.mktemp('photos')
    for seed in range(8):
        write_image(folder / f'{seed}.png', picture(seed))
    return folder


@pytest.fixture(scope='session')
def noisy_photos(tmp_path_factory):
    """Return a folder with pictures of the variances 0.01 to 0.05 in [-1, 1]."""
    folder = tmp_path_factory.mktemp('deployed')
    for seed, variance in enumerate((0.01, 0.02, 0.03, 0.04, 0.05)):
        noise = build({'type': 'GaussianNoise', 'variance': variance, 'unit': '[-1,1]'})
        noisy = corrupt_image(noise, picture(seed, 128), str(seed), 0)
        write_image(folder / f'{seed}.png', noisy)
    return folder
