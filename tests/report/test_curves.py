"""Figures of many curves: all can be told apart, and the legend is whole."""

import pytest

from noiseedit.noises.imagenet_c import MAIN
from noiseedit.report import curves
from noiseedit.report.look import line_look

NOISES = [f'imagenet_c/{name}' for name in MAIN] + [f'imagenet_c/other_{i}' for i in range(4)]


def make_result(labels, metrics=('PSNR(rgb,uint8,border=0)',), variances=()):
    """Return what is drawn of a sweep: one noise per label, those of ``variances`` in [-1,1]."""
    noises = [
        {'label': label, 'levels': [0, 0.08], 'level_name': 'variance', 'unit': '[-1,1]'}
        if label in variances
        else {'label': label, 'levels': [1, 2, 3], 'level_name': 'severity', 'unit': None}
        for label in labels
    ]
    places = [('clean', None), *((n['label'], level) for n in noises for level in n['levels'])]
    rows = [
        {'metric': m, 'noise': label, 'level': level, 'mean': 30 - (level or 0), 'low': 26,
         'high': 31}
        for m in metrics
        for label, level in places
    ]  # fmt: skip
    return {
        'noises': noises,
        'rows': rows,
        'metrics': [{'name': m, 'higher_is_better': True} for m in metrics],
    }


@pytest.fixture
def drawn(monkeypatch):
    """Return a function that draws a sweep and gives the finished figure."""
    figures = []
    monkeypatch.setattr(curves, 'save_figure', lambda figure, path: figures.append(figure))

    def draw(result):
        curves.draw_sweep(result, 'unused.png')
        figures[-1].draw_without_rendering()
        return figures[-1]

    return draw


def test_twenty_curves_look_different():
    looks = [line_look(place) for place in range(21)]
    assert len({(look['color'], str(look['linestyle'])) for look in looks}) == 21
    assert len({(look['color'], look['marker']) for look in looks}) == 21


@pytest.mark.parametrize('metrics', [1, 2, 4])
@pytest.mark.parametrize('count', [1, 5, 19])
def test_the_legend_is_whole_and_covers_no_panel(drawn, metrics, count):
    figure = drawn(make_result(NOISES[:count], [f'metric{i}(x)' for i in range(metrics)]))
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert [text.get_text() for text in legend.get_texts()] == ['clean', *NOISES[:count]]
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= min(axis.get_tightbbox().y0 for axis in figure.axes)
    assert min(axis.get_window_extent().height for axis in figure.axes) > 1.2 * figure.dpi


def test_levels_of_different_meaning_have_a_row_each(drawn):
    labels = ['gni/gaussian', *NOISES[:2], 'gni/color']
    figure = drawn(make_result(labels, ['a', 'b'], variances=('gni/gaussian', 'gni/color')))
    assert [axis.get_xlabel() for axis in figure.axes] == [
        *['variance in [-1,1]'] * 2,
        *['severity'] * 2,
    ]
    shown = [[line.get_label() for line in axis.get_lines()] for axis in figure.axes[::2]]
    assert shown == [['clean', 'gni/gaussian', 'gni/color'], ['clean', *NOISES[:2]]]
