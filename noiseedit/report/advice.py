"""An advice on the training level for people: terminal, Markdown, a page, pictures.

What an advice holds: :func:`noiseedit.advice.advise`. Here it is only formatted.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from noiseedit.errors import DataError
from noiseedit.files import atomic_file, write_json
from noiseedit.report import page, tables
from noiseedit.report.theory_figures import draw_divergence, draw_level_map, draw_spectrum
from noiseedit.theory.units import range_width

Advice = Mapping[str, Any]
FORMAT = 1
WIDTH = 100
FIGURES = {
    'divergence.png': (draw_divergence, 'divergence over test levels, one curve per level'),
    'level_map.png': (draw_level_map, 'divergence of every training level at every test level'),
    'spectrum.png': (draw_spectrum, 'eigenvalues of the data and the recommended levels'),
}
PER_DIMENSION = (
    'KL divergence of the noisy inputs at test from those in training, nats per dimension'
)


class Section(NamedTuple):
    """A part of the report: a table, or lines; the same for terminal, Markdown and page."""

    title: str
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    notes: Sequence[str] = ()
    text_columns: int = 1


def advice_text(advice: Advice) -> str:
    """Return what a terminal shows: aligned tables, then warnings and limits."""
    return '\n'.join(_text(section) for section in _sections(advice))


def advice_markdown(advice: Advice) -> str:
    """Return the same as Markdown."""
    parts = [f'# {_title(advice)}\n']
    for section in _sections(advice):
        parts.append(f'## {section.title}\n')
        if section.rows:
            parts.append(_table(section))
        if section.notes:
            parts.append('\n'.join(f'* {note}' for note in section.notes) + '\n')
    return '\n'.join(parts)


def write_advice(advice: Advice, folder: str | Path) -> list[Path]:
    """Write an advice into ``folder``, which is made if need be.

    Args:
        advice: See :func:`noiseedit.advice.advise`.
        folder: Gets ``advice.json`` (strict), ``advice.md``, ``advice.html`` (self-contained),
            ``spectrum.png``, ``divergence.png`` and ``level_map.png``.

    Returns:
        The files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(advice, folder / 'advice.json')
    _write(folder / 'advice.md', advice_markdown(advice))
    for name, (draw, _) in FIGURES.items():
        draw(advice, folder / name)
    _write(folder / 'advice.html', page.page(_title(advice), _body(advice, folder)))
    names = ('json', 'md', 'html')
    return [*(folder / f'advice.{name}' for name in names), *(folder / name for name in FIGURES)]


def read_advice(path: str | Path) -> dict[str, Any]:
    """Return the advice in ``advice.json``, or in a folder that holds one.

    Raises:
        DataError: If there is none, or it is of another format.
    """
    file = Path(path) / 'advice.json' if Path(path).is_dir() else Path(path)
    try:
        advice: dict[str, Any] = json.loads(file.read_text())
        kind = advice['format']
        range_width(advice['value_range'])
        eigenvalues = [float(value) for value in advice['spectrum']['eigenvalues']]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f'{file}: no advice ({error}); make one with tools/advise.py') from error
    if kind != FORMAT or not eigenvalues:
        raise DataError(
            f'{file}: format {kind} with {len(eigenvalues)} eigenvalues, this version reads '
            f'{FORMAT}; run tools/advise.py again'
        )
    return advice


# Content.


def _title(advice: Advice) -> str:
    return f'Training level for {advice["noise"]["name"]} noise on {advice["data"]["folder"]}'


def _sections(advice: Advice) -> list[Section]:
    lists = [('Warnings', advice['warnings']), ('Limits', advice['limits'])]
    return [
        Section('Measured', ('', ''), _facts(advice), text_columns=2),
        _rules(advice),
        _divergences(advice),
        *(Section(title, notes=notes) for title, notes in lists if notes),
    ]


def _facts(advice: Advice) -> list[tuple[str, str]]:
    data, spectrum, deployment = advice['data'], advice['spectrum'], advice['deployment']
    size = data['patch_size']
    rows = [
        ('data', f'{data["images"]} images, {data["patches"]} patches of {size}x{size} '
                 f'({data["channels"]}, d = {data["dimension"]}), {data["folder"]}'),
        ('value range', str(advice['value_range'])),
        ('spectrum', _spectrum_text(spectrum)),
        ('floor', f'{spectrum["floor"]:.3g}, {spectrum["floored"]} eigenvalues raised to it'),
        ('noise', f'{advice["noise"]["text"]}: {advice["noise"]["kind"]}'),
        ('at test', f'variance up to {_level(advice, deployment["max_variance"])}, mean '
                    f'{_level(advice, deployment["mean_variance"])}: {deployment["source"]}'),
    ]  # fmt: skip
    return [*rows, *_optional_facts(advice)]


def _spectrum_text(spectrum: Mapping[str, Any]) -> str:
    values = spectrum['eigenvalues']
    slope = spectrum['slope']
    fall = '' if slope is None else f'; power falls as f^{slope:.2f}'
    return (
        f'eigenvalues {max(values):.4g} to {min(values):.3g}, mean '
        f'{spectrum["trace_per_dimension"]:.4g}{fall}'
    )


def _optional_facts(advice: Advice) -> list[tuple[str, str]]:
    removed, found = advice['spectrum']['noise_variance_removed'], advice['deployment']['estimates']
    rows = []
    if removed:
        rows.append(('removed', f'noise of variance {_level(advice, removed)} in the data'))
    if found:
        span = f'{_level(advice, min(found))} to {_level(advice, max(found))}'
        rows.append(('estimated', f'{span} in {len(found)} deployment images'))
    return rows


def _rules(advice: Advice) -> Section:
    header = ['rule', 'variance', 'sigma', 'sigma/255', 'clean cost', 'mean', 'worst',
              'break-even', 'conservative']  # fmt: skip
    rows = [_rule_row(advice, rule) for rule in advice['rules']]
    notes = [f'{rule["rule"]}: {rule["text"]}' for rule in advice['rules']]
    notes += [
        f'Clean cost, mean, worst: {PER_DIMENSION}; on clean images, and over the test levels.',
        'Break-even: test variance (8-bit sigma) from which training with noise beats training '
        'without (-: none up to the strongest); conservative: half the training variance, enough '
        'for white noise on any data.',
        'The recommended rule is marked by *.',
    ]
    return Section('Training level', header, rows, notes)


def _rule_row(advice: Advice, rule: Mapping[str, Any]) -> list[str]:
    mark = '* ' if rule['rule'] == advice['recommended'] else ''
    numbers = [f'{rule["variance"]:.4g}', f'{rule["sigma"]:.4g}', f'{rule["sigma_255"]:.4g}']
    costs = [_number(rule[name]) for name in ('clean_cost', 'average_kl', 'worst_kl')]
    meets = [_level(advice, rule[name]) for name in ('break_even', 'break_even_conservative')]
    return [mark + rule['rule'], *numbers, *costs, *meets]


def _divergences(advice: Advice) -> Section:
    table = advice['table']
    header = ['test level', *(_train_label(advice, s) for s in table['train_variances'])]
    columns = zip(*table['kl_per_dimension'], strict=True)
    rows = [
        [_level(advice, test), *map(_number, values)]
        for test, values in zip(table['test_variances'], columns, strict=True)
    ]
    note = f'{PER_DIMENSION}. Down: test level, across: training level; variance (8-bit sigma).'
    return Section('Divergence', header, rows, [note])


def _train_label(advice: Advice, variance: float) -> str:
    return 'clean' if variance == 0 else _level(advice, variance)


def _level(advice: Advice, variance: float | None) -> str:
    if variance is None:
        return '-'
    return tables.both_units(variance, advice['value_range']) if variance else '0'


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.4g}'


# Forms.


def _text(section: Section) -> str:
    lines = [section.title.upper()]
    if section.rows:
        lines += _aligned(section)
    for note in section.notes:
        lines += textwrap.wrap(note, WIDTH, initial_indent='  ', subsequent_indent='    ')
    return '\n'.join(lines) + '\n'


def _aligned(section: Section) -> list[str]:
    """Return the rows with columns of one width each: text to the left, numbers to the right."""
    lines = [section.header, *section.rows] if any(section.header) else list(section.rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        '  ' + '  '.join(
            cell.ljust(width) if index < section.text_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]  # fmt: skip


def _table(section: Section) -> str:
    return tables.markdown(section.header, section.rows, section.text_columns)


def _body(advice: Advice, folder: Path) -> list[str]:
    pictures = {
        'Training level': ['divergence.png'],
        'Divergence': ['level_map.png'],
        'Measured': ['spectrum.png'],
    }
    parts = []
    for section in _sections(advice):
        parts.append(page.heading(section.title))
        if any(section.header):
            parts.append(page.table(_table(section)))
        else:
            parts += [page.note(f'{name}: {value}') for name, value in section.rows]
        parts += [page.note(note) for note in section.notes]
        for name in pictures.get(section.title, []):
            parts.append(page.picture(folder / name, FIGURES[name][1]))
    return [*parts, page.heading('Inputs'), page.note(_inputs(advice))]


def _inputs(advice: Advice) -> str:
    inputs = ', '.join(f'{key} {value}' for key, value in advice['inputs'].items())
    versions = ', '.join(f'{key} {value}' for key, value in advice['versions'].items())
    return f'{inputs}; {versions}'


def _write(path: Path, text: str) -> None:
    with atomic_file(path) as temporary:
        temporary.write_text(text)
