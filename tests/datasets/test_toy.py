"""Toy data sets: no files, no downloads, the same numbers everywhere."""

import socket

import numpy as np
import pytest

from noiseedit.datasets.toy import PHOTOS, ToyPhotos, ToyShapes, pencil
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import to_grey


@pytest.fixture(scope='module')
def photos():
    return {split: ToyPhotos(split) for split in PHOTOS}


def test_photos_need_no_network(monkeypatch):
    monkeypatch.setattr(socket.socket, 'connect', lambda *args: pytest.fail('network'))
    assert len(ToyPhotos('test', 'denoise')) == 33


def test_training_and_test_share_no_photograph(photos):
    named = {
        split: {dataset[i]['data_samples'].paths['source'] for i in range(len(dataset))}
        for split, dataset in photos.items()
    }
    assert not named['train'] & named['test']
    assert len(photos['train']) > 500
    assert len(photos['test']) == 33


def test_test_crops_do_not_overlap(photos):
    covered = {
        name: np.zeros(p['target'].shape[:2], int) for name, p in photos['test'].photos.items()
    }
    for name, top, left in photos['test'].places:
        covered[name][top : top + 64, left : left + 64] += 1
    assert {int(image.max()) for image in covered.values()} == {1}


def test_items_are_crops_of_source_and_target(photos):
    item = photos['train'][40]
    assert {name: tuple(image.shape) for name, image in item['inputs'].items()} == {
        'source': (3, 64, 64),
        'target': (3, 64, 64),
    }
    name, top, left = photos['train'].places[40]
    whole = photos['train'].photos[name]['target']
    np.testing.assert_array_equal(
        item['inputs']['target'], whole[top : top + 64, left : left + 64].transpose(2, 0, 1)
    )


@pytest.mark.parametrize('task', ['denoise', 'identity'])
def test_clean_tasks_give_the_target_alone(task):
    assert list(ToyPhotos('test', task, length=1)[0]['inputs']) == ['target']
    assert list(ToyShapes(1, task)[0]['inputs']) == ['target']


def test_length_spreads_over_the_photographs():
    dataset = ToyPhotos('test', length=3)
    assert {key.split('/')[0] for key in dataset.keys} == {'chelsea', 'coffee', 'camera'}
    with pytest.raises(ConfigError, match='length: expected 1 to 33 crops, got 99'):
        ToyPhotos('test', length=99)


def test_pencil_formula():
    from scipy.ndimage import gaussian_filter

    grey = np.random.default_rng(0).random((40, 50, 1)).astype(np.float32)
    smooth = gaussian_filter(grey[:, :, 0], 3.0, mode='mirror', truncate=5)
    expected = np.minimum(1, (grey[:, :, 0] + 1 / 32) / (smooth + 1 / 32)) ** 2
    drawing = pencil(grey, sigma=3.0)
    assert drawing.shape == (40, 50, 3)
    assert np.abs(drawing[:, :, 0] / 255 - expected).max() < 0.02
    flat = np.full((20, 20, 3), 90, np.uint8)
    assert pencil(flat).min() == 255


def test_pencil_is_neither_trivial_nor_blind_to_noise(photos):
    rng = np.random.default_rng(0)
    for images in photos['test'].photos.values():
        photo, drawing = images['source'], images['target']
        grey = photo.mean(axis=2)
        correlation = np.corrcoef(grey.ravel(), drawing[:, :, 0].ravel())[0, 1]
        assert abs(correlation) < 0.8
        noisy = np.clip(photo + rng.normal(0, 25, photo.shape), 0, 255).astype(np.uint8)
        change = np.abs(pencil(noisy).astype(int) - drawing).mean()
        noise = np.abs(to_grey(noisy).astype(int) - to_grey(photo)).mean()
        assert change > 1.5 * noise


@pytest.mark.parametrize(
    'make', [lambda: ToyPhotos('test', length=5), lambda: ToyShapes(5, 'pencil')]
)
def test_toy_sets_are_deterministic(make):
    for one, two in zip(make(), make(), strict=True):
        for name in ('source', 'target'):
            np.testing.assert_array_equal(one['inputs'][name], two['inputs'][name])


def test_shapes_differ_by_number_and_split():
    images = [
        ToyShapes(8, split=s)[i]['inputs']['target'] for s in ('train', 'test') for i in range(8)
    ]
    assert len({image.numpy().tobytes() for image in images}) == 16
    assert all(image.float().std() > 10 for image in images)


def test_golden_values_of_toy_images():
    # Photographs decode alike everywhere; resizing and blurring may differ by one between builds.
    item = ToyPhotos('test')[3]['inputs']
    means = [float(item[name].float().mean()) for name in ('source', 'target')]
    np.testing.assert_allclose(means, [119.9, 241.0], atol=0.2)


def test_wrong_options_are_refused(monkeypatch):
    with pytest.raises(ConfigError, match="split: expected 'train' or 'test', got 'val'"):
        ToyPhotos('val')
    with pytest.raises(ConfigError, match=r"task: expected one of \('pencil'"):
        ToyPhotos('test', 'ink')
    with pytest.raises(ConfigError, match='size: expected 1 to short_side=192 pixels, got 300'):
        ToyPhotos('test', size=300)
    monkeypatch.setitem(PHOTOS, 'test', ('unknown.png',))
    with pytest.raises(DataError, match=r'unknown\.png: scikit-image .* ships no such photograph'):
        ToyPhotos('test')
