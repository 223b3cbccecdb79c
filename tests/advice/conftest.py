"""Folders of pictures with the spectrum of photographs."""

import pytest
from advice_pictures import picture

from noiseedit.imaging import write_image
from noiseedit.noises.build import build
from noiseedit.noises.files import corrupt_image


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
