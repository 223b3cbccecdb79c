"""The sweep as a whole: reads each image once, can be killed, gives strict files."""

import itertools
import json
import math

import pytest
import torch
from mmengine.config import Config
from torch import nn

from noiseedit.datasets import ToyShapes
from noiseedit.engine import build_runner
from noiseedit.errors import ConfigError
from noiseedit.evaluation.metrics import ImageMetric
from noiseedit.evaluation.results import read_result
from noiseedit.evaluation.setup import for_sweep, for_testing
from noiseedit.registry import DATASETS, GENERATORS, METRICS

IMAGES = 5
SWEEP = {
    'noises': [
        {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'levels': [0, 15, 50]},
        {'preset': 'nrgan/E'},
    ],
    'repetitions': 2,
    'seed': 3,
}
NOISY_CELLS = 2 * 2 + 2
RUNS = itertools.count()


@GENERATORS.register_module(force=True)
class CountingNet(nn.Module):
    """One weight; counts its forward passes, and fails when told to."""

    passes = 0
    fails_at = None

    def __init__(self, gain=0.9):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(float(gain)))

    def forward(self, x):
        CountingNet.passes += len(x)
        if CountingNet.fails_at is not None and CountingNet.passes > CountingNet.fails_at:
            raise KeyboardInterrupt
        return x * self.gain


@DATASETS.register_module(force=True)
class CountingShapes(ToyShapes):
    """Counts how often an image is read."""

    reads = 0

    def __getitem__(self, position):
        CountingShapes.reads += 1
        return super().__getitem__(position)


@METRICS.register_module(force=True)
class Brightness(ImageMetric):
    """Mean of the prediction: NaN where the model makes NaN."""

    name = 'Brightness'

    def score(self, sample):
        return float(sample.pred.mean())


@pytest.fixture(autouse=True)
def counters(monkeypatch):
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', None)
    monkeypatch.setattr(CountingShapes, 'reads', 0)


def config(folder, batch_size=2, gain=0.9, sweep=SWEEP, metrics=None, **loop):
    return Config(
        {
            'model': {
                'type': 'RestorationModel',
                'generator': {'type': 'CountingNet', 'gain': gain},
                'losses': {'pixel': {'type': 'L1Loss'}},
                'data_preprocessor': {'type': 'EditPreprocessor', 'value_range': '[-1,1]'},
            },
            'test_dataloader': {
                'batch_size': batch_size,
                'num_workers': 0,
                'dataset': {'type': 'CountingShapes', 'length': IMAGES, 'size': 16},
                'sampler': {'type': 'CounterSampler', 'shuffle': False},
            },
            'test_evaluator': metrics or [{'type': 'PSNR'}, {'type': 'SSIM'}],
            'test_cfg': {'type': 'SweepTestLoop', 'sweep': sweep, **loop},
            'work_dir': str(folder),
            'experiment_name': f'{folder}{next(RUNS)}',
            'log_level': 'ERROR',
        }
    )


def sweep(folder, **changes):
    """Run a sweep in ``folder``; return its result."""
    build_runner(config(folder, **changes)).test()
    return read_result(folder)


def comparable(result):
    """Return what must not depend on how a sweep was run."""
    return {key: value for key, value in result.items() if key != 'config_sha256'}


def test_every_image_is_read_once_and_every_cell_predicted_once(tmp_path):
    result = sweep(tmp_path)
    assert CountingShapes.reads == IMAGES
    assert CountingNet.passes == IMAGES * (1 + NOISY_CELLS)
    assert len(result['images']) == IMAGES
    assert all(
        len(values) == IMAGES for cell in result['cells'] for values in cell['values'].values()
    )


def test_result_does_not_depend_on_batch_size(tmp_path):
    results = [comparable(sweep(tmp_path / str(size), batch_size=size)) for size in (1, 3, 5)]
    assert results[0] == results[1] == results[2]


def test_result_does_not_depend_on_the_order_of_cells(tmp_path):
    turned = {**SWEEP, 'noises': SWEEP['noises'][::-1]}
    turned['noises'][1] = {**turned['noises'][1], 'levels': [50, 0, 15]}
    found = [sweep(tmp_path / str(i), sweep=one) for i, one in enumerate((SWEEP, turned))]
    by_name = [{cell['name']: cell['values'] for cell in result['cells']} for result in found]
    assert by_name[0] == by_name[1]


def test_level_zero_equals_clean_and_levels_share_a_draw(tmp_path):
    result = sweep(tmp_path, gain=1.0)
    rows = {(row['noise'], row['level'], row['metric'][:4]): row['mean'] for row in result['rows']}
    assert rows['GaussianNoise', 0, 'PSNR'] == rows['clean', None, 'PSNR'] == 100.0
    assert rows['GaussianNoise', 15, 'PSNR'] > rows['GaussianNoise', 50, 'PSNR']


def test_cell_equals_the_plain_test_of_its_noise(tmp_path):
    plain = config(tmp_path / 'plain')
    noise = {'type': 'GaussianNoise', 'sigma': 15, 'unit': 255}
    plain.model.data_preprocessor.noise = {'test': noise, 'seed': 3}
    plain.test_cfg = {}
    expected = build_runner(plain).test()
    found = build_runner(config(tmp_path / 'sweep', sweep={**SWEEP, 'repetitions': 1})).test()
    for name, value in expected.items():
        assert found[f'GaussianNoise/15/{name}'] == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize('after', [1, 9, 22])
def test_interrupted_sweep_continues_without_computing_twice(tmp_path, monkeypatch, after):
    whole = sweep(tmp_path / 'whole')
    total = CountingNet.passes
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', after)
    with pytest.raises(KeyboardInterrupt):
        sweep(tmp_path / 'killed')
    lines = (tmp_path / 'killed' / 'sweep.records.0.jsonl').read_text().splitlines()
    monkeypatch.setattr(CountingNet, 'passes', 0)
    monkeypatch.setattr(CountingNet, 'fails_at', None)
    assert comparable(sweep(tmp_path / 'killed')) == comparable(whole)
    assert CountingNet.passes <= total - (len(lines) - 1) + 1  # a half-done batch is done again
    assert len(lines) > 1 or after == 1


def test_torn_line_of_a_killed_process_is_ignored(tmp_path):
    whole = sweep(tmp_path)
    file = tmp_path / 'sweep.records.0.jsonl'
    lines = file.read_text().splitlines()
    file.write_text('\n'.join(lines[:9]) + '\n' + lines[9][:20])
    assert comparable(sweep(tmp_path)) == comparable(whole)
    assert len(file.read_text().splitlines()) == len(lines)


def test_finished_sweep_is_not_run_again(tmp_path, monkeypatch):
    whole = sweep(tmp_path)
    monkeypatch.setattr(CountingNet, 'passes', 0)
    assert sweep(tmp_path) == whole
    assert CountingNet.passes == 0


def test_new_level_costs_its_own_cells_alone(tmp_path, monkeypatch):
    sweep(tmp_path)
    monkeypatch.setattr(CountingNet, 'passes', 0)
    longer = {**SWEEP, 'noises': [{**SWEEP['noises'][0], 'levels': [0, 15, 25, 50]}]}
    result = sweep(tmp_path, sweep=longer)
    assert CountingNet.passes == IMAGES * 2
    assert {row['level'] for row in result['rows']} == {None, 0, 15, 25, 50}


@pytest.mark.parametrize(
    'change',
    [
        {'gain': 0.8},
        {'sweep': {**SWEEP, 'seed': 4}},
        {'metrics': [{'type': 'PSNR', 'border': 2}]},
    ],
)
def test_other_weights_seed_or_metrics_are_computed_anew(tmp_path, monkeypatch, change):
    before = sweep(tmp_path)
    monkeypatch.setattr(CountingNet, 'passes', 0)
    after = sweep(tmp_path, **change)
    assert CountingNet.passes >= IMAGES * NOISY_CELLS
    assert after == sweep(tmp_path / 'fresh', **change)
    assert after['cells'] != before['cells']


def test_other_pixels_under_the_same_name_are_computed_anew(tmp_path, monkeypatch):
    sweep(tmp_path)
    monkeypatch.setattr(CountingNet, 'passes', 0)
    draw = CountingShapes._draw
    monkeypatch.setattr(CountingShapes, '_draw', lambda self, number: draw(self, number) // 2)
    sweep(tmp_path)
    assert CountingNet.passes == IMAGES * (1 + NOISY_CELLS)


def test_json_is_strict_and_tells_levels_in_three_units(tmp_path):
    sweep(tmp_path)
    text = (tmp_path / 'sweep.json').read_text()
    result = json.loads(text, parse_constant=lambda name: pytest.fail(f'{name} is not JSON'))
    gaussian = result['noises'][0]
    assert gaussian['levels'] == [0, 15, 50]
    assert gaussian['unit'] == 255
    assert gaussian['strength_255'] == pytest.approx([0, 15, 50])
    assert gaussian['strength_network'] == pytest.approx([0, 30 / 255, 100 / 255])
    assert (result['train_noise'], result['train_variance_01']) == (None, 0.0)
    assert result['seed'] == 3
    assert len(result['weights_sha256']) == 64
    assert result['versions']['torch'] == torch.__version__.split('+')[0]


def test_summary_holds_what_its_names_say(tmp_path):
    result = sweep(tmp_path)
    (entry,) = (
        e
        for e in result['summary']
        if e['noise'] == 'GaussianNoise' and e['metric'].startswith('PSNR')
    )
    rows = [
        row
        for row in result['rows']
        if row['noise'] == 'GaussianNoise' and row['metric'] == entry['metric']
    ]
    a, b, c = (row['mean'] for row in rows)
    assert entry['clean'] == a
    assert entry['mean'] == pytest.approx((a + b + c) / 3)
    assert entry['area'] == pytest.approx((a + b) / 2 * 15 + (b + c) / 2 * 35)
    assert entry['max_drop'] == pytest.approx(a - c)
    assert entry['mean_drop'] == pytest.approx(((a - b) + (a - c)) / 3)


def test_nan_is_null_in_files_and_nan_in_the_result(tmp_path):
    metrics = [{'type': 'Brightness'}, {'type': 'PSNR'}]
    found = build_runner(config(tmp_path, gain=math.nan, metrics=metrics)).test()
    assert all(math.isnan(value) for value in found.values())
    json.loads((tmp_path / 'sweep.json').read_text(), parse_constant=pytest.fail)
    assert all(math.isnan(row['mean']) for row in read_result(tmp_path)['rows'])


def test_pictures_of_the_first_images_and_of_all(tmp_path):
    sweep(tmp_path, examples=2, save_images=str(tmp_path / 'all'))
    cell = tmp_path / 'sweep_images' / 'GaussianNoise_15'
    kinds = {path.name for path in cell.rglob('*.png')}
    expected = {f'0000{i}_{kind}.png' for i in (0, 1) for kind in ('input', 'pred', 'gt')}
    assert kinds == expected
    assert len(list((tmp_path / 'all' / 'GaussianNoise_15_r1').rglob('*.png'))) == IMAGES


def test_metrics_that_cannot_score_single_images_are_refused(tmp_path):
    with pytest.raises(ConfigError, match='DumpResults does not score single images'):
        sweep(tmp_path, metrics=[{'type': 'DumpResults', 'out_file_path': 'x.pkl'}])


def test_config_of_the_command_line(tmp_path):
    base = config(tmp_path)
    base.custom_hooks = [{'type': 'ModuleEMAHook', 'use_ema': True}]
    tested = for_testing(base, 'x.pth', ema='off', limit=2)
    assert tested.load_from == 'x.pth'
    assert tested.custom_hooks[0].use_ema is False
    assert tested.test_dataloader.dataset.count == 2
    assert base.custom_hooks[0].use_ema is True
    assert 'count' not in base.test_dataloader.dataset
    swept = for_sweep(tested, {'noises': []})
    assert swept.test_cfg.type == 'SweepTestLoop'
    base.pop('custom_hooks')
    assert for_testing(base, 'x.pth', ema='on').custom_hooks == [{'type': 'ModuleEMAHook'}]
    base.test_evaluator = None
    with pytest.raises(ConfigError, match='describes no test: test_evaluator missing'):
        for_testing(base, 'x.pth')


@pytest.mark.parametrize('target', ['source', 'target'])
def test_cells_corrupt_the_input_that_the_noise_is_for(tmp_path, target):
    base = config(tmp_path, gain=1.0)
    base.noise = {'where': 'pipeline', 'target': target}
    swept = for_sweep(for_testing(base, 'x.pth'), SWEEP)
    swept.load_from = None
    runner = build_runner(swept)
    batch = next(iter(runner.test_loop.dataloader))
    loop, preprocessor = runner.test_loop, runner.model.data_preprocessor
    loaded = preprocessor.load(batch)
    assert loop.target == target
    clean = preprocessor.normalise(loaded['inputs'][target])
    found = preprocessor.test_batch(loaded, loop.cells[-1].noise, target=loop.target)['inputs']
    changed = {name for name in found if not torch.equal(found[name], clean)}
    assert changed == {target}


def test_limit_keeps_what_was_scored(tmp_path, monkeypatch):
    limited = config(tmp_path)
    limited.test_dataloader.dataset = {
        'type': 'FirstImages',
        'dataset': limited.test_dataloader.dataset,
        'count': 2,
    }
    build_runner(limited).test()
    assert len(read_result(tmp_path)['images']) == 2
    monkeypatch.setattr(CountingNet, 'passes', 0)
    assert len(sweep(tmp_path)['images']) == IMAGES
    assert CountingNet.passes == (IMAGES - 2) * (1 + NOISY_CELLS)
