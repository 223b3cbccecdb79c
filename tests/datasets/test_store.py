"""The decode-free store: equal to the files, renewed when stale, safe under several builders."""

import json
import multiprocessing
import os
import pickle
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from noiseedit.datasets.folders import CleanFolder, PairedFolder
from noiseedit.datasets.store import ImageStore, open_images
from noiseedit.errors import DataError
from noiseedit.imaging import list_images, read_image, write_image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def mixed(make_folder):
    """Return a folder of several sizes, grey and colour, 8 and 16 bit."""
    root = make_folder('mixed', count=2)
    make_folder('mixed/b', count=3, size=(5, 7))
    make_folder('mixed/c', count=2, size=(9, 3), channels=1)
    write_image(root / 'deep.png', np.arange(30, dtype=np.uint16).reshape(2, 5, 3) * 2000)
    return root


def store_of(root, cache, channels=None, **kwargs):
    return open_images(root, list_images(root), channels, cache, **kwargs)


@pytest.mark.parametrize('channels', [None, 1, 3])
@pytest.mark.parametrize('place', ['memory', 'file'])
def test_store_equals_the_files(mixed, tmp_path, channels, place):
    store = store_of(mixed, tmp_path / 'cache' if place == 'file' else 'memory', channels)
    files = list_images(mixed)
    assert isinstance(store, ImageStore)
    assert len(store) == len(files) == 8
    for number, file in enumerate(files):
        expected = read_image(file, channels=channels)
        assert store[number].dtype == expected.dtype
        np.testing.assert_array_equal(store[number], expected)


def test_images_of_a_store_cannot_be_written_to(mixed, tmp_path):
    image = store_of(mixed, tmp_path / 'cache')[0]
    with pytest.raises(ValueError, match='read-only'):
        image[0, 0, 0] = 1


@pytest.mark.parametrize('cache', ['memory', 'file'])
def test_data_sets_are_equal_with_and_without_cache(make_folder, tmp_path, cache):
    cache = tmp_path / 'cache' if cache == 'file' else cache
    a, b = make_folder('a'), make_folder('b')
    pipeline = [{'type': 'RandomCrop', 'size': 8}]
    plain = PairedFolder(a, b, pipeline=pipeline)
    cached = PairedFolder(a, b, pipeline=pipeline, cache=cache)
    for position in range(8):
        one, two = plain[position], cached[position]
        for name in ('source', 'target'):
            np.testing.assert_array_equal(one['inputs'][name], two['inputs'][name])
        assert one['data_samples'].paths == two['data_samples'].paths


def test_a_fresh_store_is_opened_without_decoding(mixed, tmp_path, monkeypatch):
    first = store_of(mixed, tmp_path / 'cache')
    monkeypatch.setattr(
        'noiseedit.datasets.store.read_image', lambda *a, **k: pytest.fail('decoded again')
    )
    second = store_of(mixed, tmp_path / 'cache')
    assert second.source == first.source
    assert np.array_equal(second[0], first[0])


def touch(root):
    os.utime(root / '00.png', ns=(1, 1))


def replace(root):
    write_image(root / '00.png', np.zeros((20, 24, 3), np.uint8))


def add(root):
    write_image(root / 'new.png', np.zeros((4, 4, 3), np.uint8))


def rename(root):
    (root / '00.png').rename(root / 'zz.png')


def remove(root):
    (root / '00.png').unlink()


@pytest.mark.parametrize('change', [touch, replace, add, rename, remove])
def test_a_stale_store_is_made_anew(make_folder, tmp_path, change):
    root = make_folder('a')
    old = store_of(root, tmp_path / 'cache')
    fingerprint = old.meta['fingerprint']
    change(root)
    new = store_of(root, tmp_path / 'cache')
    assert new.meta['fingerprint'] != fingerprint
    assert new.source == old.source
    for number, file in enumerate(list_images(root)):
        np.testing.assert_array_equal(new[number], read_image(file))
    assert len(old) == 4  # the old mapping stays readable
    assert old[0].shape == (20, 24, 3)


@pytest.mark.parametrize(
    'damage', [lambda data: data[:-40], lambda data: b'', lambda data: b'x' * 99]
)
def test_a_damaged_store_is_refused_and_made_anew(make_folder, tmp_path, damage):
    root = make_folder('a')
    path = store_of(root, tmp_path / 'cache').source
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises((DataError, ValueError)):
        ImageStore(path)
    assert len(store_of(root, tmp_path / 'cache')) == 4


def test_choices_of_one_folder_have_stores_of_their_own(make_folder, tmp_path):
    root = make_folder('a', ending='_x')
    make_folder('a', ending='_y', count=2)
    folders = [CleanFolder(root, ending=end, cache=tmp_path / 'cache') for end in ('_x', '_y', '')]
    folders.append(CleanFolder(root, channels=1, cache=tmp_path / 'cache'))
    assert [len(folder) for folder in folders] == [4, 2, 6, 6]
    assert len({folder.folder.images.source for folder in folders}) == 4


def test_unreadable_images_are_kept_as_errors(make_folder, tmp_path):
    root = make_folder('a')
    (root / '01.png').write_bytes(b'bad')
    for _ in range(2):
        store = store_of(root, tmp_path / 'cache')
        assert store[0].shape == (20, 24, 3)
        with pytest.raises(DataError, match=r'01\.png: not an image file'):
            store[1]


def test_a_store_survives_pickling(mixed, tmp_path):
    for cache in (tmp_path / 'cache', 'memory'):
        store = store_of(mixed, cache)
        clone = pickle.loads(pickle.dumps(store))
        np.testing.assert_array_equal(clone[3], store[3])
    assert len(pickle.dumps(store_of(mixed, tmp_path / 'cache'))) < 1000


def _open(root, cache, queue):
    store = open_images(root, list_images(root), 3, cache)
    queue.put(int(sum(store[number].sum() for number in range(len(store)))))


def test_processes_that_build_at_once_agree(make_folder, tmp_path):
    root = make_folder('many', count=40)
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    jobs = [context.Process(target=_open, args=(root, tmp_path / 'cache', queue)) for _ in range(4)]
    for job in jobs:
        job.start()
    sums = {queue.get(timeout=60) for _ in jobs}
    for job in jobs:
        job.join()
    expected = sum(int(read_image(file).sum()) for file in list_images(root))
    assert sums == {expected}
    left = sorted(path.suffix for path in (tmp_path / 'cache').iterdir())
    assert left == ['.images', '.lock']


def test_a_failed_build_leaves_nothing_behind(make_folder, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr('noiseedit.datasets.store._write_aligned', full)
    with pytest.raises(DataError, match=r'image cache cannot be written: .*No space left'):
        store_of(make_folder('a'), tmp_path / 'cache')
    assert [path.suffix for path in (tmp_path / 'cache').iterdir()] == ['.lock']


def test_stacked_needs_equal_sizes(make_folder, mixed):
    equal = store_of(make_folder('a', size=(8, 8)), 'memory')
    np.testing.assert_array_equal(equal.stacked()[2], equal[2])
    assert store_of(make_folder('odd', size=(5, 5)), 'memory').stacked() is None
    assert store_of(mixed, 'memory').stacked() is None


def test_footer_is_readable_json(make_folder, tmp_path):
    data = store_of(make_folder('a'), tmp_path / 'cache').source.read_bytes()
    length = int.from_bytes(data[-16:-8], 'little')
    meta = json.loads(data[-16 - length : -16])
    assert meta['count'] == 4
    assert meta['unreadable'] == {}


def test_the_tool_makes_the_store_that_the_data_set_opens(
    make_folder, tmp_path, monkeypatch, capsys
):
    root = make_folder('a')
    (root / '03.png').write_bytes(b'bad')
    monkeypatch.setattr(sys, 'argv', ['cache.py', str(root), '--out', str(tmp_path / 'c')])
    with pytest.raises(SystemExit, match='1'):
        runpy.run_path(str(ROOT / 'tools/cache.py'), run_name='__main__')
    assert '03.png: not an image file' in capsys.readouterr().out
    made = next((tmp_path / 'c').glob('a-*.images'))
    before = made.stat().st_mtime_ns
    assert CleanFolder(root, cache=tmp_path / 'c').folder.images.source == made
    assert made.stat().st_mtime_ns == before
