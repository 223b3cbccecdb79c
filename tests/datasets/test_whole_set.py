"""WholeSet: the same items as the inner set, whole batches at once, refusals, cache."""

import os
import zipfile
from itertools import islice

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from noiseedit.datasets import CIFAR10, FirstImages, ToyShapes, WholeSet, edit_collate
from noiseedit.engine.loaders import seed_loader
from noiseedit.engine.sampler import CounterSampler
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS

NOISE = {'type': 'AddNoise', 'noise': 'nrgan/B', 'key': 'real', 'fixed': True}
FLOAT = [{'type': 'Rename', 'target': 'real'}, {'type': 'ToFloat'}, NOISE]
EIGHT_BIT = [{'type': 'Rename', 'target': 'real'}, NOISE]


def shapes(pipeline=FLOAT, **changes):
    return {'type': 'ToyShapes', 'length': 11, 'size': 16, 'pipeline': pipeline, **changes}


def assert_same(item, other):
    assert list(item['inputs']) == list(other['inputs'])
    for name, image in item['inputs'].items():
        assert image.dtype == other['inputs'][name].dtype
        assert torch.equal(image, other['inputs'][name])
    samples = item['data_samples'], other['data_samples']
    found, expected = (dict(sample.metainfo_items()) for sample in samples)
    assert found == expected


@pytest.mark.parametrize('pipeline', [FLOAT, EIGHT_BIT, []], ids=['float', 'uint8', 'clean'])
@pytest.mark.parametrize('cached', [False, True])
def test_items_are_those_of_the_inner_set(pipeline, cached, tmp_path):
    whole = WholeSet(shapes(pipeline), cache=tmp_path if cached else None)
    inner = DATASETS.build(shapes(pipeline))
    assert len(whole) == len(inner)
    assert whole.metainfo == inner.metainfo
    for position in (0, 3, 10, 11 + 3):
        assert_same(whole[position], inner[position])


def test_the_same_noise_at_every_visit():
    whole = WholeSet(shapes())
    first, later = whole[4], whole[4 + 11 * 7]
    assert torch.equal(first['inputs']['real'], later['inputs']['real'])
    assert (first['data_samples'].visit, later['data_samples'].visit) == (0, 7)
    clean = ToyShapes(11, size=16)[4]['inputs']['target'].float() / 255
    assert (first['inputs']['real'] - clean).std() > 5 / 255


def test_a_batch_is_its_items_stacked():
    whole = WholeSet(shapes(), samples=True)
    positions = [7, 2, 11 + 7, 33]
    batch = whole.__getitems__(positions)
    expected = edit_collate([whole[position] for position in positions])
    assert torch.equal(batch['inputs']['real'], expected['inputs']['real'])
    assert edit_collate(batch) is batch
    pairs = zip(batch['data_samples'], expected['data_samples'], strict=True)
    for sample, other in pairs:
        assert dict(sample.metainfo_items()) == dict(other.metainfo_items())
    plain = WholeSet(shapes()).__getitems__(positions)
    assert plain['data_samples'] is None
    assert torch.equal(plain['inputs']['real'], batch['inputs']['real'])


def test_what_is_given_out_can_be_changed():
    whole = WholeSet(shapes())
    expected = whole[0]['inputs']['real'].clone()
    whole[0]['inputs']['real'].zero_()
    whole.__getitems__([0])['inputs']['real'].zero_()
    whole[0]['data_samples'].set_metainfo({'key': 'other'})
    assert torch.equal(whole[0]['inputs']['real'], expected)
    assert whole[0]['data_samples'].key == 'train/00000'


def batches(dataset, count, skip=0, **settings):
    sampler = CounterSampler(dataset, seed=3, infinite=True)
    sampler.skip(skip)
    loader = DataLoader(dataset, 4, sampler=sampler, collate_fn=edit_collate, **settings)
    return list(islice(iter(loader), count))


@pytest.mark.parametrize('workers', [0, 1])
def test_a_loader_shuffles_and_resumes_as_with_the_inner_set(workers):
    whole = WholeSet(shapes(), samples=True)
    found = batches(whole, 6, num_workers=workers)
    expected = batches(DATASETS.build(shapes()), 6)
    for batch, other in zip(found, expected, strict=True):
        assert torch.equal(batch['inputs']['real'], other['inputs']['real'])
        places = [[(s.key, s.visit) for s in b['data_samples']] for b in (batch, other)]
        assert places[0] == places[1]
    assert found[5]['data_samples'][3].visit == 2
    resumed = batches(whole, 2, skip=16, num_workers=workers)
    for batch, other in zip(resumed, found[4:], strict=True):
        assert torch.equal(batch['inputs']['real'], other['inputs']['real'])


def test_the_first_images_of_a_whole_set():
    assert_same(FirstImages(WholeSet(shapes()), 5)[5 + 2], WholeSet(shapes())[11 + 2])


def redrawn(**changes):
    return shapes([FLOAT[0], {**NOISE, 'fixed': False}], **changes)


def test_the_seed_of_the_run_draws_other_noise_unless_the_config_has_one():
    def real(config, seed):
        dataset = WholeSet(config)
        seed_loader(DataLoader(dataset), seed)
        return dataset[1]['inputs']['real'], dataset.seed

    for seed in (0, 5):
        inner = DATASETS.build(redrawn(seed=seed))
        assert torch.equal(real(redrawn(), seed)[0], inner[1]['inputs']['real'])
    assert not torch.equal(real(redrawn(), 0)[0], real(redrawn(), 5)[0])
    assert torch.equal(real(redrawn(seed=2), 0)[0], real(redrawn(seed=2), 5)[0])
    assert real(redrawn(seed=2), 5)[1] == 2


# Refusals.


def test_sizes_that_differ_or_do_not_fit_are_refused(make_folder):
    root = make_folder(size=(24, 16), count=3)
    folder = {'type': 'NoisyFolder', 'data_root': root}
    write_image(root / '02.png', np.zeros((24, 32, 3), np.uint8))
    with pytest.raises(DataError, match=r"'02' \(.*02\.png\): real: \(3, 24, 32\).*'00'.*Center"):
        _ = WholeSet(folder)[0]
    assert WholeSet({**folder, 'pipeline': [{'type': 'CenterCrop', 'size': 16}]})[2]
    root = make_folder('odd', size=(30, 17), count=1)
    folder = {'type': 'NoisyFolder', 'data_root': root}
    message = r'00\.png\): real: 30 x 17 .* multiples of 8: .*CenterCrop.*size=\(24, 16\)'
    with pytest.raises(DataError, match=message):
        _ = WholeSet(folder)[0]
    cut = {'type': 'CenterCrop', 'size': (24, 16)}
    assert WholeSet({**folder, 'pipeline': [cut]})[0]['inputs']['real'].shape == (3, 24, 16)
    assert WholeSet(folder, multiple=1)[0]['inputs']['real'].shape == (3, 30, 17)


def test_types_that_differ_are_refused(make_folder):
    root = make_folder(size=(8, 8), count=2)
    write_image(root / '01.png', np.zeros((8, 8, 3), np.float32), bits=16)
    folder = {'type': 'NoisyFolder', 'data_root': root}
    with pytest.raises(DataError, match=r'01\.png\): real is torch\.float32.*ToFloat'):
        _ = WholeSet(folder)[0]
    assert WholeSet({**folder, 'pipeline': [{'type': 'ToFloat'}]})[1]


def test_inputs_that_differ_are_refused():
    class Odd(ToyShapes):
        def read(self, index, visit):
            results = super().read(index, visit)
            return {'real': results['target'], 'paths': {}} if index == 2 else results

    with pytest.raises(DataError, match="'train/00002' has real, 'train/00000' has target"):
        _ = WholeSet(Odd(3))[0]


def test_too_much_memory_is_refused_before_it_is_taken():
    with pytest.raises(
        DataError, match=r'11 images \(real \(3, 16, 16\) torch.float32\) take .*li'
    ):
        _ = WholeSet(shapes(), limit_gib=3e-5)[0]
    assert WholeSet(shapes(EIGHT_BIT), limit_gib=3e-5)[0]


@pytest.mark.parametrize('settings', [{'multiple': 0}, {'limit_gib': 0}])
def test_bad_settings_are_refused(settings):
    with pytest.raises(ConfigError, match='expected multiple >= 1 and limit_gib > 0'):
        WholeSet(shapes(), **settings)


def test_negative_positions_are_refused():
    with pytest.raises(IndexError, match='expected visit'):
        WholeSet(shapes()).__getitems__([0, -1])


def test_rename_refuses_what_is_missing_or_taken():
    for steps in (
        [{'type': 'Rename', 'source': 'real'}],
        [NOISE, {'type': 'Rename', 'target': 'real'}],
    ):
        with pytest.raises(ConfigError, match=r'Rename\(.*the sample .train/00000. has target'):
            _ = DATASETS.build(shapes(steps))[0]


# Cache.


@pytest.fixture
def reads(monkeypatch):
    """Count the images that are read."""
    seen = []
    original = ToyShapes.read
    monkeypatch.setattr(
        ToyShapes, 'read', lambda self, *place: seen.append(place) or original(self, *place)
    )
    return seen


def test_the_cache_saves_reading(tmp_path, reads):
    expected = WholeSet(shapes(), cache=tmp_path).load()
    reads.clear()
    found = WholeSet(shapes(), cache=tmp_path).load()
    assert len(reads) == 2  # the first and the last image say whether the file is up to date
    assert torch.equal(found.images['real'], expected.images['real'])
    assert found.facts == expected.facts


def test_the_cache_knows_noise_seed_and_length(tmp_path, reads):
    configs = [
        shapes(),
        shapes(length=10),
        shapes(seed=1),
        shapes([*FLOAT[:2], {**NOISE, 'noise': 'nrgan/A'}]),
        shapes([*FLOAT[:2], {**NOISE, 'seed': 1}]),
    ]
    for config in configs:
        reads.clear()
        found = WholeSet(config, cache=tmp_path)
        assert_same(found[9], DATASETS.build(config)[9])
        assert len(reads) >= len(found)
    assert len(list(tmp_path.glob('ToyShapes-*.whole'))) == len(configs)


def test_the_cache_sees_another_meaning_of_the_same_config(tmp_path, monkeypatch):
    WholeSet(shapes(), cache=tmp_path).load()
    monkeypatch.setattr(ToyShapes, '_draw', lambda *_: np.full((16, 16, 3), 9, np.uint8))
    found = WholeSet(shapes([FLOAT[0]]), cache=tmp_path)[3]['inputs']['real']
    assert (found == 9).all()
    assert torch.equal(
        WholeSet(shapes(), cache=tmp_path)[3]['inputs']['real'],
        DATASETS.build(shapes())[3]['inputs']['real'],
    )


def test_the_cache_sees_changed_files(tmp_path, make_folder):
    root = make_folder(size=(8, 8), count=4)
    config = {'type': 'NoisyFolder', 'data_root': str(root), 'cache': str(root / 'cache')}

    def mean():
        return WholeSet(config, cache=root / 'cache')[1]['inputs']['real'].float().mean()

    before = mean()
    assert mean() == before
    state = (root / '01.png').stat()
    write_image(root / '01.png', np.full((8, 8, 3), 7, np.uint8))
    os.utime(root / '01.png', ns=(state.st_atime_ns, state.st_mtime_ns + 1000))
    assert mean() == 7


@pytest.mark.parametrize('damage', [b'', b'text', None])
def test_a_damaged_cache_is_made_anew(tmp_path, damage):
    expected = WholeSet(shapes(), cache=tmp_path)[2]
    (file,) = tmp_path.glob('*.whole')
    file.write_bytes(file.read_bytes()[:-500] if damage is None else damage)
    assert_same(WholeSet(shapes(), cache=tmp_path)[2], expected)


def test_a_cache_needs_a_config_of_plain_values(tmp_path):
    with pytest.raises(ConfigError, match='cache needs the data set as a config'):
        WholeSet(ToyShapes(3), cache=tmp_path)
    with pytest.raises(ConfigError, match='numbers, text, lists and dicts alone'):
        _ = WholeSet(shapes([lambda results: results]), cache=tmp_path)[0]
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='the image cache cannot be written'):
        _ = WholeSet(shapes(), cache=tmp_path / 'file')[0]


def test_a_cache_of_metainfo_that_is_no_plain_value_is_refused(tmp_path, monkeypatch):
    original = ToyShapes.read
    monkeypatch.setattr(
        ToyShapes, 'read', lambda self, *place: {**original(self, *place), 'grey': np.float32(3)}
    )
    with pytest.raises(DataError, match=r'more than numbers, text, lists and dicts .*cache=None'):
        _ = WholeSet(shapes(), cache=tmp_path)[0]
    assert not list(tmp_path.glob('*.whole'))


# Real images.


def test_real_images_with_the_released_noise(shared, tmp_path):
    with (
        zipfile.ZipFile(shared('cifar10/cifar10_test.zip')) as every,
        zipfile.ZipFile(tmp_path / 'part.zip', 'w') as part,
    ):
        for name in every.namelist()[::100]:
            part.writestr(name, every.read(name))
    compat = {**NOISE, 'noise': 'nrgan/A:compat'}
    config = {
        'type': 'CIFAR10',
        'data_root': str(tmp_path / 'part.zip'),
        'input_name': 'real',
        'pipeline': [{'type': 'ToFloat'}, compat],
    }
    whole, index = WholeSet(config, samples=True), 67
    clean = CIFAR10(tmp_path / 'part.zip').images[index] / 255.0
    noise = np.random.RandomState(index).randn(32, 32, 3) * (25 / 255)
    expected = (clean + noise).clip(0, 1).astype(np.float32).transpose(2, 0, 1)
    batch = whole.__getitems__([index, index + len(whole)])
    for image in batch['inputs']['real']:
        np.testing.assert_allclose(image.numpy(), expected, atol=1e-7)
    assert [sample.visit for sample in batch['data_samples']] == [0, 1]
