"""The cells of a sweep: what is run, what is clean, what is refused."""

import pytest

from noiseedit.config import shipped_root
from noiseedit.datasets.limit import FirstImages
from noiseedit.errors import ConfigError, UnknownNameError
from noiseedit.evaluation.sweep import (
    axes_of,
    cells_of,
    is_identity,
    load_sweep,
    without_loader_noise,
)
from noiseedit.noises import build

GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}


def cells(noises, **more):
    return cells_of(axes_of({'noises': noises}), **more)


def test_cells_are_clean_first_and_level_zero_is_clean():
    found = cells([{**GAUSSIAN, 'levels': [0, 15, 25]}], repetitions=2)
    assert [cell.name for cell in found] == [
        'clean',
        'GaussianNoise_0',
        'GaussianNoise_15',
        'GaussianNoise_15_r1',
        'GaussianNoise_25',
        'GaussianNoise_25_r1',
    ]
    assert [cell.is_clean for cell in found] == [True, True, False, False, False, False]
    assert found[1].identity == found[0].identity
    assert len({cell.identity for cell in found}) == 5


def test_severity_zero_is_clean():
    severity = build({'type': 'Severity', 'noise': GAUSSIAN, 'levels': [5, 9]})
    assert is_identity(severity.with_level(0), 0)
    assert not is_identity(severity.with_level(1), 1)


def test_identity_follows_everything_that_changes_scores():
    spec = {**GAUSSIAN, 'levels': [15]}
    base = cells([spec])[1].identity
    assert cells([spec])[1].identity == base
    others = [
        cells([spec], seed=1),
        cells([{**spec, 'levels': [16]}]),
        cells([{**spec, 'unit': '[0,1]', 'sigma': 0.1, 'levels': [0.2]}]),
        cells([{**spec, 'mono': True}]),
        cells([{**spec, 'clip': True}]),
    ]
    assert base not in {found[1].identity for found in others}


def test_noise_without_levels_is_one_cell():
    found = cells([{'preset': 'nrgan/A'}])
    assert [(cell.name, cell.level) for cell in found] == [('clean', None), ('nrgan-A', None)]


@pytest.mark.parametrize(
    ('spec', 'expected'),
    [
        ({**GAUSSIAN, 'sigma': 0}, True),
        (GAUSSIAN, False),
        ({**GAUSSIAN, 'sigma': 0, 'quantize': True}, False),  # of 16-bit images it is something
        ({'type': 'SaltPepperNoise', 'amount': 0}, True),
        ({'type': 'SaltPepperNoise', 'amount': 1e-9}, False),  # seldom is not never
    ],
)
def test_is_identity(spec, expected):
    assert is_identity(build(spec)) is expected


@pytest.mark.parametrize(
    ('sweep', 'text'),
    [
        ({'noises': []}, 'the list is empty'),
        ({}, 'the list is empty'),
        ({'noise': [GAUSSIAN]}, 'sweep.noise: unknown key; nearest: noises'),
        ({'noises': [GAUSSIAN, GAUSSIAN]}, 'repeated or reserved: GaussianNoise'),
        ({'noises': [{**GAUSSIAN, 'label': 'clean'}]}, 'repeated or reserved: clean'),
        ({'noises': [{**GAUSSIAN, 'levels': [5, 5]}]}, 'repeats a level'),
        ({'noises': [{**GAUSSIAN, 'levels': 5}]}, 'expected a list of numbers, got 5'),
        ({'noises': [{**GAUSSIAN, 'levels': []}]}, 'expected a list of numbers'),
        ({'noises': [{**GAUSSIAN, 'levels': [-5]}]}, r'noises\[0\].levels: sigma: expected'),
        ({'noises': [{'sigma': 5, 'type': 'GaussianNoise'}]}, 'unit is missing'),
    ],
)
def test_malformed_sweeps_are_refused(sweep, text):
    with pytest.raises(ConfigError, match=text):
        axes_of(sweep)


def test_equal_noises_are_told_apart_by_label():
    found = cells([{**GAUSSIAN, 'label': 'a'}, {**GAUSSIAN, 'label': 'b', 'mono': True}])
    assert [cell.label for cell in found] == ['clean', 'a', 'b']


@pytest.mark.parametrize('repetitions', [0, -1, 1.5])
def test_repetitions_must_be_a_count(repetitions):
    with pytest.raises(ConfigError, match='whole number >= 1'):
        cells([GAUSSIAN], repetitions=repetitions)


SHIPPED = sorted(path.stem for path in (shipped_root() / '_base_' / 'sweeps').glob('*.py'))


@pytest.mark.parametrize('name', SHIPPED)
def test_shipped_sweeps_can_be_run(name):
    sweep = load_sweep(name)
    found = cells_of(axes_of({'noises': sweep['noises']}), sweep['repetitions'], sweep['seed'])
    cells = {
        'gni_grid': 31, 'awgn_15_25_50': 4, 'nrgan_A_to_P': 17, 'theory_grid': 28,
        'imagenet_c': 76, 'imagenet_c_extra': 21,
    }  # fmt: skip
    assert len(found) == cells[name]


def test_levels_of_the_grid_have_the_mean_of_the_rule():
    levels = load_sweep('gni_grid')['noises'][0]['levels']
    assert sum(levels) / len(levels) == pytest.approx(0.08)


def test_sweep_by_file_and_by_name(tmp_path):
    file = tmp_path / 'own.py'
    file.write_text(f'sweep = dict(noises=[dict(**{GAUSSIAN})])')
    assert load_sweep(file)['noises'] == [GAUSSIAN]
    with pytest.raises(UnknownNameError, match='Nearest: gni_grid'):
        load_sweep('gni_gird')
    file.write_text('swep = 1')
    with pytest.raises(ConfigError, match='no key sweep'):
        load_sweep(file)


def test_noise_of_the_pipeline_is_taken_out():
    loader = {'dataset': {'pipeline': [{'type': 'Load'}, {'type': 'NoiseSlot', 'noise': GAUSSIAN}]}}
    assert without_loader_noise(loader)['dataset']['pipeline'] == [
        {'type': 'Load'},
        {'type': 'NoiseSlot'},
    ]
    assert loader['dataset']['pipeline'][1]['noise'] == GAUSSIAN


def test_other_noise_of_the_pipeline_is_refused():
    steps = [{'type': 'AddNoise'}, {'type': 'AddNoise', 'noise': GAUSSIAN}]
    assert without_loader_noise(steps[:1]) == steps[:1]
    with pytest.raises(ConfigError, match='AddNoise, and every cell would add its own on top'):
        without_loader_noise({'dataset': {'pipeline': steps}})


class Numbers(list):
    """A data set of numbers by absolute position."""

    seed = 3

    def __getitem__(self, position):
        return position


def test_first_images_counts_visits_of_the_whole_set():
    limited = FirstImages(Numbers(range(10)), 4)
    assert len(limited) == 4
    assert [limited[p] for p in (0, 3, 4, 7)] == [0, 3, 10, 13]
    limited.seed = 8
    assert limited.dataset.seed == limited.seed == 8
    assert len(FirstImages(Numbers(range(3)), 9)) == 3
    with pytest.raises(ConfigError, match='at least one image, got 0'):
        FirstImages(Numbers(range(3)), 0)
