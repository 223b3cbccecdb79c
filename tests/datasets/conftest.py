"""Small image folders for the tests of data sets."""

from pathlib import Path

import numpy as np
import pytest

from noiseedit.imaging import write_image


@pytest.fixture
def make_folder(tmp_path):
    """Return a function that writes random images and returns their folder."""

    def make(name='images', count=4, size=(20, 24), channels=3, suffix='.png', ending=''):
        rng = np.random.default_rng(len(name) + count)
        for number in range(count):
            image = rng.integers(0, 256, (*size, channels), dtype=np.uint8)
            write_image(tmp_path / name / f'{number:02d}{ending}{suffix}', image)
        return tmp_path / name

    return make


@pytest.fixture
def shared():
    """Return a function for the path of shared data, which skips the test where it is absent."""

    def find(name):
        place = Path(__file__).resolve().parents[2] / '../shared/data' / name
        if not place.exists():
            pytest.skip(f'../shared/data/{name} is not there')
        return place

    return find
