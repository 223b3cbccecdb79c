"""Pipeline steps: geometry, streams of their own, and noise equal to the batched noise."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from noiseedit import noises
from noiseedit.config import bind_noise
from noiseedit.datasets import ToyShapes, edit_collate
from noiseedit.datasets.base import build_pipeline
from noiseedit.errors import ConfigError, DataError
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import derive_seed

GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}


def results(size=(20, 30), seed=5, visit=0, dtype=np.uint8, **images):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    image = image if dtype == np.uint8 else (image / 255).astype(np.float32)
    images = images or {'source': image, 'target': 255 - image if dtype == np.uint8 else 1 - image}
    return {'key': 'k', 'visit': visit, 'seed': seed, **images}


def build(kind, **kwargs):
    return TRANSFORMS.build(dict(type=kind, **kwargs))


def run(pipeline, start):
    for step in build_pipeline(pipeline):
        start = step(start)
    return start


def test_random_crop_is_paired_and_covers_every_place():
    crop, places = build('RandomCrop', size=(17, 28)), set()
    for seed in range(200):
        start = results(seed=seed)
        out = crop(dict(start))
        assert out['source'].shape == (17, 28, 3)
        np.testing.assert_array_equal(out['target'], 255 - out['source'])
        hits = [
            (y, x)
            for y in range(4)
            for x in range(3)
            if np.array_equal(start['source'][y : y + 17, x : x + 28], out['source'])
        ]
        places.update(hits)
    assert len(places) == 12


@pytest.mark.parametrize('kind', ['RandomCrop', 'CenterCrop'])
def test_a_crop_larger_than_the_image_names_key_and_sizes(kind):
    with pytest.raises(DataError, match=r"'k': cannot crop \(64, 64\) out of \(20, 30\)"):
        build(kind, size=64)(results())
    with pytest.raises(ConfigError, match='size: expected positive'):
        build(kind, size=0)


def test_center_crop():
    start = results()
    out = build('CenterCrop', size=10)(dict(start))
    np.testing.assert_array_equal(out['source'], start['source'][5:15, 10:20])


@pytest.mark.parametrize(
    ('size', 'shape'), [(10, (10, 15, 3)), ((7, 9), (7, 9, 3)), (40, (40, 60, 3))]
)
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_resize(size, shape, dtype):
    out = build('Resize', size=size)(results(dtype=dtype))['source']
    assert out.shape == shape
    assert out.dtype == dtype
    assert 0 <= out.min() <= out.max() <= (255 if dtype == np.uint8 else 1)


def test_resize_keeps_grey_grey():
    grey = np.zeros((20, 30, 1), np.uint8)
    assert build('Resize', size=10)(results(source=grey))['source'].shape == (10, 15, 1)


def test_dihedral_reaches_all_eight_symmetries_with_equal_odds():
    image = np.arange(4, dtype=np.uint8).reshape(2, 2, 1)
    step = build('RandomDihedral')
    seen = [tuple(step(results(seed=s, source=image))['source'].ravel()) for s in range(800)]
    counts = np.unique(seen, axis=0, return_counts=True)[1]
    assert len(counts) == 8
    assert counts.min() > 60


def test_flip_is_paired():
    start = results()
    outs = [build('RandomFlip', vertical=True)(results(seed=seed)) for seed in range(40)]
    forms = {out['source'].tobytes() for out in outs}
    assert len(forms) == 4
    assert all(np.array_equal(out['target'], 255 - out['source']) for out in outs)
    only = {build('RandomFlip')(results(seed=seed))['source'].tobytes() for seed in range(40)}
    assert only == {start['source'].tobytes(), start['source'][:, ::-1].tobytes()}


def test_colour_steps():
    assert build('ToGrey')(results())['source'].shape == (20, 30, 1)
    grey = np.full((4, 4, 1), 51, np.uint8)
    assert build('ToRGB')(results(source=grey))['source'].shape == (4, 4, 3)
    floats = build('ToFloat')(results(source=grey))['source']
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, 0.2, atol=1e-7)


def test_steps_do_not_write_into_their_input():
    start = results()
    for image in (start['source'], start['target']):
        image.flags.writeable = False
    steps = [
        {'type': 'RandomCrop', 'size': 16},
        {'type': 'RandomDihedral'},
        {'type': 'RandomFlip'},
        {'type': 'Resize', 'size': 12},
        {'type': 'AddNoise', 'noise': GAUSSIAN},
        {'type': 'ToGrey'},
    ]
    assert run(steps, start)['source'].shape == (12, 12, 1)


def test_a_new_step_does_not_change_the_draws_of_others():
    crop, flip = {'type': 'RandomCrop', 'size': 16}, {'type': 'RandomFlip'}
    for seed in range(10):
        alone = run([crop], results(seed=seed))['source']
        for other in ([flip, crop], [{'type': 'RandomDihedral'}, flip, crop]):
            pipeline = build_pipeline(other)
            corners = pipeline[-1].draw({'seed': seed}, 5, 15)
            top, left = corners
            np.testing.assert_array_equal(
                alone, results()['source'][top : top + 16, left : left + 16]
            )


def test_repeated_steps_have_different_streams():
    first, second = build_pipeline([{'type': 'RandomFlip'}, {'type': 'RandomFlip'}])
    assert (first.stream, second.stream) == ('RandomFlip', 'RandomFlip.1')
    draws = [(first.draw({'seed': s}, 2), second.draw({'seed': s}, 2)) for s in range(64)]
    assert 10 < sum(a == b for a, b in draws) < 54


# Noise.


def test_float_noise_equals_the_batched_noise():
    dataset = ToyShapes(4, pipeline=[{'type': 'ToFloat'}, {'type': 'AddNoise', 'noise': GAUSSIAN}])
    dataset.seed = 3
    clean = torch.stack([dataset[i]['inputs']['target'] for i in range(4)])
    for visit in (0, 2):
        batch = [dataset[visit * 4 + i]['inputs']['source'] for i in range(4)]
        expected = noises.build(GAUSSIAN).per_sample(
            clean, dataset.keys, 3, stream='data', repetition=visit
        )
        torch.testing.assert_close(torch.stack(batch), expected, atol=1e-6, rtol=0)


def test_eight_bit_noise_is_the_fast_path_of_the_noise():
    start = results()
    out = build('AddNoise', noise=GAUSSIAN)(dict(start))
    expected = noises.build(GAUSSIAN).apply_uint8(start['source'], start['seed'])
    np.testing.assert_array_equal(out['source'], expected)
    np.testing.assert_array_equal(out['target'], start['target'])
    assert out['noise'] == repr(noises.build(GAUSSIAN))


@pytest.mark.parametrize('options', [{}, {'seed': 1}, {'fixed': True}])
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_repeated_noise_steps_draw_anew_and_the_first_stays_as_it_is(dtype, options):
    source = {'type': 'AddNoise', 'noise': GAUSSIAN, **options}
    target = {**source, 'type': 'NoiseSlot', 'key': 'target'}
    image = np.full((20, 30, 3), 128 if dtype == np.uint8 else 0.5, dtype)
    start = {'source': image, 'target': image}
    both = run([source, target], results(**start))
    assert not np.array_equal(both['source'], both['target'])
    np.testing.assert_array_equal(run([source], results(**start))['source'], both['source'])


def test_slot_is_the_same_class_and_the_identity_when_empty():
    assert TRANSFORMS.get('NoiseSlot') is TRANSFORMS.get('AddNoise')
    start = results()
    assert build('NoiseSlot')(start) is start
    assert 'noise' not in start


def test_noise_on_a_clean_set_makes_the_source():
    clean = results()['target']
    out = build('NoiseSlot', noise=GAUSSIAN)(results(target=clean))
    np.testing.assert_array_equal(out['target'], clean)
    assert not np.array_equal(out['source'], clean)
    with pytest.raises(ConfigError, match=r"key='source' is not in the sample 'k', which has real"):
        build('NoiseSlot', noise=GAUSSIAN)(results(real=clean))


@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_visits_change_the_noise_unless_it_is_fixed(dtype):
    def noisy(visit, run, **options):
        start = results(visit=visit, seed=derive_seed(run, 'data', 'k', visit), dtype=dtype)
        return build('AddNoise', noise=GAUSSIAN, **options)(start)['source']

    assert not np.array_equal(noisy(0, 0), noisy(1, 0))
    assert not np.array_equal(noisy(0, 0), noisy(0, 1))
    np.testing.assert_array_equal(noisy(0, 0, fixed=True), noisy(7, 1, fixed=True))
    assert not np.array_equal(noisy(0, 0, fixed=True), noisy(0, 0, fixed=True, seed=1))
    assert not np.array_equal(noisy(0, 0, seed=1), noisy(1, 0, seed=1))
    np.testing.assert_array_equal(noisy(0, 0, seed=1), noisy(0, 2, seed=1))


def test_bound_slots_train_by_the_run_and_test_fixed():
    from mmengine.config import Config

    slot = {'dataset': {'pipeline': [{'type': 'NoiseSlot'}]}}
    noise = {'where': 'pipeline', 'train': GAUSSIAN, 'test': GAUSSIAN, 'seed': 4}
    config = bind_noise(Config({'train_dataloader': slot, 'test_dataloader': slot, 'noise': noise}))
    train = TRANSFORMS.build(config.train_dataloader.dataset.pipeline[0])
    test = TRANSFORMS.build(config.test_dataloader.dataset.pipeline[0])
    assert (train.seed, train.fixed) == (None, False)
    assert (test.seed, test.fixed) == (4, True)


def test_replayed_nrgan_noise_finds_its_index():
    step = build('AddNoise', noise='nrgan/A:compat', fixed=True)
    image = np.full((32, 32, 3), 128 / 255, np.float32)
    start = {'key': 'train/00000', 'visit': 3, 'seed': 1, 'source': image}
    expected = image + 25 / 255 * np.random.RandomState(0).randn(32, 32, 3)
    np.testing.assert_allclose(step(start)['source'], expected.clip(0, 1), atol=1e-6)


@pytest.mark.parametrize('workers', [1, 2])
def test_items_do_not_depend_on_workers(workers):
    pipeline = [
        {'type': 'RandomCrop', 'size': 16},
        {'type': 'RandomDihedral'},
        {'type': 'AddNoise', 'noise': GAUSSIAN},
    ]
    dataset = ToyShapes(6, pipeline=pipeline)
    alone = [dataset[position] for position in range(12)]
    loader = DataLoader(dataset, 3, sampler=range(12), num_workers=workers, collate_fn=edit_collate)
    batches = list(loader)
    for name in ('source', 'target'):
        stacked = torch.cat([batch['inputs'][name] for batch in batches])
        assert torch.equal(stacked, torch.stack([item['inputs'][name] for item in alone]))
    keys = [sample.key for batch in batches for sample in batch['data_samples']]
    assert keys == [item['data_samples'].key for item in alone]
