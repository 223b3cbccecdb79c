"""What a study found: numbers worked out by hand on made-up sweeps."""

import math

import pytest
from study_results import make_result

from noiseedit.errors import DataError
from noiseedit.report.study import metric_table, overview_table, study_markdown
from noiseedit.study import summarise
from noiseedit.study.summary import AHEAD, BEHIND, CROSSES, MIXED, average, draw_curves, verdict

LEVELS = [0, 1, 2]
BASELINE = {'A': [[[10, 12]], [[6, 6], [4, 6]], [[2, 2], [2, 4]]]}
"""noise -> level -> draw -> image; means over images: 11; 6 and 5; 2 and 3."""
INJECTED = {'A': [[[9, 9]], [[7, 7], [6, 8]], [[6, 6], [4, 6]]]}
"""Means: 9; 7 and 7; 6 and 5."""


@pytest.fixture
def found():
    pair = (make_result(BASELINE, LEVELS), make_result(INJECTED, LEVELS))
    return summarise({'model': pair})


def test_curves_of_draws_share_the_level_that_has_one():
    levels, curves = draw_curves(make_result(BASELINE, LEVELS), 'A', 'PSNR')
    assert levels == LEVELS
    assert curves.tolist() == [[11, 6, 2], [11, 5, 3]]


def test_clean_cost_is_positive_where_injection_costs(found):
    (clean,) = found['clean']
    assert (clean['baseline'], clean['injected'], clean['cost']) == (11, 9, 2)
    assert clean['cost_low'] <= 2 <= clean['cost_high']


def test_mean_gain_is_the_area_between_the_curves_over_the_range_of_levels(found):
    (entry,) = found['entries']
    # gains of the draws: -2, 1, 4 and -2, 2, 2; trapezoids over 0 to 2, divided by 2
    assert entry['mean_gain']['values'] == [pytest.approx(1), pytest.approx(1)]
    assert entry['mean_gain']['mean'] == entry['mean_gain']['low'] == 1
    assert entry['gain'] == pytest.approx([-2, 1.5, 3])
    assert entry['area'] == {'baseline': pytest.approx(12.25), 'injected': pytest.approx(14.25)}


def test_break_even_of_every_draw_with_students_interval(found):
    (entry,) = found['entries']
    meeting = entry['break_even']
    assert meeting['values'] == [pytest.approx(2 / 3), pytest.approx(1 / 2)]
    assert (meeting['met'], entry['draws']) == (2, 2)
    assert meeting['mean'] == pytest.approx(7 / 12)
    half = 12.7062 * (1 / 12)  # t(0.975, 1) times the standard error of two values
    assert meeting['low'] == pytest.approx(7 / 12 - half, abs=1e-4)
    assert meeting['high'] == pytest.approx(7 / 12 + half, abs=1e-4)


def test_where_lower_is_better_signs_turn():
    pair = (
        make_result(BASELINE, LEVELS, 'LPIPS', False),
        make_result(INJECTED, LEVELS, 'LPIPS', False),
    )
    (entry,) = summarise({'model': pair})['entries']
    assert entry['gain'] == pytest.approx([2, -1.5, -3])
    assert entry['verdict'] == MIXED


def test_a_noise_without_levels_has_a_gain_and_no_area():
    results = [make_result({'A': [[[value], [value]]]}, [None]) for value in (3, 5)]
    (entry,) = summarise({'model': tuple(results)})['entries']
    assert entry['mean_gain']['mean'] == 2
    assert entry['area'] == {'baseline': None, 'injected': None}
    assert (entry['break_even']['mean'], entry['break_even']['met']) == (None, 0)
    assert entry['verdict'] == AHEAD


def test_draws_whose_curves_do_not_meet_are_counted():
    injected = {'A': [[[9, 9]], [[7, 7], [1, 1]], [[6, 6], [1, 1]]]}
    pair = (make_result(BASELINE, LEVELS), make_result(injected, LEVELS))
    (entry,) = summarise({'model': pair})['entries']
    assert entry['break_even']['values'] == [pytest.approx(2 / 3), None]
    assert entry['break_even']['met'] == 1
    assert math.isnan(entry['break_even']['low'])


def test_variants_that_were_swept_otherwise_are_refused():
    baseline = make_result(BASELINE, LEVELS)
    other = make_result(INJECTED, LEVELS)
    other['metrics'] = [*other['metrics'], {'name': 'SSIM', 'higher_is_better': True}]
    with pytest.raises(
        DataError, match=r"mine: .* other metrics: \['PSNR'\] and \['PSNR', 'SSIM'\]"
    ):
        summarise({'mine': (baseline, other)})
    fewer = make_result({'A': INJECTED['A'][:2]}, LEVELS[:2])
    with pytest.raises(DataError, match=r'mine: .* other noises'):
        summarise({'mine': (baseline, fewer)})


def test_the_table_holds_areas_and_gains(found):
    assert '| model | A | 12.25 | 14.25 | +1.00 [+1.00, +1.00] |' in metric_table(found, 'PSNR')


def test_metrics_of_two_protocols_keep_their_names_apart():
    pairs = [
        make_result(v, LEVELS, m) for m in ('SSIM(a)', 'SSIM(b)') for v in (BASELINE, INJECTED)
    ]
    summary = summarise({'one': tuple(pairs[:2]), 'two': tuple(pairs[2:])})
    assert '| one | SSIM(a) |' in overview_table(summary)
    assert '| one | SSIM |' in overview_table(summarise({'one': tuple(pairs[:2])}))


def test_the_tables_name_the_identity_lists():
    pair = [make_result(v, LEVELS) for v in (BASELINE, INJECTED)]
    for result, letter in zip(pair, 'ab', strict=True):
        result['dataset'] = {'identity_list': 'x.txt', 'identity_list_sha256': letter * 64}
    text = study_markdown(summarise({'one': tuple(pair)}))
    assert f'one, baseline: identity list x.txt, SHA-256 {"a" * 64}' in text
    assert 'must not be compared' in text


@pytest.mark.parametrize(
    ('gains', 'expected'),
    [
        ([-1, 0, 2], CROSSES),
        ([-1, 2, -1], MIXED),
        ([1, -2], MIXED),
        ([0, 1], AHEAD),
        ([-1, 0], BEHIND),
        ([math.nan, 1], MIXED),
        ([-1], BEHIND),
    ],
)
def test_verdicts(gains, expected):
    assert verdict(gains) == expected


def test_average_of_uneven_levels_is_that_of_trapezoids():
    assert average([0, 1, 3], [0, 2, 4]) == pytest.approx((1 + 6) / 3)
    assert average([None], [7]) == 7
