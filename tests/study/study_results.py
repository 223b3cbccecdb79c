"""Results of sweeps from numbers, as ``sweep.json`` holds them."""

from noiseedit.evaluation.sweep import CLEAN


def make_result(values, levels, metric='PSNR', higher=True):
    """Return a result; ``values``: noise -> level -> draw -> image."""
    first = next(iter(values.values()))
    images = [f'image{i}' for i in range(len(first[0][0]))]
    cells = [_cell(CLEAN, None, 0, metric, first[0][0])]
    for noise, curve in values.items():
        for level, draws in zip(levels, curve, strict=True):
            cells += [_cell(noise, level, draw, metric, v) for draw, v in enumerate(draws)]
    noises = [
        {'label': noise, 'levels': list(levels), 'level_name': 'level', 'unit': None}
        for noise in values
    ]
    rows = [_row(cell, metric) for cell in cells if cell['repetition'] == 0]
    return {
        'format': 1,
        'seed': 0,
        'metrics': [{'name': metric, 'higher_is_better': higher}],
        'noises': noises,
        'images': images,
        'cells': cells,
        'rows': rows,
        'train_noise': None,
    }  # fmt: skip


def _cell(noise, level, draw, metric, values):
    return {'noise': noise, 'level': level, 'repetition': draw, 'values': {metric: list(values)}}


def _row(cell, metric):
    values = cell['values'][metric]
    mean = sum(values) / len(values)
    place = {'metric': metric, 'noise': cell['noise'], 'level': cell['level']}
    return {**place, 'mean': mean, 'std': 0.0, 'low': min(values), 'high': max(values), 'n': 1}
