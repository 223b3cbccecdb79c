"""Small image folders for the tests of data sets."""

from pathlib import Path

import numpy as np
import pytest

from noiseedit.datasets.face_sketch import PUBLISHED_COUNTS
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


@pytest.fixture
def make_sketches(tmp_path):
    """Return a function that lays out photographs and sketches: links to two small files."""

    def make(root, names, photo='{}', sketch='{}', size=(250, 200)):
        for kind, pattern, value in (('photo', photo, 90), ('sketch', sketch, 240)):
            single = tmp_path / f'{kind}_{size[0]}x{size[1]}.png'
            if not single.exists():
                write_image(single, np.full((*size, 3), value, np.uint8))
            for name in names:
                file = tmp_path / root / kind / f'{pattern.format(name)}.png'
                file.parent.mkdir(parents=True, exist_ok=True)
                file.hardlink_to(single)
        return tmp_path / root

    return make


@pytest.fixture
def make_cufs(tmp_path, make_sketches):
    """Return a function that lays out databases of the published sizes; names are numbers."""

    def make(*databases, root='data'):
        for database in databases:
            count = sum(PUBLISHED_COUNTS[database])
            make_sketches(f'{root}/{database}', [f'{n:04d}' for n in range(count)])
        return tmp_path / root

    return make
