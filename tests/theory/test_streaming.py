"""Images on their way into a spectrum: bad ones, many at once, several processes."""

import os
import subprocess
import sys
import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from smooth_pictures import picture

from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image
from noiseedit.theory import patch_spectrum, patch_statistics
from noiseedit.theory import patches as patches_module
from noiseedit.theory.patches import patch_sums, whole_numbers
from noiseedit.theory.streaming import BACKLOG, map_images

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def images():
    return [picture(67, 83, 0), picture(40, 120, 1), picture(48, 48, 2)]


# What must not matter.


@pytest.mark.parametrize('channels', ['luma', 'rgb', 'each'])
@pytest.mark.parametrize('kind', ['uint8', 'float'])
def test_order_of_additions_within_an_image_does_not_change_a_bit(channels, kind, monkeypatch):
    image = picture(96, 200, 3)
    image = image if kind == 'uint8' else image / 255 + np.random.default_rng(0).normal(0, 0.3)
    planes, scale = whole_numbers(image, channels)
    joint = channels != 'each'
    whole = patch_sums(planes, scale, 4, joint=joint)
    monkeypatch.setattr(patches_module, 'BLOCK', 1)
    strips = patch_sums(planes, scale, 4, joint=joint)
    assert whole.outer.tobytes() == strips.outer.tobytes()
    assert whole.total.tobytes() == strips.total.tobytes()
    assert whole.count == strips.count == 24 * 50


def test_workers_change_neither_bits_nor_errors(images, tmp_path):
    paths = [tmp_path / f'{index}.png' for index in range(4)]
    for path, image in zip(paths, [*images, images[0]], strict=True):
        write_image(path, image)
    write_image(paths[3], images[0] / 300, bits=16)
    mixed = [*paths, images[1] / 255, images[2], str(paths[0])]
    here = patch_statistics(mixed, 4, 'rgb')
    there = patch_statistics(mixed, 4, 'rgb', workers=2)
    assert here.covariance.tobytes() == there.covariance.tobytes()
    assert here.mean.tobytes() == there.mean.tobytes()
    assert here.images == there.images == 7
    paths[2].write_bytes(b'no picture')
    for workers in (1, 2):
        with pytest.raises(DataError, match=r'2\.png: not an image file'):
            patch_spectrum(tmp_path, 4, workers=workers)


def test_images_are_taken_as_they_are_needed(images):
    taken, ahead = [], []

    def source():
        for index in range(6):
            taken.append(index)
            yield images[index % 3]

    def progress(results):
        for done, result in enumerate(results, start=1):
            ahead.append(len(taken) - done)
            yield result

    assert patch_statistics(source(), 4, progress=progress).images == 6
    assert ahead == [0] * 6


def test_only_a_few_images_wait_for_workers():
    code = f"""
        from functools import partial
        import numpy as np
        from noiseedit.theory.patches import patch_statistics
        if __name__ == '__main__':
            taken, ahead = [], []
            def source():
                for index in range(40):
                    taken.append(index)
                    yield np.full((16, 16), index, np.uint8)
            def progress(results):
                for done, result in enumerate(results, start=1):
                    ahead.append(len(taken) - done)
                    yield result
            patch_statistics(source(), 4, workers=2, progress=progress)
            assert 0 <= max(ahead) <= {BACKLOG * 2}, ahead
            print('bounded')
    """
    assert 'bounded' in run_script(code).stdout


def test_script_without_main_guard_is_told_so(tmp_path):
    code = """
        import numpy as np
        from noiseedit.theory.patches import patch_statistics
        patch_statistics([np.zeros((16, 16), np.uint8)], 4, workers=2)
    """
    found = run_script(code, tmp_path)
    assert "__name__ == '__main__'" in found.stderr.splitlines()[-1]


def test_import_is_light():
    code = "import noiseedit.theory, sys; print({'torch', 'mmengine', 'cv2'} & set(sys.modules))"
    assert run_script(code).stdout.strip() == 'set()'


def run_script(code, folder=None):
    """Run code as a file, so that worker processes can import it, or by ``-c``."""
    command = ['-c', textwrap.dedent(code)]
    if folder is not None:
        script = folder / 'script.py'
        script.write_text(textwrap.dedent(code))
        command = [str(script)]
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, env=environment, timeout=120
    )


# Bad input.


@pytest.mark.parametrize(
    ('images', 'message'),
    [
        ([], 'at least one image'),
        (iter(()), 'at least one image'),
        ([np.full((16, 16), np.nan)], r'images\[0\].*NaN'),
        ([np.full((16, 16), np.inf)], 'NaN or infinity'),
        ([np.zeros((16, 16), np.uint8), np.linspace(0, 255, 256).reshape(16, 16)], r'images\[1\]'),
        ([np.linspace(-1, 0.8, 256).reshape(16, 16)], r'\(x \+ 1\) / 2'),
        ([np.full((16, 16), 9.0)], 'in \\[0, 255\\] x / 255'),
        ([np.zeros((16, 16), np.int64)], 'got int64'),
        ([np.zeros((16, 16, 4), np.uint8)], r'got \(16, 16, 4\)'),
        ([np.zeros((3, 16, 16), np.uint8)], r'got \(3, 16, 16\)'),
        ([np.zeros((0, 16), np.uint8)], r'got \(0, 16\)'),
        ([np.zeros((16, 3), np.uint8)], '16 x 3 is smaller than a patch of 4 x 4'),
        ([np.zeros((16, 16), np.uint8)], '16 patches of 16 elements'),
        (np.zeros((16, 16, 3), np.uint8), 'put it into a list'),
        (np.zeros((16, 16), np.uint8), 'put it into a list'),
        ([object()], 'an array or a path, got object'),
        ({'a': 1}, 'got dict'),
        (3, 'got int'),
        (['nowhere.png'], 'nowhere.png'),
        ('no_such_folder', 'no_such_folder'),
    ],
)
def test_bad_images_are_named(images, message):
    with pytest.raises(DataError, match=message):
        patch_spectrum(images, 4)


def test_noise_may_leave_the_range():
    rng = np.random.default_rng(0)
    dark = rng.normal(0, 0.4, (64, 64))
    assert patch_spectrum([dark], 4, value_range='[0,1]').mean() == pytest.approx(0.16, rel=0.1)


@pytest.mark.parametrize(
    'options',
    [
        {'patch_size': 1},
        {'patch_size': 4.5},
        {'channels': 'grey'},
        {'value_range': '[0,255]'},
        {'value_range': [-1, 1]},
        {'workers': True},
        {'workers': 0},
        {'workers': 1.5},
        {'floor': 0},
        {'noise_variance': -1},
        {'noise_variance': float('nan')},
    ],
)
def test_bad_options_are_named(images, options):
    with pytest.raises(ConfigError, match=next(iter(options))):
        patch_spectrum(images, **options)


def test_work_gets_image_and_name(images):
    found = list(map_images(partial(_shape_of, add=1), iter(images[:2])))
    assert found == [('images[0]', 68), ('images[1]', 41)]


def _shape_of(image, name, add):
    return name, image.shape[0] + add
