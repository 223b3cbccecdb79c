"""Set metrics in sweeps: values of every cell, files that survive, rows with repetitions."""

import json
import math

import numpy as np
import pytest
import scipy.stats
from mmengine.dist import get_dist_info
from set_samples import sample_set, scored
from test_sweep_loop import SWEEP, CountingNet, comparable, config

from noiseedit.engine import build_runner
from noiseedit.errors import DataError
from noiseedit.evaluation.comparison import compare
from noiseedit.evaluation.metrics import FID, set_metric
from noiseedit.evaluation.metrics.set_metric import own_keys
from noiseedit.evaluation.metrics.vectors import VectorFile
from noiseedit.evaluation.results import read_result
from noiseedit.evaluation.statistics import t_interval
from noiseedit.report import tables
from noiseedit.report.write import write_report, write_sweep

FEATURES = {'type': 'RandomFeatures', 'channels': 2}
METRICS = [
    {'type': 'PSNR'},
    {'type': 'FID', 'features': FEATURES},
    {'type': 'KID', 'features': FEATURES, 'subsets': 4, 'subset_size': 3},
    {'type': 'NLDA', 'split': [3, 2], 'repetitions': 2},
]
FRECHET = 'FrechetDistance(random4,seed=0)'
KERNEL = 'KernelDistance(random4,seed=0,subsets=4x3)'
CELLS = 1 + 2 * 2 + 2


@pytest.fixture(autouse=True)
def counters(monkeypatch):
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', None)


def sweep(folder, metrics=None, **changes):
    build_runner(config(folder, metrics=metrics or METRICS, **changes)).test()
    return read_result(folder)


def row_of(result, metric, noise, level):
    wanted = (metric, noise, level)
    (row,) = (r for r in result['rows'] if (r['metric'], r['noise'], r['level']) == wanted)
    return row


def test_cell_equals_the_plain_test_of_its_noise(tmp_path):
    plain = config(tmp_path / 'plain', metrics=METRICS)
    noise = {'type': 'GaussianNoise', 'sigma': 15, 'unit': 255}
    plain.model.data_preprocessor.noise = {'test': noise, 'seed': 3}
    plain.test_cfg = {}
    expected = build_runner(plain).test()
    once = {**SWEEP, 'repetitions': 1}
    found = build_runner(config(tmp_path / 'sweep', metrics=METRICS, sweep=once)).test()
    assert expected[f'{FRECHET}/images'] == 5
    for name in [name for name in expected if not name.endswith('/images')]:
        assert found[f'GaussianNoise/15/{name}'] == pytest.approx(expected[name], rel=1e-6)


def test_rows_hold_mean_and_interval_over_repetitions(tmp_path):
    result = sweep(tmp_path)
    values = [
        cell['sets'][FRECHET]['value']
        for cell in result['cells']
        if (cell['noise'], cell['level']) == ('GaussianNoise', 50)
    ]
    row = row_of(result, FRECHET, 'GaussianNoise', 50)
    assert values[0] != values[1]
    assert row['mean'] == pytest.approx(np.mean(values))
    assert row['std'] == pytest.approx(np.std(values, ddof=1))
    assert (row['n'], row['over']) == (5, 'noise draws')
    half = scipy.stats.t.ppf(0.975, 1) * row['std'] / math.sqrt(2)
    assert [row['low'], row['high']] == pytest.approx([row['mean'] - half, row['mean'] + half])
    clean = row_of(result, KERNEL, 'clean', None)
    assert clean['over'] == 'subsets'
    assert clean['std'] > 0
    assert math.isnan(clean['low'])
    assert row_of(result, FRECHET, 'GaussianNoise', 0)['mean'] == pytest.approx(
        row_of(result, FRECHET, 'clean', None)['mean']
    )
    directions = {m['name'][:4]: m['higher_is_better'] for m in result['metrics']}
    assert directions == {'PSNR': True, 'Frec': False, 'Kern': False, 'NLDA': True}
    (entry,) = (
        e for e in result['summary'] if (e['noise'], e['metric']) == ('GaussianNoise', FRECHET)
    )
    assert entry['max_drop'] == pytest.approx(row['mean'] - entry['clean'])


def test_interval_of_repetitions():
    assert t_interval([2.0])[0] == 2.0
    assert math.isnan(t_interval([2.0])[1])
    low, high = scipy.stats.t.interval(0.95, 3, 2.5, scipy.stats.sem([1, 2, 3, 4]))
    assert t_interval([1, 2, 3, 4]) == pytest.approx((2.5, low, high))


def test_values_of_images_stay_as_they_are(tmp_path):
    alone = sweep(tmp_path / 'alone', metrics=METRICS[:1])
    both = sweep(tmp_path / 'both')
    assert [c['values'] for c in both['cells']] == [c['values'] for c in alone['cells']]
    assert [r for r in both['rows'] if r['metric'].startswith('PSNR')] == alone['rows']
    assert not (tmp_path / 'alone' / 'sweep.vectors').exists()
    assert not any('sets' in cell for cell in alone['cells'])


def test_result_depends_on_batch_size_by_rounding_of_features_alone(tmp_path):
    one, five = (sweep(tmp_path / str(size), batch_size=size)['cells'] for size in (1, 5))
    for a, b in zip(one, five, strict=True):
        for name, value in a['sets'].items():
            wanted = b['sets'][name]
            assert value['value'] == pytest.approx(wanted['value'], rel=1e-4, abs=1e-6)
            assert (value['n'], value['over']) == (wanted['n'], wanted['over'])


def test_metrics_of_one_kind_share_their_vectors(tmp_path):
    sweep(tmp_path)
    kinds = {path.name.split('.')[0] for path in (tmp_path / 'sweep.vectors').iterdir()}
    assert len(kinds) == 2
    assert len(list((tmp_path / 'sweep.vectors').iterdir())) == 2 * (CELLS + 1)


@pytest.mark.parametrize('after', [1, 9, 22])
def test_interrupted_sweep_continues(tmp_path, monkeypatch, after):
    whole = sweep(tmp_path / 'whole')
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', after)
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / 'killed')
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', None)
    found = sweep(tmp_path / 'killed')
    assert json.dumps(comparable(found)) == json.dumps(comparable(whole))
    monkeypatch.setattr(CountingNet, 'passes', 0)
    assert json.dumps(sweep(tmp_path / 'killed')) == json.dumps(found)
    assert CountingNet.passes == 0


def test_values_are_not_computed_twice(tmp_path, monkeypatch):
    whole = sweep(tmp_path)
    monkeypatch.setattr(FID, 'combine', lambda *_: pytest.fail('computed again'))
    assert json.dumps(sweep(tmp_path)) == json.dumps(whole)
    monkeypatch.undo()
    limited = config(tmp_path, metrics=METRICS[1:2])
    limited.test_dataloader.dataset = {
        'type': 'FirstImages', 'dataset': limited.test_dataloader.dataset, 'count': 3,
    }  # fmt: skip
    build_runner(limited).test()
    fewer = read_result(tmp_path)
    assert {row['n'] for row in fewer['rows']} == {3}
    (tmp_path / 'sweep.sets.json').write_text('{"torn')
    assert json.dumps(sweep(tmp_path)) == json.dumps(whole)


def test_lost_and_torn_vectors_are_computed_again(tmp_path, monkeypatch):
    whole = sweep(tmp_path)
    files = sorted(p for p in (tmp_path / 'sweep.vectors').iterdir() if '.target.' not in p.name)
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:-3])
    monkeypatch.setattr(CountingNet, 'passes', 0)
    assert json.dumps(sweep(tmp_path)) == json.dumps(whole)
    assert 0 < CountingNet.passes <= 5 + 2


def test_other_weights_are_computed_anew(tmp_path):
    before = sweep(tmp_path)
    after = sweep(tmp_path, gain=0.5)
    fresh = sweep(tmp_path / 'fresh', gain=0.5)
    assert json.dumps(comparable(after)) == json.dumps(comparable(fresh))
    assert after['rows'] != before['rows']


def test_set_metrics_alone(tmp_path):
    result = sweep(tmp_path, metrics=METRICS[1:2])
    assert [m['name'] for m in result['metrics']] == [FRECHET]
    assert len(result['images']) == 5
    write_sweep(tmp_path)
    write_report([tmp_path], tmp_path / 'report')


def test_nan_of_the_model_is_nan_in_every_set(tmp_path):
    result = sweep(tmp_path, gain=math.nan)
    assert all(math.isnan(row['mean']) for row in result['rows'])


def test_report_of_two_sweeps(tmp_path):
    folders = [tmp_path / name for name in ('first', 'second')]
    results = [sweep(folder, gain=gain) for folder, gain in zip(folders, (0.9, 0.7), strict=True)]
    write_sweep(folders[0])
    text = (folders[0] / 'sweep.md').read_text()
    assert '* values of sets: means over noise draws' in text
    assert 'NaN' not in text
    lines = (folders[0] / 'sweep.csv').read_text().splitlines()
    assert sum(FRECHET in line for line in lines) == len(results[0]['rows']) / 5
    write_report(folders, tmp_path / 'report')
    assert FRECHET in (tmp_path / 'report' / 'comparison.md').read_text()
    compared = compare(*results)
    (row,) = (
        r
        for r in compared['rows']
        if (r['metric'], r['noise'], r['level']) == (FRECHET, 'GaussianNoise', 15)
    )
    pairs = [
        [c['sets'][FRECHET]['value'] for c in result['cells'] if c['level'] == 15]
        for result in results
    ]
    gains = np.subtract(*pairs)
    assert row['gain'] == pytest.approx(gains.mean())
    assert (row['gain_low'], row['gain_high']) == pytest.approx(t_interval(gains)[1:])


def test_value_without_interval_stands_alone_in_tables():
    assert tables.interval_text(1.0, math.nan, math.nan, 2) == ''
    assert tables.interval_text(math.nan, math.nan, math.nan, 2) == ' [NaN, NaN]'
    assert tables.interval_text(1.0, -0.5, 1.5, 1, '+') == ' [-0.5, +1.5]'


def test_test_tool_shows_sets(capsys):
    metric = FID(FEATURES)
    scored(metric, sample_set(6))
    text = tables.scores_markdown({}, metric.values)
    assert text.splitlines()[-1].startswith(f'| {FRECHET} |')
    assert text.splitlines()[-1].endswith('| 6 |')


# Several processes.


def test_an_image_belongs_to_the_first_process_that_saw_it(monkeypatch):
    seen = [['a', 'c'], ['b', 'c', 'a'], ['d']]
    monkeypatch.setattr(set_metric, 'all_gather_object', lambda mine: seen)
    owned = []
    for rank in range(3):
        monkeypatch.setattr(set_metric, 'get_dist_info', lambda rank=rank: (rank, 3))
        own, total = own_keys(seen[rank])
        owned += own
        assert total == 4
    assert sorted(owned) == ['a', 'b', 'c', 'd']
    assert get_dist_info() == (0, 1)


# Files of vectors.


def test_vector_file_keeps_rows_and_drops_what_is_not_its_own(tmp_path):
    path = tmp_path / 'x.vectors'
    file = VectorFile(path, 'pixels')
    rows = np.arange(12, dtype=np.uint8).reshape(4, 3)
    file.append([5, 6], rows[:2], [True, False])
    file.append([7], rows[2:3], [True])
    with path.open('ab') as torn:
        torn.write(b'half a row')
    again = VectorFile(path, 'pixels')
    assert len(again) == 3
    again.append([8], rows[3:], [True])
    found = VectorFile(path, 'pixels')
    assert np.array_equal(found.read([8, 5, 6]), rows[[3, 0, 1]])
    assert found.is_finite([8, 5, 6]).tolist() == [True, True, False]
    assert found.is_finite([]).all()
    assert 5 in again
    assert 9 not in again
    assert 5 not in VectorFile(path, 'other pixels')
    with pytest.raises(DataError, match='are all images of one size'):
        again.append([9], np.zeros((1, 4), np.uint8), [True])
