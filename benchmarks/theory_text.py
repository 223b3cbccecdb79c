"""What benchmarks/theory_in_practice.py prints: Markdown from the numbers of its analysis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from theory_readings import MAIN, rank_correlation

from noiseedit.report.tables import digits_of, markdown, number

Analysis = Mapping[str, Any]
Entry = Mapping[str, Any]

MAIN_SPECTRUM = 'training photographs, luma'
ORDER = 'order of the networks at each level (mean)'
RULE_TEXT = {'average': 'best average', 'minimax': 'least worst loss'}


def summary(found: Analysis) -> str:
    """Return the whole result as Markdown.

    Args:
        found: What ``theory_in_practice.analyse`` returned.
    """
    parts = [
        _facts(found),
        '### Rank correlation of measured loss and predicted divergence',
        _ranks(found),
        _rank_notes(found),
        '### Break-even with the network trained on clean photographs',
        _break_evens(found),
        '### Best training variance',
        _optima(found),
        _averages(found),
        '### Measured loss beside predicted divergence',
        *(_losses(entry, found) for entry in _main(found)),
        '### Other spectra, other predictions',
        _spectra(found),
        '### Where theory and practice part',
        _partings(found),
    ]
    return '\n\n'.join(part.strip() for part in parts) + '\n'


def short(metric: str) -> str:
    """Return the name of a metric without its protocol."""
    return metric.partition('(')[0]


def entry_of(found: Analysis, metric: str, noise: str) -> Entry:
    """Return the measured entry of a metric and a noise."""
    return next(e for e in found['measured'] if (e['metric'], e['noise']) == (metric, noise))


def _main(found: Analysis) -> list[Entry]:
    """Return the entries of the noise that was trained with, one per metric."""
    return [entry_of(found, metric, found['noises'][0]) for metric in found['metrics']]


def with_range(value: float | None, seeds: Iterable[float | None], digits: int) -> str:
    """Return ``0.91 (0.88 to 0.93)``: a value of the mean, and the range over single trainings."""
    known = [math.nan if seed is None else seed for seed in seeds]
    shown = number(value, digits)
    if len(known) < 2:
        return shown
    if any(math.isnan(seed) for seed in known):
        return f'{shown} (not always)'
    return f'{shown} ({number(min(known), digits)} to {number(max(known), digits)})'


# Sections.


def _facts(found: Analysis) -> str:
    train = ', '.join(f'{s:g}' for s in found['train_variances'])
    test = ', '.join(f'{e:g}' for e in found['test_variances'])
    size = len(found['predicted']['eigenvalues'])
    runs = f'means over {found["seeds"]} trainings each, range of single trainings in brackets'
    return (
        f'Networks trained with Gaussian noise of variance {train} (in [-1,1]'
        f'{"; " + runs if found["seeds"] > 1 else "; one training each"}), tested at variance '
        f'{test} on {found["test_images"]} held-out crops. Divergence: Gaussian source with the '
        f'spectrum of 8x8 patches ({MAIN_SPECTRUM}, {size} eigenvalues), in nats per dimension.'
    )


def _ranks(found: Analysis) -> str:
    names = list(found['measured'][0]['mean']['rank'])
    rows = [_rank_row(found, 'rank', name, 'divergence') for name in names]
    rows += [_rank_row(found, 'rank_control', name, 'sigma distance') for name in (MAIN, ORDER)]
    header = ['loss counted', 'predictor', 'n', *(_heading(e) for e in _columns(found))]
    return markdown(header, rows, text_columns=2)


def _heading(entry: Entry) -> str:
    return f'{short(entry["metric"])}, {entry["noise"].removeprefix("gni/")}'


def _columns(found: Analysis) -> list[Entry]:
    pairs = [(metric, noise) for metric in found['metrics'] for noise in found['noises']]
    return [entry_of(found, *pair) for pair in pairs]


def _rank_row(found: Analysis, key: str, name: str, predictor: str) -> list[str]:
    cells = [
        with_range(
            entry['mean'][key][name]['correlation'],
            [seed[key][name]['correlation'] for seed in entry['seeds']],
            digits=2,
        )
        for entry in _columns(found)
    ]
    text = name if name == ORDER else f'against the {name}'
    return [text, predictor, str(found['measured'][0]['mean'][key][name]['n']), *cells]


def _rank_notes(found: Analysis) -> str:
    count = len(found['train_variances'])
    return (
        f'The first row is what theory speaks of: 0 where both variances agree (those are left '
        f'out). The n values come from {count} networks and the same images and draws of noise: '
        f'they are not independent, so no p-value is given. For uniform and Laplace noise the '
        f'Gaussian divergence is used: the true one adds a term that is the same for every '
        f'network at a level. Sigma distance, |sigma_t - sigma_e|, is the control: a predictor '
        f'that has seen no photograph.'
    )


def _break_evens(found: Analysis) -> str:
    predicted, columns = found['predicted'], _columns(found)
    rows = []
    for index, train in enumerate(found['train_variances'][1:]):
        seen = [
            with_range(
                e['mean']['break_even'][index], [s['break_even'][index] for s in e['seeds']], 4
            )
            for e in columns
        ]
        bounds = [predicted['break_even'][index], predicted['conservative'][index]]
        bounds.append(found['control']['break_even'][index])
        rows.append([f'{train:g}', *(f'{bound:.4f}' for bound in bounds), *seen])
    header = ['trained at', 'predicted', 'at the latest (half)', 'sigma distance (quarter)']
    return markdown([*header, *map(_heading, columns)], rows)


def _optima(found: Analysis) -> str:
    predicted, rows = found['predicted'], []
    for rule, text in RULE_TEXT.items():
        cells = [f'{predicted["optimum"][rule]:.4f}', f'{predicted["best_trained"][rule]:g}']
        cells.append(f'{found["control"]["optimum"][rule]:.4f}')
        cells += [_optimum_cell(e, rule) for e in _columns(found)]
        rows.append([text, *cells])
    header = ['rule', 'predicted', 'predicted, of those trained', 'sigma distance']
    return markdown([*header, *map(_heading, _columns(found))], rows)


def _optimum_cell(entry: Entry, rule: str) -> str:
    best = entry['mean']['optimum'][rule]
    seeds = sorted({seed['optimum'][rule] for seed in entry['seeds']})
    others = ', '.join(f'{value:g}' for value in seeds)
    return f'{best:g}' + (f' (single: {others})' if seeds != [best] else '')


def _averages(found: Analysis) -> str:
    predicted, rows = found['predicted'], []
    for index, train in enumerate(found['train_variances']):
        cells = [f'{predicted[key][index]:.3f}' for key in ('average_kl', 'worst_kl')]
        for entry in _main(found):
            digits = digits_of(entry['metric'])
            cells += [
                number(entry['mean'][key][index], digits) for key in ('average_loss', 'worst_loss')
            ]
        rows.append([f'{train:g}', *cells])
    names = [short(metric) for metric in found['metrics']]
    measured = [f'{kind} loss, {name}' for name in names for kind in ('average', 'worst')]
    top = f'{found["test_variances"][-1]:g}'
    table = markdown(['trained at', 'average divergence', 'worst divergence', *measured], rows)
    return f'Over test variances from 0 to {top}, loss against the best network:\n\n{table}'


def _losses(entry: Entry, found: Analysis) -> str:
    levels = found['test_variances']
    table, divergence = entry['mean']['readings'][MAIN], found['predicted']['kl']
    known = [c for c in range(len(levels)) if any(math.isfinite(row[c]) for row in table)]
    digits = digits_of(entry['metric'])
    rows = [
        [f'{train:g}', *(_pair(table[r][c], divergence[r][c], digits) for c in known)]
        for r, train in enumerate(found['train_variances'])
    ]
    header = [f'at {levels[c]:g}' for c in known]
    title = f'{short(entry["metric"])} lost against the {MAIN} | divergence'
    return f'{title}:\n\n' + markdown(['trained at', *header], rows)


def _pair(loss: float, divergence: float, digits: int) -> str:
    return '0' if math.isnan(loss) else f'{loss:.{digits}f} \\| {divergence:.3f}'


def _spectra(found: Analysis) -> str:
    spectra = {MAIN_SPECTRUM: found['predicted'], **found['other_spectra']}
    rows = [
        [
            name,
            str(len(spectrum['eigenvalues'])),
            f'{spectrum["optimum"]["minimax"]:.4f}',
            ', '.join(f'{level:.4f}' for level in spectrum['break_even']),
        ]
        for name, spectrum in spectra.items()
    ]
    trained = ', '.join(f'{s:g}' for s in found['train_variances'][1:])
    header = ['spectrum', 'dimensions', 'minimax variance', f'break-even of {trained}']
    return markdown(header, rows)


def _partings(found: Analysis) -> str:
    """Say in numbers where the two differ; what is measured is PSNR (the first metric)."""
    entry, predicted = _main(found)[0], found['predicted']
    return '\n'.join([
        f'* {_control(entry, found)}',
        f'* {_noisy_only(entry, found)}',
        f'* {_asymmetry(entry, found)}',
        f'* {_break_even_ratio(entry, predicted)}',
        f'* {_matched_falls(entry, found)}',
        f'* {_spread(entry, found)}',
        '* Small networks, trained briefly: the network of a level is not the best possible one '
        'at it, and more noise is a harder task for a network of the same size. Theory knows the '
        'inputs alone.',
        '* Photographs are not Gaussian, and test photographs are not the training photographs; '
        'theory takes one Gaussian law for both.',
    ])  # fmt: skip


def _control(entry: Entry, found: Analysis) -> str:
    ours, control = (entry['mean'][key][MAIN]['correlation'] for key in ('rank', 'rank_control'))
    words = 'better than' if control > ours else 'no better than'
    ratios = _ratios(entry['mean']['break_even'], found['control']['break_even'])
    off = f'{min(ratios):.1f} to {max(ratios):.1f} times' if ratios else 'nowhere near'
    return (
        f'The spectrum: sigma distance, which has seen no photograph, orders the losses of this '
        f'task {words} divergence ({number(control)} and {number(ours)}, '
        f'{short(entry["metric"])}), and the measured break-even is {off} its own. Agreement with '
        'theory here does not show that the spectrum matters.'
    )


def _ratios(seen: Sequence[float | None], expected: Sequence[float]) -> list[float]:
    """Return measured over expected break-even where there is one."""
    return [a / b for a, b in zip(seen, expected, strict=True) if a is not None]


def _noisy_only(entry: Entry, found: Analysis) -> str:
    losses = np.array(entry['mean']['readings'][MAIN], float)[1:]
    ours, control = (
        rank_correlation(np.array(table)[1:], losses)
        for table in (found['predicted']['kl'], found['control']['table'])
    )
    return (
        f'The clean-trained network: divergence sets it apart from all others. Among the '
        f'noise-trained networks alone the rank correlation is {ours.correlation:.2f} '
        f'(n = {ours.n}; sigma distance {control.correlation:.2f}); a subset chosen after the fact.'
    )


def _asymmetry(entry: Entry, found: Analysis) -> str:
    loss, divergence = entry['mean']['readings'][MAIN], found['predicted']['kl']
    top, digits = f'{found["train_variances"][-1]:g}', digits_of(entry['metric'])
    return (
        f'Size: the clean-trained network at {top} has a divergence of {divergence[0][-1]:.1f}, '
        f'the network trained at {top} has {divergence[-1][0]:.1f} on clean photographs; their '
        f'losses in {short(entry["metric"])} are {loss[0][-1]:.{digits}f} and '
        f'{loss[-1][0]:.{digits}f}. Divergence orders the losses; it does not measure them.'
    )


def _break_even_ratio(entry: Entry, predicted: Mapping[str, Any]) -> str:
    seen, expected = entry['mean']['break_even'], predicted['break_even']
    ratios = _ratios(seen, expected)
    late = [a for a, b in zip(seen, predicted['conservative'], strict=True) if a is None or a > b]
    if not ratios:
        return 'Break-even: the curves do not meet.'
    return (
        f'Break-even comes {min(ratios):.1f} to {max(ratios):.1f} times as late as predicted '
        f'(Gaussian noise, {short(entry["metric"])}); {len(late)} of {len(seen)} later than half '
        'the training variance, the bound. Divergence weighs every direction of a patch relative '
        'to its own variance, so that the faintest decide; a network need not use them.'
    )


def _matched_falls(entry: Entry, found: Analysis) -> str:
    mean = entry['mean']
    ends = mean['quality'][0][0], mean['quality'][-1][-1]
    own = [mean['rank'][name]['correlation'] for name in mean['rank'] if 'same' in name]
    digits = digits_of(entry['metric'])
    return (
        f'Noise destroys what no training brings back: networks at their own training variance '
        f'have divergence 0, yet fall from {ends[0]:.{digits}f} (0) to {ends[1]:.{digits}f} '
        f'({found["train_variances"][-1]:g}) in {short(entry["metric"])}. Losses counted from the '
        f'same network contain that and agree less ({own[0]:.2f} and {own[1]:.2f}).'
    )


def _spread(entry: Entry, found: Analysis) -> str:
    if found['seeds'] < 2:
        return 'One training per level: how much chance there is in a training is not shown.'
    tables: Sequence[Any] = [seed['quality'] for seed in entry['seeds']]
    spans = [
        max(cell) - min(cell)
        for rows in zip(*tables, strict=True)
        for cell in zip(*rows, strict=True)
    ]
    return (
        f'Chance: {found["seeds"]} trainings at the same variance differ by up to '
        f'{max(spans):.2f} in {short(entry["metric"])}, {sum(spans) / len(spans):.2f} on average.'
    )
