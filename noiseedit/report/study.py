"""A study for people: tables, curves, picture grids and one page over all models."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noiseedit.evaluation.results import read_result
from noiseedit.files import atomic_file, write_json
from noiseedit.report import page, tables
from noiseedit.report.curves import draw_comparison
from noiseedit.report.provenance import identity_lines
from noiseedit.report.study_figures import draw_gains
from noiseedit.report.write import draw_grids
from noiseedit.study.plan import VARIANTS
from noiseedit.study.summary import AHEAD, BEHIND, CROSSES, MIXED, summarise

Summary = Mapping[str, Any]
NOISES_PER_FIGURE = 5
EXPLANATION = (
    'Clean cost: how much worse the injected model is on clean images, with the 95 % interval over '
    'images. Area: under the curve over levels, mean over draws. Mean gain: area between the two '
    'curves divided by the range of levels, positive where the injected model is better. '
    'Break-even: the level at which the curves meet. Both with the 95 % interval over independent '
    'draws of the noise (Student t). Gain at the highest level: interval over images, of metrics '
    'of whole sets over draws. The models are trained once.'
)
VERDICTS = {
    CROSSES: 'baseline better at the lowest level, injected at the highest',
    AHEAD: 'injected at least as good at every level',
    BEHIND: 'baseline at least as good at every level',
    MIXED: 'neither',
}


def write_study(
    folders: Mapping[str, tuple[Path, Path]],
    out: str | Path,
    images: Mapping[str, str | None] | None = None,
    title: str = 'Noise injection',
) -> list[Path]:
    """Write ``study.html`` (self-contained), ``study.md``, ``study.json`` and their pictures.

    Args:
        folders: Name of the model -> work folders of its baseline and injected variant, each with
            a ``sweep.json``.
        out: Gets the page, and a folder of pictures per model.
        images: Name of the model -> sample key of its picture grids; None: the first image.
        title: Of the page.

    Returns:
        The files, the page first.

    Raises:
        DataError: If a folder has no sweep, or the two of a model have nothing in common.
    """
    out = Path(out)
    pairs = {
        name: (read_result(baseline), read_result(injected))
        for name, (baseline, injected) in folders.items()
    }
    summary = summarise(pairs)
    files = [out / f'study.{suffix}' for suffix in ('html', 'md', 'json')]
    write_json(summary, files[2])
    _write(files[1], f'# {title}\n\n{study_markdown(summary)}')
    body = _overview(summary, pairs, out)
    for name, results in pairs.items():
        named = dict(zip(VARIANTS, results, strict=True))
        places = dict(zip(named, folders[name], strict=True))
        image = (images or {}).get(name)
        body += _model_section(name, places, named, out / name, image)
    _write(files[0], page.page(title, body))
    return files


# Tables.


def study_markdown(summary: Summary) -> str:
    """Return the tables of a summary: over all noises, then per noise."""
    found = {metric: metric_table(summary, metric) for metric in metrics_of(summary)}
    sections = {'Over all noises': overview_table(summary), **found}
    text = '\n'.join(f'## {title}\n\n{table}' for title, table in sections.items())
    return '\n\n'.join([text, EXPLANATION, *_identity_lines(summary)]) + '\n'


def _identity_lines(summary: Summary) -> list[str]:
    return identity_lines(
        {
            f'{model["model"]}, {variant}': {'dataset': dataset}
            for model in summary['models']
            for variant, dataset in zip(VARIANTS, model['datasets'], strict=True)
        }
    )


def metrics_of(summary: Summary) -> list[str]:
    """Return the metrics in order."""
    return list(dict.fromkeys(entry['metric'] for entry in summary['entries']))


def overview_table(summary: Summary) -> str:
    """Return a row per model and metric: clean cost, mean gain over all noises, how many cross."""
    rows, names = [], _short_names(metrics_of(summary))
    for clean in summary['clean']:
        entries = _entries(summary, clean['metric'], clean['model'])
        digits = tables.digits_of(clean['metric'])
        gains = [entry['mean_gain']['mean'] for entry in entries]
        counts = [sum(e['verdict'] == kind for e in entries) for kind in (CROSSES, AHEAD)]
        rows.append(
            [
                clean['model'],
                names[clean['metric']],
                tables.number(clean['baseline'], digits),
                tables.number(clean['injected'], digits),
                _with_interval(clean['cost'], clean['cost_low'], clean['cost_high'], digits),
                f'{math.fsum(gains) / len(gains):+.{digits}f}',
                f'{counts[0]} of {len(entries)}',
                f'{counts[1]} of {len(entries)}',
            ]
        )
    header = ['model', 'metric', 'baseline, clean', 'injected, clean', 'clean cost', 'mean gain',
              'curves cross', 'injected ahead throughout']  # fmt: skip
    return tables.markdown(header, rows, text_columns=2)


def _short_names(metrics: Sequence[str]) -> dict[str, str]:
    """Return names without their protocol, where no two are then the same."""
    short = {metric: metric.partition('(')[0] for metric in metrics}
    counts = Counter(short.values())
    return {metric: name if counts[name] == 1 else metric for metric, name in short.items()}


def metric_table(summary: Summary, metric: str) -> str:
    """Return a row per model and noise: areas, mean gain and break-even, the highest level."""
    digits = tables.digits_of(metric)
    rows = [
        [
            entry['model'],
            entry['noise'],
            *(_area_cell(entry['area'][variant]) for variant in VARIANTS),
            _with_interval(*_three(entry['mean_gain']), digits, sign='+'),
            _break_even_cell(entry),
            _highest_cell(entry, digits),
            entry['verdict'],
        ]
        for entry in _entries(summary, metric)
    ]
    header = ['model', 'noise', 'area under baseline', 'area under injected', 'mean gain',
              'break-even', 'gain at the highest level', 'curves']  # fmt: skip
    return tables.markdown(header, rows, text_columns=2)


def _entries(summary: Summary, metric: str, model: str | None = None) -> list[Mapping[str, Any]]:
    return [
        entry
        for entry in summary['entries']
        if entry['metric'] == metric and model in (None, entry['model'])
    ]


def _three(spread: Mapping[str, Any]) -> tuple[float, float, float]:
    return spread['mean'], spread['low'], spread['high']


def _with_interval(value: float, low: float, high: float, digits: int, sign: str = '') -> str:
    """Return ``1.20 [1.10, 1.30]``, without an interval where there is none."""
    if math.isnan(value):
        return 'NaN'
    return f'{value:{sign}.{digits}f}{tables.interval_text(value, low, high, digits, sign)}'


def _area_cell(area: float | None) -> str:
    return '-' if area is None else f'{area:.4g}'


def _break_even_cell(entry: Mapping[str, Any]) -> str:
    found = entry['break_even']
    if not found['met']:
        return 'curves do not meet'
    text = _with_interval(*_three(found), 4)
    return text if found['met'] == entry['draws'] else f'{text}, {found["met"]} draw(s)'


def _highest_cell(entry: Mapping[str, Any], digits: int) -> str:
    gain, low, high = (entry[key][-1] for key in ('gain', 'gain_low', 'gain_high'))
    level = tables.level_text(entry['levels'][-1])
    return f'{_with_interval(gain, low, high, digits, sign="+")} at {level}'


# Page.


def _overview(summary: Summary, pairs: Mapping[str, Any], out: Path) -> list[str]:
    parts = [page.heading('Over all noises'), page.table(overview_table(summary))]
    parts += [page.note(EXPLANATION)]
    for place, metric in enumerate(metrics_of(summary)):
        figure = out / f'gains_{place}.png'
        draw_gains(_entries(summary, metric), _noises(pairs), metric, figure)
        parts += [page.heading(metric), page.picture(figure, f'gain in {metric} over levels')]
        parts += [page.table(metric_table(summary, metric))]
    parts += [page.note(line) for line in _identity_lines(summary)]
    parts += [page.note('; '.join(f'{key}: {text}' for key, text in VERDICTS.items()))]
    for model in summary['models']:
        noise = model['train_noise'] or 'nothing'
        parts.append(
            page.note(f'{model["model"]}: {model["images"]} images, injected with {noise}')
        )
    return parts


def _noises(pairs: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return every noise of any model once."""
    every = (noise for baseline, _ in pairs.values() for noise in baseline['noises'])
    return list({noise['label']: noise for noise in every}.values())


def _model_section(
    name: str,
    folders: Mapping[str, Path],
    results: Mapping[str, Mapping[str, Any]],
    out: Path,
    image: str | None,
) -> list[str]:
    """Return curves and pictures of one model."""
    parts = [page.heading(name)]
    for number, part in enumerate(_portions(results)):
        figure = out / f'comparison_{number}.png'
        draw_comparison(part, figure)
        parts.append(page.picture(figure, f'{name}: metrics over noise levels'))
    for noise, file in draw_grids(folders, results, out, image).items():
        parts += [page.note(f'{name} under {noise}'), page.picture(file, f'{name}: {noise}')]
    return parts


def _portions(results: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the results with a few noises at a time, as many as a figure can show."""
    first = next(iter(results.values()))
    starts = range(0, len(first['noises']), NOISES_PER_FIGURE)
    return [
        {
            name: {**result, 'noises': result['noises'][start : start + NOISES_PER_FIGURE]}
            for name, result in results.items()
        }
        for start in starts
    ]


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text)
