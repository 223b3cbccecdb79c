"""Theory over measured curves: units, what is left out, break-even levels, ranks, the page."""

import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from advice_example import example_advice
from scipy.stats import spearmanr

from noiseedit.errors import ConfigError
from noiseedit.evaluation.comparison import compare
from noiseedit.files import write_json
from noiseedit.imaging import read_image
from noiseedit.report import curves
from noiseedit.report.curves import draw_comparison, draw_sweep
from noiseedit.report.look import COLOURS, PREDICTED
from noiseedit.report.overlay import EXPLANATION, overlay_panel, overlay_row, prediction_tables
from noiseedit.report.prediction import (
    break_even_rows,
    make_prediction,
    rank_rows,
    spearman,
)
from noiseedit.report.write import summary_lines, write_report
from noiseedit.theory.mismatch import gaussian_kl
from noiseedit.theory.noise_level import break_even_variance

ROOT = Path(__file__).resolve().parents[2]
PSNR, LPIPS = 'PSNR(rgb,uint8,border=0)', 'LPIPS(alex)'
LEVELS = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16]
WHITE = [
    {'type': 'GaussianNoise', 'variance': 0.04, 'unit': '[-1,1]'},
    {'type': 'UniformNoise', 'variance': 0.04, 'unit': '[-1,1]'},
]
OTHER = [
    {'type': 'PowerLawNoise', 'variance': 0.04, 'unit': '[-1,1]'},
    {'type': 'GaussianNoise', 'variance': 0.04, 'unit': '[-1,1]', 'mono': True},
    {'type': 'SaltPepperNoise', 'variance': 0.04, 'unit': '[-1,1]'},
    {'type': 'MultiplicativeNoise', 'variance': 0.04, 'unit': '[-1,1]'},
]
ADVICE = example_advice(eigenvalues=np.array([1.0, 0.25, 0.01, 0.002]))
LAM = ADVICE['spectrum']['eigenvalues']


def noise_entry(spec, levels=LEVELS, name='variance', unit='[-1,1]', label=None):
    return {'label': label or spec['type'], 'spec': spec, 'levels': list(levels), 'unit': unit,
            'level_name': name, 'text': spec['type']}  # fmt: skip


def divergence(train, test):
    return gaussian_kl(LAM, train, test) / len(LAM)


def made_up(train=0.0, noises=(), quality=divergence, **changes):
    """Return the sweep of a model whose loss is ``quality(train, test)``, level 0 being clean."""
    noises = list(noises) or [noise_entry(spec) for spec in WHITE]
    rows, cells = [], []
    places = [('clean', None), *((n['label'], level) for n in noises for level in n['levels'])]
    for noise, level in places:
        loss = quality(train or 0.0, level or 0.0)
        values = {PSNR: 30 - loss, LPIPS: 0.1 + loss}
        cells.append({'noise': noise, 'level': level, 'repetition': 0,
                      'values': {name: [value] * 2 for name, value in values.items()}})  # fmt: skip
        rows += [
            {'metric': name, 'noise': noise, 'level': level, 'mean': value, 'std': 0.0,
             'low': value, 'high': value, 'n': 2}
            for name, value in values.items()
        ]  # fmt: skip
    variance = None if train is None else train / 4
    spec = {'type': 'GaussianNoise', 'variance': (0, 0.16), 'unit': '[-1,1]'}
    return {
        'config': 'x.py', 'config_sha256': 'c' * 64, 'checkpoint': 'x.pth',
        'checkpoint_sha256': 'd' * 64, 'format': 1, 'seed': 0, 'images': ['a', 'b'],
        'train_noise': spec if train is None else None, 'train_variance_01': variance,
        'metrics': [{'name': PSNR, 'higher_is_better': True},
                    {'name': LPIPS, 'higher_is_better': False}],
        'noises': noises, 'rows': rows, 'cells': cells, 'summary': [], 'versions': {},
        'examples': [], **changes,
    }  # fmt: skip


def three():
    return {'clean': made_up(0.0), 'low': made_up(0.02), 'high': made_up(0.08)}


# Units.


@pytest.mark.parametrize(
    ('name', 'unit', 'level'),
    [
        ('variance', '[-1,1]', 0.04),
        ('variance', '[0,1]', 0.01),
        ('variance', 255, 25.5**2),
        ('sigma', '[-1,1]', 0.2),
        ('sigma', 255, 25.5),
        ('amplitude', 255, 25.5 * 3**0.5),
    ],
)
@pytest.mark.parametrize(('value_range', 'width'), [('[-1,1]', 2), ('[0,1]', 1), ('uint8', 255)])
def test_divergence_does_not_depend_on_units(name, unit, level, value_range, width):
    """8-bit sigma 25.5 after training at variance 0.08 in [-1,1], said in every way."""
    kind = 'UniformNoise' if name == 'amplitude' else 'GaussianNoise'
    entry = noise_entry({'type': kind, name: level, 'unit': unit}, [0, level], name, unit)
    scaled = [value * (width / 2) ** 2 for value in LAM]
    advice = {**ADVICE, 'value_range': value_range, 'spectrum': {'eigenvalues': scaled}}
    prediction = make_prediction({'m': made_up(0.08, [entry])}, advice)
    clean, noisy = prediction.divergence('m', kind, [0, level])
    assert clean == pytest.approx(divergence(0.08, 0.0), rel=1e-9)
    assert noisy == pytest.approx(divergence(0.08, 0.04), rel=1e-9)
    assert prediction.variance(kind, level) == pytest.approx(0.04 * (width / 2) ** 2)


# What is predicted.


@pytest.mark.parametrize('spec', OTHER)
def test_other_noises_are_left_out_with_a_reason(spec):
    prediction = make_prediction(
        {'m': made_up(0.0, [noise_entry(WHITE[0], label='white'), noise_entry(spec, label='x')])},
        ADVICE,
    )
    assert list(prediction.noises) == ['white']
    (note,) = (note for note in prediction.notes if note.startswith('x is not predicted: '))
    words = {'PowerLawNoise': 'coloured', 'GaussianNoise': 'coloured',
             'SaltPepperNoise': 'replaces pixels', 'MultiplicativeNoise': 'no white'}  # fmt: skip
    assert words[spec['type']] in note


def test_noises_without_levels_or_from_a_missing_plugin_are_left_out():
    noises = [noise_entry(WHITE[0], [None]), noise_entry({'type': 'FromElsewhere'})]
    prediction = make_prediction({'m': made_up(0.0, noises)}, ADVICE)
    assert prediction.is_empty
    assert any('without levels' in note for note in prediction.notes)
    assert any('cannot be built here' in note for note in prediction.notes)


def test_uniform_noise_is_said_to_be_taken_for_gaussian():
    notes = make_prediction({'m': made_up()}, ADVICE).notes
    assert any(note.startswith('UniformNoise: predicted as Gaussian') for note in notes)
    assert 'photos: 68 images, 8x8 patches, luma' in notes[0]


def test_model_of_a_random_level_is_left_out():
    results = {'clean': made_up(), 'random': made_up(None)}
    prediction = make_prediction(results, ADVICE)
    assert list(prediction.trains) == ['clean']
    assert any('random is not predicted' in note and '(0, 0.16)' in note
               for note in prediction.notes)  # fmt: skip
    compared = compare(results['clean'], results['random'])
    assert break_even_rows(prediction, 'clean', 'random', compared) == []


def test_old_sweeps_need_their_training_variance():
    old = made_up()
    del old['train_noise'], old['train_variance_01']
    with pytest.raises(ConfigError, match=r'old: .* run the sweep again .*--train-variance V'):
        make_prediction({'old': old}, ADVICE)
    assert make_prediction({'old': old}, ADVICE, [0.04]).trains == {'old': 0.04}


@pytest.mark.parametrize(
    ('given', 'message'),
    [([0.1], 'one number for each of 2 sweeps'), ([0, -1.0], 'got -1.0'), ([0, np.nan], 'nan')],
)
def test_wrong_training_variances_are_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        make_prediction({'a': made_up(), 'b': made_up()}, ADVICE, given)


# Break-even.


def test_predicted_break_even_is_where_divergences_are_equal():
    prediction = make_prediction(three(), ADVICE)
    meets = prediction.break_even('clean', 'high')
    assert meets == pytest.approx(break_even_variance(LAM, 0.08), rel=1e-12)
    meets = prediction.break_even('low', 'high')
    assert 0.02 < meets < 0.08
    assert divergence(0.02, meets) == pytest.approx(divergence(0.08, meets), rel=1e-9)
    assert prediction.break_even('high', 'low') == meets
    assert prediction.break_even('high', 'high') is None


def test_observed_break_even_is_in_the_units_of_the_prediction():
    """Curves that are the divergence itself meet where it is predicted; also over sigma."""
    sigmas = [127.5 * level**0.5 for level in LEVELS]
    spec = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}
    entry = noise_entry(spec, np.linspace(0, max(sigmas), 60), 'sigma', 255)
    results = {
        name: made_up(train, [entry], lambda s, sigma: divergence(s, (sigma / 127.5) ** 2))
        for name, train in (('clean', 0.0), ('noisy', 0.08))
    }
    prediction = make_prediction(results, ADVICE)
    compared = compare(*results.values())
    rows = break_even_rows(prediction, 'clean', 'noisy', compared)
    assert {row['metric'] for row in rows} == {PSNR, LPIPS}
    for row in rows:
        assert row['observed'] == pytest.approx(row['predicted'], rel=0.02)


def test_curves_that_do_not_meet_are_said_not_to():
    results = {'a': made_up(0.0), 'b': made_up(0.0, quality=lambda s, e: divergence(s, e) + 1)}
    prediction = make_prediction(results, ADVICE)
    (table, _) = prediction_tables(prediction, results).values()
    assert '| GaussianNoise | same training level | curves do not meet |' in table


# Ranks.


@pytest.mark.parametrize(('sign', 'expected'), [(1, 1.0), (-1, -1.0)])
def test_loss_that_is_the_divergence_has_rank_correlation_one(sign, expected):
    results = {'m': made_up(0.08, quality=lambda s, e: sign * divergence(s, e))}
    rows = rank_rows(make_prediction(results, ADVICE), results)
    assert [row['metric'] for row in rows] == [PSNR, LPIPS]
    for row in rows:
        assert row['own'] == pytest.approx(expected)
        assert row['best'] is None
        assert row['cells'] == 1 + 2 * (len(LEVELS) - 1)


def test_ranks_of_several_models_are_over_all_their_cells():
    results = three()
    (row, _) = rank_rows(make_prediction(results, ADVICE), results)
    trains = [0.0, 0.02, 0.08]
    # Both white noises have the same cells; the clean one counts once per model.
    levels = [0.0, *LEVELS[1:], *LEVELS[1:]]
    kl = np.array([[divergence(s, e) for e in levels] for s in trains])
    own = kl - kl[:, :1]
    best = kl - kl.min(axis=0)
    assert row['cells'] == kl.size
    assert row['own'] == pytest.approx(spearmanr(kl.ravel(), own.ravel()).statistic, abs=1e-3)
    assert row['best'] == pytest.approx(spearmanr(kl.ravel(), best.ravel()).statistic, abs=1e-3)


def test_cells_of_unpredicted_noises_and_nan_do_not_count():
    noises = [noise_entry(WHITE[0]), noise_entry(OTHER[0])]
    result = made_up(0.08, noises)
    result['rows'][2 * len(LEVELS)]['mean'] = np.nan
    rows = rank_rows(make_prediction({'m': result}, ADVICE), {'m': result})
    assert sorted(row['cells'] for row in rows) == [len(LEVELS) - 1, len(LEVELS)]


def test_rank_of_constants_and_of_few_values_is_none():
    assert spearman([1, 2], [1, 2]) is None
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2, np.nan, 3], [1, 2, 3, 9]) == pytest.approx(1)


# Pictures.


@pytest.fixture
def figures(monkeypatch):
    saved = []
    monkeypatch.setattr(curves, 'save_figure', lambda figure, path: saved.append(figure))
    return saved


def test_dotted_lines_on_a_second_axis_in_the_colours_of_the_models(figures):
    noises = [noise_entry(WHITE[0]), noise_entry(OTHER[0])]
    results = {'a': made_up(0.0, noises), 'b': made_up(None, noises), 'c': made_up(0.04, noises)}
    prediction = make_prediction(results, ADVICE)
    draw_comparison(results, 'x.png', lambda *panels: overlay_row(prediction, *panels))
    panels, seconds = figures[0].axes[:4], figures[0].axes[4:]
    assert len(seconds) == 2  # a row per metric, the white noise alone
    for second, falls in zip(seconds, (True, False), strict=True):
        assert bool(second.yaxis_inverted()) == falls
        assert [line.get_color() for line in second.get_lines()] == [COLOURS[0], COLOURS[2]]
        _, line = second.get_lines()
        at = np.argmin(np.abs(line.get_xdata() - 0.16))
        assert line.get_ydata()[at] == pytest.approx(divergence(0.04, 0.16))
        assert 'predicted' in second.get_ylabel()
    assert seconds[0].bbox.bounds == panels[0].bbox.bounds
    texts = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert texts == ['a', 'b', 'c', 'on clean images', PREDICTED.text]


def test_curve_that_towers_over_the_others_leaves_the_panel(figures):
    advice = example_advice(eigenvalues=np.array([1.0, 1e-5]))
    results = {'a': made_up(0.0), 'b': made_up(0.08)}
    prediction = make_prediction(results, advice)
    draw_comparison(results, 'x.png', lambda *panels: overlay_row(prediction, *panels))
    second = figures[0].axes[-1]
    clean, noisy = (line.get_ydata().max() for line in second.get_lines())
    assert noisy < max(second.get_ylim()) < clean


def test_one_model_gets_one_line(figures):
    result = made_up(0.04)
    prediction = make_prediction({'m': result}, ADVICE)
    draw_sweep(result, 'x.png', lambda *panel: overlay_panel(prediction, *panel))
    assert [len(second.get_lines()) for second in figures[0].axes[2:]] == [1, 1]


# Files.


@pytest.fixture
def folders(tmp_path):
    for name, result in three().items():
        write_dir = tmp_path / name
        write_dir.mkdir()
        write_json(result, write_dir / 'sweep.json')
    (tmp_path / 'advice').mkdir()
    write_json(ADVICE, tmp_path / 'advice' / 'advice.json')
    return tmp_path


def test_page_explains_and_tells_what_was_predicted_and_observed(folders):
    names = [folders / name for name in ('clean', 'low', 'high')]
    file, *others = write_report(names, folders / 'out', theory=folders / 'advice')
    text = file.read_text()
    assert EXPLANATION.split("metric's")[0] in text
    assert 'Break-even of high with clean: predicted and observed variance' in text
    assert 'Rank correlation of measured loss and predicted divergence' in text
    (markdown,) = (other.read_text() for other in others if other.name == 'comparison.md')
    assert '# Theory and measurement' in markdown
    assert '| GaussianNoise | 0.00' in markdown
    plain_page, *_ = write_report(names, folders / 'plain')
    assert 'predicted' not in plain_page.read_text()
    drawn, plain = (read_image(place / 'comparison.png')
                    for place in (folders / 'out', folders / 'plain'))  # fmt: skip
    assert drawn.shape != plain.shape or (drawn != plain).any()


def test_page_where_nothing_can_be_predicted_says_why(folders):
    write_json(made_up(None), folders / 'clean' / 'sweep.json')
    file, *_ = write_report([folders / 'clean'], folders / 'out', theory=folders / 'advice')
    text = file.read_text()
    assert 'Dotted' not in text
    assert 'clean is not predicted: no white training noise of one level' in text


def test_training_variance_alone_is_refused(folders):
    with pytest.raises(ConfigError, match='--train-variance: says what --theory'):
        write_report([folders / 'clean'], folders / 'out', train_variances=[0.0])


def test_lines_of_the_terminal(folders):
    names = [folders / name for name in ('clean', 'high')]
    lines = summary_lines(names, folders / 'advice', [0.0, 0.04])
    exact = break_even_variance(LAM, 0.04)
    (line,) = (x for x in lines if x.startswith('| GaussianNoise | ') and f'| {exact:.3g} (' in x)
    assert '/255' in line
    assert not any('predicted' in line for line in summary_lines(names))


@pytest.mark.parametrize(
    ('options', 'code', 'said'),
    [
        (['--theory', 'advice'], 0, 'Rank correlation'),
        (['--theory', 'advice/advice.json', '--train-variance', '0', '0.08'], 0, 'predicted'),
        (['--theory', 'nowhere'], 2, 'no advice'),
        (['--train-variance', '0', '0.08'], 2, 'says what --theory'),
    ],
)
def test_command_line(folders, monkeypatch, capsys, options, code, said):
    monkeypatch.chdir(folders)
    monkeypatch.setattr(sys, 'argv', ['report.py', 'clean', 'high', '-o', 'out', *options])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(ROOT / 'tools' / 'report.py'), run_name='__main__')
    assert stopped.value.code == code
    printed = capsys.readouterr()
    assert said in (printed.out if code == 0 else printed.err)
