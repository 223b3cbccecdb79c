"""CIFAR-10: official files, zip and folder give the same images."""

import hashlib
import pickle
import zipfile

import cv2
import numpy as np
import pytest

from noiseedit.datasets.cifar import CIFAR10, CLASSES
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image

IMAGES = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), dtype=np.uint8)
LABELS = [number // 3 for number in range(30)]


def names():
    return [f'{CLASSES[label]}/{number % 3:04d}.png' for number, label in enumerate(LABELS)]


@pytest.fixture
def folder(tmp_path):
    for name, image in zip(names(), IMAGES, strict=True):
        write_image(tmp_path / 'folder' / name, image)
    return tmp_path / 'folder'


@pytest.fixture
def zipped(tmp_path):
    (tmp_path / 'zips').mkdir()
    for split in ('train', 'test'):
        with zipfile.ZipFile(tmp_path / 'zips' / f'cifar10_{split}.zip', 'w') as archive:
            for name, image in zip(names(), IMAGES, strict=True):
                archive.writestr(name, cv2.imencode('.png', image[:, :, ::-1])[1].tobytes())
            archive.writestr('readme.txt', 'not an image')
    return tmp_path / 'zips'


@pytest.fixture
def official(tmp_path, monkeypatch):
    """Write files in the official format, and let torchvision accept their checksums."""
    from torchvision.datasets import CIFAR10 as Official

    place = tmp_path / 'official' / 'cifar-10-batches-py'
    place.mkdir(parents=True)
    flat = IMAGES.transpose(0, 3, 1, 2).reshape(30, 3072)
    parts = {f'data_batch_{number + 1}': slice(number * 6, number * 6 + 6) for number in range(5)}
    sums = {}
    for name, part in {**parts, 'test_batch': slice(0, 30)}.items():
        data = pickle.dumps({'data': flat[part], 'labels': LABELS[part]})
        (place / name).write_bytes(data)
        sums[name] = hashlib.md5(data).hexdigest()
    meta = pickle.dumps({'label_names': list(CLASSES)})
    (place / 'batches.meta').write_bytes(meta)
    monkeypatch.setattr(Official, 'train_list', [[name, sums[name]] for name in parts])
    monkeypatch.setattr(Official, 'test_list', [['test_batch', sums['test_batch']]])
    monkeypatch.setattr(
        Official,
        'meta',
        {
            'filename': 'batches.meta',
            'key': 'label_names',
            'md5': hashlib.md5(meta).hexdigest(),
        },
    )
    return tmp_path / 'official'


@pytest.mark.parametrize('split', ['train', 'test'])
@pytest.mark.parametrize('form', ['folder', 'zipped', 'official'])
def test_all_forms_hold_the_same_images(request, form, split):
    dataset = CIFAR10(request.getfixturevalue(form), split)
    assert len(dataset) == 30
    np.testing.assert_array_equal(dataset.images, IMAGES)
    assert dataset.labels == LABELS
    item = dataset[17]
    np.testing.assert_array_equal(item['inputs']['target'], IMAGES[17].transpose(2, 0, 1))
    assert item['data_samples'].key == f'{split}/00017'
    assert item['data_samples'].label == 5


def test_a_zip_file_itself_and_split_folders(zipped, folder, tmp_path):
    np.testing.assert_array_equal(CIFAR10(zipped / 'cifar10_test.zip').images, IMAGES)
    folder.rename(tmp_path / 'train')
    np.testing.assert_array_equal(CIFAR10(tmp_path, 'train').images, IMAGES)


@pytest.mark.parametrize('form', ['folder', 'zipped'])
def test_cache_keeps_the_decoded_images(request, form, tmp_path, monkeypatch):
    root = request.getfixturevalue(form)
    CIFAR10(root, cache=tmp_path / 'cache')
    for name in ('store.read_image', 'cifar.decode_image'):
        monkeypatch.setattr(f'noiseedit.datasets.{name}', lambda *a, **k: pytest.fail('decoded'))
    np.testing.assert_array_equal(CIFAR10(root, cache=tmp_path / 'cache').images, IMAGES)


def test_length_name_and_gather(folder):
    dataset = CIFAR10(folder, length=15, input_name='real')
    assert len(dataset) == 15
    assert list(dataset[11]['inputs']) == ['real']
    batch = dataset.gather([3, 0, 3])
    assert batch.shape == (3, 3, 32, 32)
    assert batch.is_contiguous()
    np.testing.assert_array_equal(batch[0], IMAGES[6].transpose(2, 0, 1))


def test_a_part_of_files_sorted_by_class_has_all_classes(folder):
    assert len(CIFAR10(folder).labels) == 30
    tenth = CIFAR10(folder, length=10)
    assert tenth.labels == list(range(10))
    assert tenth.keys == [f'train/{number:05d}' for number in range(0, 30, 3)]
    assert len(CIFAR10(folder, length=99)) == 30
    assert CIFAR10(folder, length=4, classes=(3, 8)).labels == [3, 3, 8, 8]


def test_what_is_no_cifar10_is_refused(folder, zipped, official, tmp_path):
    with pytest.raises(DataError, match=r'no CIFAR-10 here\. Expected cifar-10-batches-py/'):
        CIFAR10(tmp_path / 'nothing')
    with pytest.raises(ConfigError, match="split: expected 'train' or 'test', got 'val'"):
        CIFAR10(folder, 'val')
    (official / 'cifar-10-batches-py' / 'data_batch_3').write_bytes(b'changed')
    with pytest.raises(DataError, match='cifar-10-batches-py: Dataset not found or corrupted'):
        CIFAR10(official)
    write_image(folder / 'bird/big.png', np.zeros((40, 40, 3), np.uint8))
    with pytest.raises(DataError, match='expected 8-bit images of 32 x 32 pixels only'):
        CIFAR10(folder)
    (folder / 'bird/big.png').write_bytes(b'bad')
    with pytest.raises(DataError, match=r'big\.png: not an image file'):
        CIFAR10(folder)
    (zipped / 'cifar10_train.zip').write_bytes(b'PK no zip')
    with pytest.raises(DataError, match=r'cifar10_train\.zip: cannot be read as a zip file'):
        CIFAR10(zipped)


def test_a_part_of_the_real_test_images(shared, tmp_path):
    with (
        zipfile.ZipFile(shared('cifar10/cifar10_test.zip')) as whole,
        zipfile.ZipFile(tmp_path / 'part.zip', 'w') as part,
    ):
        for name in whole.namelist()[::50]:
            part.writestr(name, whole.read(name))
    dataset = CIFAR10(tmp_path / 'part.zip', 'test')
    assert dataset.images.shape == (200, 32, 32, 3)
    assert [dataset.labels.count(label) for label in range(10)] == [20] * 10
    assert 100 < dataset.images.mean() < 140
