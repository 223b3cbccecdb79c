"""Pictures of an advice: they show what it says, with labels in both units, at any spectrum."""

import numpy as np
import pytest
from advice_example import example_advice, image_like_spectrum
from matplotlib.contour import ContourSet

from noiseedit.imaging import read_image
from noiseedit.report import theory_figures
from noiseedit.report.theory_curves import per_dimension
from noiseedit.report.theory_figures import (
    draw_divergence,
    draw_level_map,
    draw_spectrum,
    round_variances,
    rule_lines,
)
from noiseedit.theory.noise_level import break_even_variance

DRAW = [draw_spectrum, draw_divergence, draw_level_map]


@pytest.fixture
def figures(monkeypatch):
    """Return the figures that are saved, as objects."""
    saved = []
    monkeypatch.setattr(theory_figures, 'save_figure', lambda figure, path: saved.append(figure))
    return saved


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize('draw', DRAW)
def test_picture_is_written_and_not_empty(tmp_path, draw):
    draw(example_advice(), tmp_path / 'x.png')
    image = read_image(tmp_path / 'x.png')
    assert min(image.shape[:2]) > 500
    assert image.std() > 5


@pytest.mark.parametrize('draw', DRAW)
def test_every_rule_is_named_with_variance_and_8_bit_sigma(figures, draw):
    draw(example_advice(), 'x.png')
    labels = legend_of(figures[0])
    assert 'average: 0.08 (36.1/255)' in labels
    assert sum(label.startswith(('average', 'minimax', 'clean:')) for label in labels) == 3


@pytest.mark.parametrize('draw', DRAW)
@pytest.mark.parametrize(
    ('top', 'eigenvalues'),
    [
        (1e-4, image_like_spectrum()),
        (0.16, np.full(16, 0.25)),
        (0.16, np.array([1.0])),
        (1.0, image_like_spectrum(192)),
    ],
)
def test_any_spectrum_and_level_can_be_drawn(tmp_path, draw, top, eigenvalues):
    advice = example_advice(top=top, eigenvalues=eigenvalues)
    draw(advice, tmp_path / 'x.png')
    assert read_image(tmp_path / 'x.png').std() > 5


@pytest.mark.parametrize('value_range', ['[0,1]', 'uint8'])
def test_other_value_ranges(figures, value_range):
    draw_divergence(example_advice(value_range=value_range), 'x.png')
    assert value_range in figures[0].axes[0].get_xlabel()
    factor = {'[0,1]': 255.0, 'uint8': 1.0}[value_range]
    assert f'average: 0.08 ({0.08**0.5 * factor:.3g}/255)' in legend_of(figures[0])


def test_spectrum_falls_and_floor_is_where_it_is_said_to_be(figures):
    advice = example_advice()
    draw_spectrum(advice, 'x.png')
    curve, floor, *levels = figures[0].axes[0].get_lines()
    assert list(curve.get_ydata()) == sorted(advice['spectrum']['eigenvalues'], reverse=True)
    assert set(floor.get_ydata()) == {advice['spectrum']['floor']}
    assert [line.get_ydata()[0] for line in levels] == [r['variance'] for r in advice['rules']]


def test_divergence_curves_are_zero_at_their_own_level_and_marked_at_break_even(figures):
    advice = example_advice()
    draw_divergence(advice, 'x.png')
    lines = {line.get_label(): line for line in figures[0].axes[0].get_lines()}
    curve = lines['average: 0.08 (36.1/255)']
    lowest = curve.get_xdata()[np.argmin(curve.get_ydata())]
    assert lowest == pytest.approx(0.08**0.5 * 127.5, rel=0.02)
    markers = [
        line for line in lines.values() if line.get_marker() == 'o' and len(line.get_xdata())
    ]
    (marker,) = markers
    at = (marker.get_xdata()[0] / 127.5) ** 2
    assert at == pytest.approx(advice['rules'][0]['break_even'])
    clean, noisy = per_dimension(advice, [0.0, 0.08], [at])
    assert noisy[0] == pytest.approx(clean[0])
    assert noisy[0] == pytest.approx(marker.get_ydata()[0])


def test_levels_of_the_table_that_are_rules_are_drawn_once(figures):
    draw_divergence(example_advice(), 'x.png')
    labels = legend_of(figures[0])
    assert '0.04 (25.5/255)' in labels
    assert '0.08 (36.1/255)' not in labels


def test_map_marks_where_clean_training_is_as_good(figures):
    advice = example_advice()
    draw_level_map(advice, 'x.png')
    (contour,) = (c for c in figures[0].axes[0].collections if isinstance(c, ContourSet))
    points = contour.get_paths()[0].vertices
    sigma, train = points[len(points) // 2] / 127.5
    exact = break_even_variance(advice['spectrum']['eigenvalues'], train**2)
    assert sigma**2 == pytest.approx(exact, rel=0.02)


@pytest.mark.parametrize('draw', DRAW)
def test_noise_without_break_even_and_of_other_kinds_can_be_drawn(figures, draw):
    advice = example_advice()
    advice['noise']['kind'] = 'coloured'
    advice['rules'][0]['break_even'] = None
    draw(advice, 'x.png')
    assert draw is draw_spectrum or 'for white noise' in figures[0].axes[0].get_title()


def test_moments_of_the_table_are_drawn_instead_of_white_noise(figures):
    """Moments of white noise give the curves of white noise, others do not; between levels too."""
    advice, tests = example_advice(), [0.0, 0.01, 0.04, 0.16, 0.2]
    white = per_dimension(advice, [0.02, 0.08], tests)
    levels = np.array(advice['table']['test_variances'])[:, None]
    eigenvalues = np.array(advice['spectrum']['eigenvalues'])
    advice['table']['moments'] = (eigenvalues + levels).tolist()
    np.testing.assert_allclose(per_dimension(advice, [0.02, 0.08], tests), white, rtol=1e-9)
    energy = eigenvalues / eigenvalues.mean()
    advice['table']['moments'] = (eigenvalues + levels * energy).tolist()
    assert per_dimension(advice, [0.08], [0.16]) > 1.5 * white[1, 3]
    draw_level_map(advice, 'x.png')
    assert 'white' not in figures[0].axes[0].get_title()


def test_only_clean_inputs_at_test_can_be_drawn(tmp_path):
    advice = example_advice()
    advice['table'].update(test_variances=[0.0], kl_per_dimension=[[0.0]] * 4)
    for rule in advice['rules']:
        rule.update(variance=0.0, break_even=0.0)
    for draw in DRAW[1:]:
        draw(advice, tmp_path / 'x.png')


@pytest.mark.parametrize('top', [1e-6, 0.0025, 0.16, 0.2, 1, 7, 2601])
def test_ticks_are_round_apart_and_inside(top):
    ticks = round_variances(top)
    roots = np.sqrt(ticks) / np.sqrt(top)
    assert ticks[0] == 0
    assert 3 <= len(ticks) <= 8
    assert roots[-1] <= 1 + 1e-9
    assert np.diff(roots).min() >= 0.099
    assert all(len(f'{tick:g}') <= 6 for tick in ticks)


def test_lines_keep_the_order_and_colours_of_the_rules():
    lines = rule_lines(example_advice())
    assert [line.label for line in lines] == ['average', 'minimax', 'clean']
    assert len({line.colour for line in lines}) == 3
