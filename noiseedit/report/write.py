"""The files of a report: those beside ``sweep.json``, and the page that compares sweeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from noiseedit.errors import ConfigError
from noiseedit.evaluation.comparison import compare
from noiseedit.evaluation.results import read_result
from noiseedit.files import atomic_file, plain
from noiseedit.report import page, tables
from noiseedit.report.advice import read_advice
from noiseedit.report.curves import draw_comparison, draw_sweep
from noiseedit.report.grid import cell_folder, draw_grid
from noiseedit.report.overlay import (
    EXPLANATION,
    overlay_panel,
    overlay_row,
    prediction_lines,
    prediction_tables,
)
from noiseedit.report.prediction import Prediction, make_prediction
from noiseedit.report.provenance import identity_lines, provenance

Result = Mapping[str, Any]


def write_sweep(folder: str | Path) -> list[Path]:
    """Write ``sweep.csv``, ``sweep.md`` and ``sweep.png`` beside the ``sweep.json`` of ``folder``.

    Raises:
        DataError: If there is no ``sweep.json``.
    """
    folder = Path(folder)
    result = read_result(folder)
    _write(folder / 'sweep.csv', tables.sweep_csv(result))
    _write(folder / 'sweep.md', tables.sweep_markdown(result))
    draw_sweep(result, folder / 'sweep.png')
    return [folder / f'sweep.{suffix}' for suffix in ('json', 'csv', 'md', 'png')]


def write_scores(
    scores: Mapping[str, float],
    records: Mapping[str, Sequence[tuple[str, float]]],
    folder: str | Path,
    out: str | Path | None = None,
) -> None:
    """Write the scores of a test, and those per image.

    Args:
        scores: Metric name -> value.
        records: Metric name -> (sample key, value) per image.
        folder: Gets ``test_images.csv``.
        out: JSON file for ``scores`` (NaN becomes null); ``None``: not written.
    """
    _write(Path(folder) / 'test_images.csv', tables.scores_csv(records))
    if out is not None:
        _write(Path(out), json.dumps(plain(dict(scores)), indent=1, allow_nan=False) + '\n')


def summary_lines(
    folders: Sequence[str | Path],
    theory: str | Path | None = None,
    train_variances: Sequence[float] | None = None,
) -> list[str]:
    """Return clean and strongest cells of all sweeps, and break-even levels with the first.

    Args:
        folders: See :func:`write_report`.
        theory: Likewise; adds what theory predicts for them.
        train_variances: Likewise.
    """
    names = names_of(folders)
    results = dict(zip(names, map(read_result, folders), strict=True))
    prediction = _prediction(results, theory, train_variances)
    baseline = results[names[0]]
    lines = [f'{line}\n' for line in identity_lines(results)]
    lines += ['mean [95 % interval] on clean images and at the highest level of every noise:', '']
    lines += [*tables.strongest_table(results).splitlines(), '']
    for name in names[1:]:
        lines += [f'break-even of {name} with {names[0]} (level at which the curves meet):', '']
        compared = compare(baseline, results[name])
        lines += [*tables.break_even_table(compared).splitlines(), '']
    return lines if prediction is None else [*lines, *prediction_lines(prediction, results)]


def write_report(
    folders: Sequence[str | Path],
    out: str | Path,
    image: str | None = None,
    theory: str | Path | None = None,
    train_variances: Sequence[float] | None = None,
) -> list[Path]:
    """Write ``report.html`` (self-contained) with its table and pictures into ``out``.

    Args:
        folders: Work folders with a ``sweep.json`` each; the first is the baseline.
        out: Folder of the report.
        image: Sample key of the picture grids; ``None``: the first image.
        theory: ``advice.json`` or its folder: its prediction is drawn over the measured curves;
            ``None``: no prediction.
        train_variances: Variance of each model's training noise, in the advice's value range;
            ``None``: what the sweeps recorded.

    Raises:
        DataError: If a folder has no sweep, the sweeps have nothing in common, or there is no
            advice.
        ConfigError: If there are no folders, or the training noise of a model is not known.
    """
    if not folders:
        raise ConfigError('report: expected at least one work folder with a sweep.json')
    named = dict(zip(names_of(folders), map(Path, folders), strict=True))
    results = {name: read_result(folder) for name, folder in named.items()}
    prediction = _prediction(results, theory, train_variances)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    make = _single if len(results) == 1 else _several
    body, files = make(named, results, out, image, prediction)
    title = 'Under noise: ' + ' against '.join(results)
    _write(out / 'report.html', page.page(title, body))
    return [out / 'report.html', *files]


def names_of(folders: Sequence[str | Path]) -> list[str]:
    """Return a short unique name per folder: its last part, or as many as it takes."""
    paths = [Path(folder).resolve() for folder in folders]
    for count in range(1, max(len(path.parts) for path in paths) + 1):
        names = ['/'.join(path.parts[-count:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    raise ConfigError(f'report: a folder is named twice: {", ".join(map(str, folders))}')


def _prediction(
    results: Mapping[str, Result],
    theory: str | Path | None,
    train_variances: Sequence[float] | None,
) -> Prediction | None:
    if theory is None and train_variances is not None:
        raise ConfigError('--train-variance: says what --theory ADVICE predicts for; give both')
    return (
        None if theory is None else make_prediction(results, read_advice(theory), train_variances)
    )


def _single(
    folders: Mapping[str, Path],
    results: Mapping[str, Result],
    out: Path,
    image: str | None,
    prediction: Prediction | None,
) -> tuple[list[str], list[Path]]:
    ((name, result),) = results.items()
    figure = out / 'curves.png'
    draw_sweep(result, figure, _bound(overlay_panel, prediction))
    body = [page.picture(figure, 'metrics over noise levels'), *_theory(prediction, results)]
    for metric in result['metrics']:
        body += [
            page.heading(metric['name']),
            page.table(tables.metric_table(result, metric['name'])),
        ]
        body += [page.table(tables.summary_table(result, metric['name']))]
    grids = draw_grids(folders, results, out, image)
    return [*body, *_shown(grids), page.note(provenance(name, result))], [figure, *grids.values()]


def _several(
    folders: Mapping[str, Path],
    results: Mapping[str, Result],
    out: Path,
    image: str | None,
    prediction: Prediction | None,
) -> tuple[list[str], list[Path]]:
    figure = out / 'comparison.png'
    draw_comparison(results, figure, _bound(overlay_row, prediction))
    top = [page.picture(figure, 'metrics over noise levels; dashed: on clean images')]
    top += [*map(page.note, identity_lines(results)), *_theory(prediction, results)]
    body: list[str] = []
    text = [f'{line}\n' for line in identity_lines(results)] + _theory_lines(prediction, results)
    baseline, *others = results
    for other in others:
        compared = compare(results[baseline], results[other])
        names = (baseline, other)
        body += [page.heading(f'Break-even of {other} with {baseline}')]
        body += [page.note('level at which the two curves meet'), _break_even(compared)]
        body += [page.heading(f'{other} against {baseline}'), *_tables(compared, names)]
        text += [f'# {other} against {baseline}\n', tables.comparison_markdown(compared, names)]
    _write(out / 'comparison.md', '\n'.join(text))
    grids = draw_grids(folders, results, out, image)
    body = [*top, *_shown(grids), *_slider(folders, results), *body]
    body += [page.note(provenance(name, result)) for name, result in results.items()]
    return body, [out / 'comparison.md', figure, *grids.values()]


def _bound(overlay: Callable[..., None], prediction: Prediction | None) -> Any:
    """Return what draws the prediction; ``None``: there is nothing to draw."""
    if prediction is None or prediction.is_empty:
        return None
    return partial(overlay, prediction)


def _theory(prediction: Prediction | None, results: Mapping[str, Result]) -> list[str]:
    """Return what dotted lines mean, and the tables of prediction against measurement."""
    if prediction is None:
        return []
    parts = [] if prediction.is_empty else [page.note(EXPLANATION)]
    for title, table in prediction_tables(prediction, results).items():
        parts += [page.heading(title), page.table(table)]
    return [*parts, *map(page.note, prediction.notes)]


def _theory_lines(prediction: Prediction | None, results: Mapping[str, Result]) -> list[str]:
    if prediction is None:
        return []
    return ['# Theory and measurement\n', *prediction_lines(prediction, results)]


def _break_even(compared: Mapping[str, Any]) -> str:
    return page.table(tables.break_even_table(compared))


def _tables(compared: Mapping[str, Any], names: tuple[str, str]) -> list[str]:
    metrics = dict.fromkeys(row['metric'] for row in compared['rows'])
    parts = []
    for metric in metrics:
        parts += [page.note(metric), page.table(tables.comparison_table(compared, metric, names))]
    return parts


def draw_grids(
    folders: Mapping[str, Path], results: Mapping[str, Result], out: Path, image: str | None
) -> dict[str, Path]:
    """Draw a picture grid per noise; return noise -> file."""
    drawn = {}
    first = next(iter(results.values()))
    for noise in first['noises']:
        file = out / f'grid_{noise["label"].replace("/", "-")}.png'
        if noise['levels'] != [None] and draw_grid(folders, results, noise['label'], file, image):
            drawn[noise['label']] = file
    return drawn


def _shown(grids: Mapping[str, Path]) -> list[str]:
    parts = []
    for noise, file in grids.items():
        parts += [page.heading(f'Pictures under {noise}'), page.picture(file, noise)]
    return parts


def _slider(folders: Mapping[str, Path], results: Mapping[str, Result]) -> list[str]:
    """Return a before/after handle: first and last model at the strongest level of a noise."""
    (left, a), *_, (right, b) = folders.items()
    first = results[left]
    shown = [noise for noise in first['noises'] if noise['levels'] != [None]]
    keys = [key for key in first.get('examples', []) if key in results[right].get('examples', [])]
    if not shown or not keys:
        return []
    noise, level = shown[0]['label'], max(shown[0]['levels'])
    files = [cell_folder(folder, noise, level) / f'{keys[0]}_pred.png' for folder in (a, b)]
    if not all(file.exists() for file in files):
        return []
    title = f'{noise} at {level:g}'
    return [page.heading(title), page.slider(files[0], files[1], (left, right))]


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text)
