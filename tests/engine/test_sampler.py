"""Order of samples: a function of seed and visit, split over ranks, skipped at no cost."""

from itertools import islice

import engine_toy as toy
import pytest
from torch.utils.data import DataLoader

import noiseedit.engine.sampler as module
from noiseedit.engine.loops import endless_batches
from noiseedit.engine.sampler import CounterSampler
from noiseedit.errors import ConfigError, DataError


class CountingSet:
    """A data set that must never be read by the sampler."""

    def __init__(self, length):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, position):
        raise AssertionError(f'position {position} was read')


def first(sampler, count):
    return list(islice(iter(sampler), count))


def endless(length=7, **more):
    return CounterSampler(CountingSet(length), infinite=True, **more)


@pytest.mark.parametrize('shuffle', [False, True])
def test_every_visit_holds_every_image_once(shuffle):
    positions = first(endless(shuffle=shuffle, seed=1), 21)
    for visit in range(3):
        part = positions[7 * visit : 7 * visit + 7]
        assert sorted(part) == list(range(7 * visit, 7 * visit + 7))


def test_visits_and_seeds_are_shuffled_differently():
    positions = first(endless(seed=1), 14)
    assert [p % 7 for p in positions[:7]] != [p % 7 for p in positions[7:]]
    assert positions != first(endless(seed=2), 14)
    assert positions == first(endless(seed=1), 14)


@pytest.mark.parametrize('skipped', [1, 6, 7, 8, 30])
def test_skipping_equals_drawing(skipped):
    sampler = endless(seed=3)
    sampler.skip(skipped)
    assert first(sampler, 10) == first(endless(seed=3), skipped + 10)[skipped:]


def test_skipping_costs_the_same_for_any_number(monkeypatch):
    """Only the permutation of the visit that is landed in is drawn."""
    drawn = []
    original = CounterSampler._order
    monkeypatch.setattr(
        CounterSampler, '_order', lambda self, visit: drawn.append(visit) or original(self, visit)
    )
    sampler = endless()
    sampler.skip(7 * 10**12 + 3)
    assert first(sampler, 2)[0] // 7 == 10**12
    assert drawn == [10**12]


@pytest.mark.parametrize('world', [2, 3])
def test_ranks_share_the_sequence_of_one_process(monkeypatch, world):
    whole = first(endless(seed=5), 12 * world)
    for rank in range(world):
        monkeypatch.setattr(module, 'get_dist_info', lambda rank=rank: (rank, world))
        assert first(endless(seed=5), 12) == whole[rank::world]


def test_finite_passes_count_visits_and_round_up(monkeypatch):
    monkeypatch.setattr(module, 'get_dist_info', lambda: (1, 2))
    sampler = CounterSampler(CountingSet(5), shuffle=False)
    assert len(sampler) == 3
    assert list(sampler) == [1, 3, 0]
    exact = CounterSampler(CountingSet(5), shuffle=False, round_up=False)
    assert list(exact) == [1, 3]
    assert len(exact) == 2
    exact.set_epoch(2)
    assert list(exact) == [11, 13]


def test_an_empty_set_is_refused():
    with pytest.raises(DataError, match='CountingSet: the data set is empty'):
        CounterSampler(CountingSet(0))


# The loop's batches.


def loader(sampler=None, length=6, batch_size=4, **more):
    data = toy.ToyImages(length, seed=0)
    sampler = sampler or CounterSampler(data, shuffle=True, seed=0)
    return DataLoader(data, batch_size, sampler=sampler, collate_fn=toy.toy_collate, **more)


def keys(batches, count):
    return [[s.position for s in batch['data_samples']] for batch in islice(batches, count)]


@pytest.mark.parametrize('done', [0, 1, 2, 5])
@pytest.mark.parametrize('infinite', [False, True])
def test_batches_after_a_resume_are_those_of_a_straight_run(done, infinite):
    def fresh():
        made = loader()
        made.sampler.infinite = infinite
        return made

    straight = keys(endless_batches(fresh(), 0), 8)
    assert keys(endless_batches(fresh(), done), 8 - done) == straight[done:]


def test_order_and_data_do_not_depend_on_workers():
    def values(workers):
        made = loader(num_workers=workers)
        made.sampler.infinite = True
        batches = list(islice(endless_batches(made, 0), 4))
        return [b['inputs']['source'].sum().item() for b in batches], keys(iter(batches), 4)

    assert values(0) == values(2)


def test_every_visit_draws_other_noise():
    images = toy.ToyImages(2, seed=0)
    first_visit, second_visit = images[0]['inputs']['source'], images[2]['inputs']['source']
    assert not first_visit.equal(second_visit)


def test_finite_loaders_restart_without_a_pause(monkeypatch):
    import time

    def no_sleep(seconds):
        raise AssertionError(f'slept {seconds} s')

    monkeypatch.setattr(time, 'sleep', no_sleep)
    assert len(keys(endless_batches(loader(batch_size=6), 0), 5)) == 5


def test_no_batch_at_all_is_an_error():
    batches = endless_batches(loader(length=3, drop_last=True), 0)
    with pytest.raises(DataError, match='3 samples give no batch of 4'):
        next(batches)


def test_a_foreign_sampler_cannot_resume_in_the_middle():
    from torch.utils.data import SequentialSampler

    data = loader(SequentialSampler(range(6)))
    assert len(keys(endless_batches(data, 2), 3)) == 3  # at a border it can
    with pytest.raises(ConfigError, match='SequentialSampler cannot resume'):
        next(endless_batches(data, 3))
