"""Folder data sets: what they give, what they refuse, and the policy for unreadable files."""

import logging

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from noiseedit.datasets import edit_collate
from noiseedit.datasets.base import pack
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import read_image, write_image
from noiseedit.registry import DATASETS
from noiseedit.seeding import derive_seed
from noiseedit.structures import EditSample


def build(kind, *args, **kwargs):
    return DATASETS.get(kind)(*args, **kwargs)


@pytest.mark.parametrize(('kind', 'name'), [('CleanFolder', 'target'), ('NoisyFolder', 'real')])
def test_item_of_a_single_folder(make_folder, kind, name):
    root = make_folder()
    item = build(kind, root)[2]
    sample = item['data_samples']
    assert set(item) == {'inputs', 'data_samples'}
    assert list(item['inputs']) == [name]
    expected = read_image(root / '02.png').transpose(2, 0, 1)
    np.testing.assert_array_equal(item['inputs'][name].numpy(), expected)
    assert item['inputs'][name].is_contiguous()
    assert isinstance(sample, EditSample)
    assert (sample.key, sample.visit, sample.ori_shape) == ('02', 0, (20, 24))
    assert sample.paths == {name: str(root / '02.png')}


def test_positions_hold_visit_and_index(make_folder):
    dataset = build('CleanFolder', make_folder())
    assert len(dataset) == 4
    samples = [dataset[position]['data_samples'] for position in (0, 3, 4, 11)]
    assert [(s.key, s.visit) for s in samples] == [('00', 0), ('03', 0), ('00', 1), ('03', 2)]
    assert [item['data_samples'].key for item in dataset] == ['00', '01', '02', '03']
    with pytest.raises(IndexError, match='position'):
        dataset[-1]


def test_pipeline_gets_the_derived_seed_and_may_add_metainfo(make_folder):
    seen = []

    def step(results):
        seen.append(results['seed'])
        return {**results, 'mood': 'calm', 'mask': np.ones((5, 6, 1), np.uint8)}

    dataset = build('CleanFolder', make_folder(), pipeline=[step])
    dataset.seed = 7
    item = dataset[5]
    assert seen == [derive_seed(7, 'data', '01', 1)]
    assert item['data_samples'].mood == 'calm'
    assert item['inputs']['mask'].shape == (1, 5, 6)
    assert 'seed' not in item['data_samples']


def test_sixteen_bit_files_become_float(tmp_path):
    image = np.arange(12, dtype=np.uint16).reshape(2, 2, 3) * 5000
    write_image(tmp_path / 'deep.png', image)
    tensor = build('CleanFolder', tmp_path)[0]['inputs']['target']
    assert tensor.dtype == torch.float32
    np.testing.assert_allclose(tensor.numpy(), image.transpose(2, 0, 1) / 65535, atol=1e-7)


@pytest.mark.parametrize('channels', [1, 3])
def test_channels(make_folder, channels):
    grey = build('CleanFolder', make_folder('grey', channels=1), channels=channels)
    assert grey[0]['inputs']['target'].shape == (channels, 20, 24)


def test_pairs_by_name_whatever_the_suffix(make_folder):
    source, target = make_folder('a', suffix='.png'), make_folder('b', suffix='.bmp')
    item = build('PairedFolder', source, target)[1]
    assert list(item['inputs']) == ['source', 'target']
    assert item['data_samples'].paths == {
        'source': str(source / '01.png'),
        'target': str(target / '01.bmp'),
    }


def test_pairs_in_one_folder_by_endings(make_folder):
    root = make_folder('both', ending='_real')
    make_folder('both', ending='_mean')
    dataset = build('PairedFolder', root, root, source_ending='_real', target_ending='_mean')
    assert dataset.keys == ['00', '01', '02', '03']
    assert dataset[3]['data_samples'].paths['target'].endswith('03_mean.png')


def test_unpaired_names_are_listed(make_folder):
    source, target = make_folder('a', count=4), make_folder('b', count=3)
    (target / '00.png').rename(target / 'other.png')
    with pytest.raises(DataError, match=r'Only in .*a \(2\): 00, 03\. Only in .*b \(1\): other\.'):
        build('PairedFolder', source, target)


def test_pairs_of_different_sizes_are_refused(make_folder):
    dataset = build('PairedFolder', make_folder('a'), make_folder('b', size=(20, 20)))
    with pytest.raises(DataError, match=r"pair '00': sizes differ: .*\(20, 24\).*\(20, 20\)"):
        dataset[0]


def test_two_files_of_one_name_are_refused(make_folder):
    root = make_folder('a')
    write_image(root / '02.jpg', np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match='same name but for the suffix: 02'):
        build('CleanFolder', root)


@pytest.mark.parametrize('kind', ['CleanFolder', 'NoisyFolder'])
def test_empty_and_missing_folders(tmp_path, kind):
    with pytest.raises(DataError, match='no images in it'):
        build(kind, tmp_path)
    with pytest.raises(DataError, match='gone: no such folder'):
        build(kind, tmp_path / 'gone')
    write_image(tmp_path / 'a.png', np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DataError, match="no image whose name ends in '_real'"):
        build(kind, tmp_path, ending='_real')


def test_unpaired_folders_draw_the_target_by_key_and_visit(make_folder):
    source, target = make_folder('a', count=3), make_folder('b', count=7)
    dataset = build('UnpairedFolders', source, target)
    assert len(dataset) == 3
    drawn = [dataset[p]['data_samples'].target_key for p in range(60)]
    assert set(drawn) == {f'{number:02d}' for number in range(7)}
    again = build('UnpairedFolders', source, target)
    assert [again[p]['data_samples'].target_key for p in range(60)] == drawn
    again.seed = 1
    assert [again[p]['data_samples'].target_key for p in range(60)] != drawn


# Unreadable files.


@pytest.fixture
def damaged(make_folder):
    """Return a folder of 20 images, two of which are damaged."""
    root = make_folder('damaged', count=20)
    for name in ('04.png', '11.png'):
        (root / name).write_bytes(b'damaged')
    return root


@pytest.mark.parametrize('cache', [None, 'memory', 'file'])
def test_raise_names_the_file(damaged, tmp_path, cache):
    cache = tmp_path / 'cache' if cache == 'file' else cache
    dataset = build('CleanFolder', damaged, cache=cache)
    with pytest.raises(DataError, match=r'04\.png: not an image file'):
        dataset[4]
    assert dataset[5]['data_samples'].key == '05'


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('cache', [None, 'memory'])
def test_skip_replaces_deterministically_and_says_so(damaged, workers, cache):
    dataset = build('CleanFolder', damaged, on_error='skip', max_skip_fraction=0.1, cache=cache)
    loader = DataLoader(dataset, sampler=range(40), num_workers=workers, collate_fn=lambda x: x[0])
    items = {(s.visit, getattr(s, 'replaces', s.key)): s for s in
             (item['data_samples'] for item in loader)}  # fmt: skip
    assert len(items) == 40
    replaced = [key for key, s in items.items() if s.key != key[1]]
    assert replaced == [(0, '04'), (0, '11'), (1, '04'), (1, '11')]
    assert not {s.key for s in items.values()} & {'04', '11'}
    assert dataset.skips.skipped == ['04', '11']
    other = build('CleanFolder', damaged, on_error='skip', max_skip_fraction=0.1)
    assert other[24]['data_samples'].key == items[1, '04'].key


def test_skip_stops_beyond_the_fraction_and_lists(damaged):
    dataset = build('CleanFolder', damaged, on_error='skip', max_skip_fraction=0.05)
    assert dataset[4]['data_samples'].replaces == '04'
    with pytest.raises(
        DataError, match=r'2 of 20 images unreadable so far, more than(?s:.*)04\n  11'
    ):
        dataset[11]


def test_skipped_files_are_logged_once_and_listed_at_the_end(damaged, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'noiseedit.datasets.skip.print_log', lambda text, *args: lines.append((text, *args))
    )
    dataset = build('CleanFolder', damaged, on_error='skip', max_skip_fraction=0.1)
    for position in (4, 24, 11):
        dataset[position]
    assert len(lines) == 2
    assert lines[0][2] == logging.WARNING
    assert '04.png: not an image' in lines[0][0]
    del dataset
    assert lines[2][0] == '2 unreadable images were skipped:\n  04\n  11'


def test_skip_counts_unreadable_targets_as_targets(make_folder, damaged):
    dataset = build('UnpairedFolders', make_folder('a'), damaged, on_error='skip',
                    max_skip_fraction=0.1)  # fmt: skip
    drawn = {dataset[p]['data_samples'].target_key for p in range(400)}
    assert drawn == {f'{n:02d}' for n in range(20)} - {'04', '11'}
    assert dataset.skips.skipped == []
    assert dataset.target_skips.skipped == ['04', '11']


def test_a_folder_of_nothing_readable_ends_with_an_error(make_folder):
    root = make_folder('all', count=3)
    for file in root.iterdir():
        file.write_bytes(b'x')
    dataset = build('CleanFolder', root, on_error='skip', max_skip_fraction=1)
    with pytest.raises(DataError, match="found no readable image to replace '00'"):
        dataset[0]


def test_unknown_policy_is_refused(make_folder):
    with pytest.raises(ConfigError, match="on_error: expected 'raise' or 'skip', got 'ignore'"):
        build('CleanFolder', make_folder(), on_error='ignore')
    with pytest.raises(ConfigError, match='max_skip_fraction: expected 0 to 1, got 5'):
        build('CleanFolder', make_folder(), on_error='skip', max_skip_fraction=5)


# Batches.


def test_collate_stacks(make_folder):
    dataset = build('CleanFolder', make_folder())
    batch = edit_collate([dataset[0], dataset[3]])
    assert batch['inputs']['target'].shape == (2, 3, 20, 24)
    assert batch['inputs']['target'].dtype == torch.uint8
    assert [sample.key for sample in batch['data_samples']] == ['00', '03']
    assert edit_collate(batch) is batch


def test_collate_names_keys_and_sizes(make_folder):
    first = build('CleanFolder', make_folder('a'))[0]
    second = build('CleanFolder', make_folder('b', size=(8, 9)))[1]
    message = r"target: images .*'00' \(3, 20, 24\), '01' \(3, 8, 9\)\. Crop .* or set batch_size=1"
    with pytest.raises(DataError, match=message):
        edit_collate([first, second])


def test_collate_names_keys_with_other_inputs(make_folder):
    first, second = (build('CleanFolder', make_folder())[i] for i in (0, 1))
    second['inputs']['source'] = second['inputs']['target']
    for items in ([first, second], [second, first]):
        with pytest.raises(DataError, match=r"'01' has source, target") as caught:
            edit_collate(items)
        assert "'00' has target" in str(caught.value)


@pytest.mark.parametrize('shape', [(4, 5), (1, 4, 5, 3)])
def test_an_array_that_is_no_image_is_named(shape):
    with pytest.raises(DataError, match=r"'k': expected depth as \(H, W, C\), got shape"):
        pack({'key': 'k', 'depth': np.zeros(shape, np.uint8)})


def test_collate_mixes_8_and_16_bit_as_float():
    def item(image):
        return {'inputs': {'real': image}, 'data_samples': EditSample(metainfo={'key': 'k'})}

    eight, deep = torch.full((1, 2, 2), 51, dtype=torch.uint8), torch.full((1, 2, 2), 0.5)
    batch = edit_collate([item(eight), item(deep)])['inputs']['real']
    torch.testing.assert_close(batch[:, 0, 0, 0], torch.tensor([0.2, 0.5]))


def test_real_pairs_are_found(shared):
    root = shared('real_noise/CC15')
    dataset = build('PairedFolder', root, root, source_ending='_real', target_ending='_mean')
    assert len(dataset) == 15
    assert dataset[0]['inputs']['source'].shape == (3, 512, 512)


def test_set12_is_grey(shared):
    dataset = build('CleanFolder', shared('testsets/Set12'), channels=1)
    assert len(dataset) == 12
    assert {item['inputs']['target'].shape[0] for item in dataset} == {1}
