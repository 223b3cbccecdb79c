"""Clean image, noisy image and reference: how they are drawn, and that both share the noise."""

from collections import Counter

import numpy as np
import pytest
import torch
from standard_files import make_set
from torch.utils.data import Dataset

from noiseedit.datasets import MixedSets, RealTriplets, SyntheticTriplets, edit_collate
from noiseedit.datasets.triplets import dequantised, groups_of
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS

NAMES = {'source', 'target', 'reference'}
PUBLISHED = {
    'type': 'OneOf',
    'noises': [
        {'type': 'GaussianNoise', 'sigma': (0, 70), 'unit': 255},
        {'type': 'PoissonNoise', 'peak': (5, 100)},
        {'type': 'PoissonGaussianNoise', 'peak': (5, 100), 'sigma': (0, 70), 'unit': 255},
    ],
    'probs': [0.2, 0.2, 0.6],
    'clip': True,
}


class Named(Dataset):
    """Items that are their own positions."""

    seed = 0

    def __init__(self, name, length):
        self.name, self.length = name, length

    def __len__(self):
        return self.length

    def __getitem__(self, position):
        visit, index = divmod(position, self.length)
        return self.name, index, visit


@pytest.fixture
def clean(make_folder):
    """Return a function for the config of a folder of clean images, cropped to 16 x 16."""

    def make(name='clean', count=4, crop=16):
        crop = {'type': 'RandomCrop', 'size': crop}
        return {'type': 'CleanFolder', 'data_root': make_folder(name, count), 'pipeline': [crop]}

    return make


@pytest.fixture
def grey(tmp_path):
    """Return the config of flat mid-grey images of 64 x 64: whatever varies is noise."""
    for number in range(3):
        write_image(tmp_path / f'grey/{number}.png', np.full((64, 64, 3), 128, np.uint8))
    return {'type': 'CleanFolder', 'data_root': tmp_path / 'grey'}


@pytest.fixture
def pairs(tmp_path):
    """Return the config of pairs: clean flat 40 + 20 i, noisy 20 more; cameras and ISO in names."""
    for number, name in enumerate(('a_iso100_1', 'a_iso100_2', 'a_iso800_1', 'b_iso100_1')):
        for folder, value in (('clean', 40 + 20 * number), ('noisy', 60 + 20 * number)):
            image = np.full((40, 48, 3), value, np.uint8)
            write_image(tmp_path / f'{folder}/{name}.png', image)
    return {
        'type': 'PairedFolder',
        'source_root': tmp_path / 'clean',
        'target_root': tmp_path / 'noisy',
        'pipeline': [{'type': 'RandomCrop', 'size': 16}],
    }


FACTS = r'(?P<camera>\w)_iso(?P<iso>\d+)'


def real(pairs, **changes):
    settings = {'facts': FACTS, 'attenuate': 0.0, 'dequantise': False}
    return RealTriplets(pairs, **{**settings, **changes})


def noise_of(item):
    images = item['inputs']
    return images['target'] - images['source']


# The mixture.


def test_the_mixture_is_uniform_over_all_images_with_replacement():
    mixed = MixedSets([Named('synthetic', 800), Named('real', 320)])
    drawn = [mixed[position] for position in range(20_000)]
    share = Counter(name for name, _, _ in drawn)['synthetic'] / len(drawn)
    assert share == pytest.approx(0.7143, abs=4 * (0.7143 * 0.2857 / 20_000) ** 0.5)
    counts = Counter((name, index) for name, index, _ in drawn)
    assert len(counts) == 1120
    spread = np.var(list(counts.values())) / np.mean(list(counts.values()))
    assert spread == pytest.approx(1, abs=0.2)  # Poisson: with replacement
    assert len(mixed) == 1120


def test_the_mixture_depends_on_seed_and_position():
    sets = [Named('one', 7), Named('two', 5)]
    first, again = MixedSets(sets, seed=3), MixedSets(sets, seed=3)
    assert [first[p] for p in range(40)] == [again[p] for p in range(40)]
    other = MixedSets(sets, seed=4)
    assert [first[p] for p in range(40)] != [other[p] for p in range(40)]
    assert [first[p] for p in range(12)] != [first[p] for p in range(12, 24)]


def test_weights_and_lengths_can_be_given():
    mixed = MixedSets([Named('one', 7), Named('two', 500)], weights=[3, 1], length=10)
    share = Counter(mixed[p][0] for p in range(4000))['one'] / 4000
    assert share == pytest.approx(0.75, abs=0.03)
    assert len(mixed) == 10
    never = MixedSets([Named('one', 7), Named('two', 5)], weights=[1, 0])
    assert {never[p][0] for p in range(100)} == {'one'}


@pytest.mark.parametrize('weights', [[1], [-1, 2], [0, 0]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ConfigError, match='expected 2 numbers'):
        MixedSets([Named('one', 7), Named('two', 5)], weights=weights)


def test_the_seed_of_the_run_reaches_the_sets_inside(clean):
    own = {**clean(), 'seed': 5}
    mixed = MixedSets(
        [{'type': 'SyntheticTriplets', 'datasets': [clean(), own], 'noise': PUBLISHED}]
    )
    mixed.seed = 9
    triplets = mixed.parts.sets[0]
    assert triplets.seed == 9
    assert [part.seed for part in triplets.parts.sets] == [9, 5]


# Synthetic noises.


def test_an_item_is_clean_noisy_and_another_noisy_image(clean):
    triplets = SyntheticTriplets([clean()], PUBLISHED, length=5)
    item = triplets[0]
    assert set(item['inputs']) == NAMES
    assert all(x.shape == (3, 16, 16) and x.dtype == torch.float32 for x in item['inputs'].values())
    assert all(x.min() >= 0 and x.max() <= 1 for x in item['inputs'].values())
    assert len(triplets) == 5
    again = SyntheticTriplets([clean()], PUBLISHED, length=5)
    for position in (0, 3, 12):
        one, other = triplets[position]['inputs'], again[position]['inputs']
        assert all(torch.equal(one[name], other[name]) for name in NAMES)
    assert not torch.equal(triplets[0]['inputs']['target'], triplets[5]['inputs']['target'])


def test_both_images_have_the_noise_of_one_level_and_their_own_values(grey):
    noise = {'type': 'GaussianNoise', 'sigma': (5, 50), 'unit': 255}
    triplets = SyntheticTriplets([grey], noise, length=30)
    levels = []
    for item in triplets:
        images = item['inputs']
        ours, theirs = (images[name] - 128 / 255 for name in ('target', 'reference'))
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.06)
        assert not torch.equal(ours, theirs)
        assert abs(np.corrcoef(ours.flatten(), theirs.flatten())[0, 1]) < 0.05
        levels.append(255 * ours.std().item())
    assert min(levels) < 15
    assert max(levels) > 40


def test_both_images_have_noise_of_one_kind(grey):
    kinds = [
        {'type': 'PoissonNoise', 'peak': 10},
        {'type': 'UniformNoise', 'amplitude': 20, 'unit': 255},
    ]
    triplets = SyntheticTriplets([grey], {'type': 'OneOf', 'noises': kinds}, length=20)
    counts = [
        [len(item['inputs'][name].unique()) < 50 for name in ('target', 'reference')]
        for item in triplets
    ]
    assert all(ours == theirs for ours, theirs in counts)
    assert {ours for ours, _ in counts} == {True, False}


def test_published_noise_is_clipped_and_not_rounded(grey):
    triplets = SyntheticTriplets([grey], PUBLISHED, length=20)
    for item in triplets:
        steps = item['inputs']['target'] * 255
        assert steps.min() >= 0
        assert steps.max() <= 255
        inner = steps[(steps > 0) & (steps < 255)]
        assert ((inner - inner.round()).abs() > 1e-2).float().mean() > 0.5


def test_published_noises_come_with_their_probabilities():
    from noiseedit.noises import build

    params = build(PUBLISHED).sample_params(20_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(params['choice'].flatten()) / 20_000
    torch.testing.assert_close(shares, torch.tensor([0.2, 0.2, 0.6]), atol=0.015, rtol=0)
    assert params['0.sigma'].max() <= 70 / 255
    assert params['1.peak'].min() >= 5
    assert params['1.peak'].max() <= 100


def test_the_two_images_are_drawn_independently_from_the_sets_shares(clean):
    sets = [clean('one', 3), clean('two', 5)]
    triplets = SyntheticTriplets(sets, PUBLISHED, shares=[0.8, 0.2], length=300)
    places = [item['data_samples'].paths for item in triplets]
    first = ['one' in paths['source'] for paths in places]
    second = ['one' in paths['reference'] for paths in places]
    assert np.mean(first) == pytest.approx(0.8, abs=0.08)
    assert np.mean(second) == pytest.approx(0.8, abs=0.08)
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.2


def test_images_of_several_sizes_are_named(make_folder):
    for number, size in enumerate(((20, 24), (24, 20))):
        make_folder('clean', count=number + 1, size=size)
    triplets = SyntheticTriplets(
        [{'type': 'CleanFolder', 'data_root': make_folder('clean', 1)}], PUBLISHED
    )
    with pytest.raises(DataError, match="dict\\(type='RandomCrop', size=96\\)"):
        [triplets[position] for position in range(20)]


# Real pairs.


def test_references_share_the_iso_and_any_camera(pairs):
    triplets = real(pairs)
    seen = {key: set() for key in triplets.keys}
    for position in range(160):
        sample = triplets[position]['data_samples']
        seen[sample.key].add(sample.reference_key)
    hundred = {'a_iso100_1', 'a_iso100_2', 'b_iso100_1'}
    assert seen == {**dict.fromkeys(hundred, hundred), 'a_iso800_1': {'a_iso800_1'}}


@pytest.mark.parametrize(
    ('same', 'expected'),
    [
        (('iso',), [[0, 1, 3], [0, 1, 3], [2], [0, 1, 3]]),
        (('camera', 'iso'), [[0, 1], [0, 1], [2], [3]]),
        (None, [[0], [1], [2], [3]]),
    ],
)
def test_groups(pairs, same, expected):
    assert groups_of(DATASETS.build(pairs), same, FACTS) == expected


def test_a_standard_set_knows_its_facts(tmp_path):
    settings = {
        'type': 'StandardSet',
        'data_root': make_set(tmp_path, 'cc15'),
        'layout': 'cc15',
        'direction': 'clean2noisy',
        'only': {'camera': ['5dmark3', 'd600']},
        'check_count': False,
    }
    triplets = RealTriplets(settings, attenuate=0.0, dequantise=False)
    assert triplets.group_of == [[0, 1], [0, 1]]  # both of ISO 3200; the third camera is held out
    assert RealTriplets(settings, same=('camera', 'iso')).group_of == [[0], [1]]
    item = triplets[0]
    assert (item['inputs']['target'] > item['inputs']['source']).all()
    assert set(item['data_samples'].paths) == NAMES


def test_a_fact_that_nothing_tells_is_named(pairs):
    with pytest.raises(ConfigError, match='nothing tells iso of'):
        RealTriplets(pairs)
    with pytest.raises(ConfigError, match='nothing tells shutter of'):
        real(pairs, same=('shutter',))


def test_unpaired_sets_are_refused(clean):
    with pytest.raises(DataError, match='expected pairs, source'):
        RealTriplets(clean(), same=None)[0]


def test_one_alpha_weakens_both_images(pairs):
    triplets = real(pairs, same=None, attenuate=0.5)
    alphas = []
    for position in range(200):
        item = triplets[position]
        alpha = item['data_samples'].alpha
        torch.testing.assert_close(noise_of(item), torch.full((3, 16, 16), alpha * 20 / 255))
        torch.testing.assert_close(item['inputs']['reference'], item['inputs']['target'])
        alphas.append(alpha)
    weakened = [alpha for alpha in alphas if alpha < 1]
    assert len(weakened) / 200 == pytest.approx(0.5, abs=0.12)
    assert 0.8 <= min(weakened) < 0.82
    assert 0.98 < max(weakened) < 1


def test_rounding_is_undone_where_there_is_noise_and_nowhere_else():
    clean = torch.full((2, 3, 8, 8), 100 / 255)
    noisy = clean.clone()
    noisy[:, :, :4] += 5 / 255
    noisy[:, 0, 4] += 1 / 255  # one channel is enough
    result = dequantised(clean, noisy, torch.Generator().manual_seed(0))
    moved = (result - noisy) * 255
    assert (moved[:, :, 5:] == 0).all()
    assert (moved[:, :, :5] != 0).float().mean() > 0.99
    assert moved.abs().max() <= 0.5 + 1e-4
    assert moved[:, :, :5].std() == pytest.approx(12**-0.5, abs=0.03)
    white = dequantised(torch.zeros(1, 3, 8, 8), torch.ones(1, 3, 8, 8), torch.Generator())
    assert white.max() <= 1


def test_patches_of_one_image_differ(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ('clean', 'noisy'):
        image = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        write_image(tmp_path / folder / 'x.png', image)
    pairs = {
        'type': 'PairedFolder',
        'source_root': tmp_path / 'clean',
        'target_root': tmp_path / 'noisy',
        'pipeline': [{'type': 'CutMixCrop', 'size': 16}],
    }
    images = RealTriplets(pairs, same=None, attenuate=0.0, dequantise=False)[0]['inputs']
    assert not torch.equal(images['target'], images['reference'])


def test_synthetic_and_real_items_make_one_batch(clean, pairs):
    synthetic = {'type': 'SyntheticTriplets', 'datasets': [clean('photos')], 'noise': PUBLISHED}
    mixed = MixedSets([synthetic, real(pairs)], weights=[1, 1])
    batch = edit_collate([mixed[position] for position in range(6)])
    assert set(batch['inputs']) == NAMES
    assert all(image.shape == (6, 3, 16, 16) for image in batch['inputs'].values())
    assert len({sample.key.partition('/')[0] for sample in batch['data_samples']}) > 1
