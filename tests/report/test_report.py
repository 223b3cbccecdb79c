"""Files of a report: they parse, say what the result says, and hold pictures."""

import csv
import io
import json
import math
import re

import numpy as np
import pytest

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.comparison import compare
from noiseedit.files import write_json
from noiseedit.imaging import read_image, write_image
from noiseedit.report import page, tables
from noiseedit.report.grid import cell_folder
from noiseedit.report.write import names_of, summary_lines, write_report, write_scores, write_sweep

PSNR = 'PSNR(rgb,uint8,border=0)'
LPIPS = 'LPIPS(alex)'
IMAGES = ['set/a', 'set/b', 'set/c']


def values_of(level, quality, metric):
    """Return made-up scores: PSNR falls by 10 per unit of level over quality, LPIPS grows."""
    shift = np.array([-0.2, 0.0, 0.2])
    line = 30 + 2 * quality - (10 - 4 * quality) * level if metric == PSNR else 0.1 + 0.2 * level
    return list(line + shift * (1 if metric == PSNR else 0.1))


def row_of(metric, noise, level, values):
    mean = float(np.mean(values))
    spread = {'std': 0.2, 'low': mean - 0.2, 'high': mean + 0.2}
    return {'metric': metric, 'noise': noise, 'level': level, 'mean': mean, **spread, 'n': 3}


def make_sweep(folder, quality=0.0, levels=(0, 1, 2), images=IMAGES):
    """Write a made-up ``sweep.json`` with pictures into ``folder``; return the result."""
    places = [('clean', None), *(('gni/gaussian', level) for level in levels)]
    metrics = [{'name': PSNR, 'higher_is_better': True}, {'name': LPIPS, 'higher_is_better': False}]
    cells, rows = [], []
    for noise, level in places:
        values = {m['name']: values_of(level or 0, quality, m['name']) for m in metrics}
        cells.append({'noise': noise, 'level': level, 'repetition': 0, 'values': values})
        rows += [row_of(name, noise, level, found) for name, found in values.items()]
    noise = {'label': 'gni/gaussian', 'levels': list(levels), 'unit': '[-1,1]'}
    noise |= {'level_name': 'variance', 'strength_network': [0.0, 1.0, 1.4]}
    noise |= {'strength_255': [0.0, 127.5, 180.3]} if levels != (None,) else {}
    if levels == (None,):
        noise |= {'unit': None, 'level_name': None, 'strength_network': [None]}
        del noise['strength_network']
    summary = [
        {'noise': 'gni/gaussian', 'metric': m['name'], 'clean': 1.0, 'mean': 2.0, 'area': None,
         'mean_drop': 0.5, 'max_drop': 0.75}
        for m in metrics
    ]  # fmt: skip
    result = {
        'config': 'x.py', 'config_sha256': 'c' * 64, 'checkpoint': 'x.pth',
        'checkpoint_sha256': 'd' * 64, 'format': 1, 'seed': 0, 'metrics': metrics,
        'noises': [noise], 'images': list(images), 'rows': rows, 'summary': summary,
        'cells': cells, 'versions': {'noiseedit': '0'}, 'examples': [images[0]],
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    write_json(result, folder / 'sweep.json')
    for cell, level in places:
        place = cell_folder(folder, None, None).parent
        place /= 'clean' if cell == 'clean' else f'gni-gaussian_{level:g}' if level else 'clean'
        for kind in ('input', 'pred', 'gt'):
            write_image(place / f'{images[0]}_{kind}.png', np.full((16, 20, 3), 90, np.uint8))
    return result


@pytest.fixture
def two(tmp_path):
    make_sweep(tmp_path / 'clean')
    make_sweep(tmp_path / 'noisy', quality=-1.0)
    return tmp_path / 'clean', tmp_path / 'noisy'


def test_files_beside_the_result(tmp_path):
    result = make_sweep(tmp_path)
    files = write_sweep(tmp_path)
    assert [file.name for file in files] == ['sweep.json', 'sweep.csv', 'sweep.md', 'sweep.png']
    lines = list(csv.DictReader(io.StringIO((tmp_path / 'sweep.csv').read_text())))
    assert len(lines) == len(result['rows'])
    assert float(lines[2]['mean']) == result['rows'][2]['mean']
    assert [line['std_255'] for line in lines if line['level'] == '1'] == ['127.5'] * 2
    markdown = (tmp_path / 'sweep.md').read_text()
    assert '| gni/gaussian | 30.00 [29.80, 30.20] | 20.00 [19.80, 20.20] |' in markdown
    assert '## LPIPS(alex) (lower is better)' in markdown
    assert read_image(tmp_path / 'sweep.png').std() > 5


def test_noises_without_levels(tmp_path):
    make_sweep(tmp_path / 'a', levels=(None,))
    make_sweep(tmp_path / 'b', quality=1.0, levels=(None,))
    write_sweep(tmp_path / 'a')
    assert '| gni/gaussian | - | 30.00' in (tmp_path / 'a' / 'sweep.md').read_text()
    page_file, *_ = write_report([tmp_path / 'a', tmp_path / 'b'], tmp_path)
    assert '+2.00' in page_file.read_text()


def test_levels_that_differ_get_a_row_each(tmp_path):
    result = make_sweep(tmp_path)
    other = {**result['noises'][0], 'label': 'clean2', 'levels': [5]}
    result['noises'].append(other)
    assert '| gni/gaussian | 2 | 10.00' in tables.metric_table(result, PSNR)


def test_gain_is_positive_where_the_second_is_better(two):
    compared = compare(*(json.loads((f / 'sweep.json').read_text()) for f in two))
    gains = {(r['metric'], r['noise'], r['level']): r for r in compared['rows']}
    at_one = gains[PSNR, 'gni/gaussian', 1]
    assert at_one['gain'] == pytest.approx((28 - 14) - (30 - 10))
    assert at_one['gain_low'] == pytest.approx(at_one['gain_high'])  # the same for every image
    assert gains[LPIPS, 'gni/gaussian', 1]['gain'] == 0


def test_break_even_is_where_the_lines_cross(tmp_path):
    """30 - 10 x against 32 - 14 x meet at 0.5; both are better on one side."""
    a, b = make_sweep(tmp_path / 'a'), make_sweep(tmp_path / 'b', quality=1.0)
    for cell in b['cells']:
        cell['values'][PSNR] = [32 - 14 * (cell['level'] or 0)] * 3
    (found,) = (e['level'] for e in compare(a, b)['break_even'] if e['metric'] == PSNR)
    assert found == pytest.approx(0.5)
    write_json(b, tmp_path / 'b' / 'sweep.json')
    lines = summary_lines([tmp_path / 'a', tmp_path / 'b'])
    (begin,) = (i for i, line in enumerate(lines) if line.startswith('break-even of b with a'))
    assert '0.5' in lines[-2]
    table = '\n'.join(lines[:begin])
    assert f'{PSNR} a' in table
    assert f'{PSNR} b' in table
    assert 'clean' in table


def test_unknown_image_lists_those_with_pictures(two, tmp_path):
    with pytest.raises(ConfigError, match="image 'nowhere': the sweeps kept pictures of"):
        write_report(two, tmp_path / 'out', image='nowhere')


def test_comparison_page_is_self_contained(two, tmp_path):
    file, *others = write_report(two, tmp_path / 'out')
    text = file.read_text()
    assert {other.name for other in others} == {
        'comparison.md',
        'comparison.png',
        'grid_gni-gaussian.png',
    }
    sources = re.findall(r'src="([^"]{0,30})', text)
    assert len(sources) == 4  # curves, grid, two under the handle
    assert all(source.startswith('data:image/png;base64,') for source in sources)
    assert 'noisy against clean' in text
    assert not re.search(r'(href|src)="(?!data:)', text)


def test_page_of_one_sweep(tmp_path):
    make_sweep(tmp_path / 'only')
    file, *_ = write_report([tmp_path / 'only'], tmp_path / 'only')
    assert 'mean over levels' in file.read_text()


def test_three_sweeps_are_compared_with_the_first(two, tmp_path):
    make_sweep(tmp_path / 'third', quality=0.5)
    text = write_report([*two, tmp_path / 'third'], tmp_path / 'out')[0].read_text()
    assert 'third against clean' in text
    assert 'noisy against clean' in text


def test_text_in_a_page_is_escaped():
    assert '<b>' not in page.page('<b>', [page.heading('<b>'), page.note('<b>')])
    assert '&lt;b&gt;' in page.table(tables.markdown(['<b>'], [['1']]))


def test_names_are_as_short_as_they_can_be(tmp_path):
    assert names_of([tmp_path / 'a', tmp_path / 'b']) == ['a', 'b']
    assert names_of([tmp_path / 'x' / 'a', tmp_path / 'y' / 'a']) == ['x/a', 'y/a']
    with pytest.raises(ValueError, match='a folder is named twice'):
        names_of([tmp_path, tmp_path])


def test_nan_is_shown_as_such(tmp_path):
    result = make_sweep(tmp_path)
    result['rows'][0]['mean'] = math.nan
    write_json(result, tmp_path / 'sweep.json')
    write_sweep(tmp_path)
    assert tables.number(math.nan) == 'NaN'
    assert ',nan,' in (tmp_path / 'sweep.csv').read_text()


def test_scores_of_a_test(tmp_path):
    records = {PSNR: [('b', 30.0), ('a', math.nan)]}
    write_scores({PSNR: math.nan}, records, tmp_path, tmp_path / 'scores.json')
    assert json.loads((tmp_path / 'scores.json').read_text()) == {PSNR: None}
    lines = list(csv.DictReader((tmp_path / 'test_images.csv').open()))
    assert [line['image'] for line in lines] == ['a', 'b']
    assert '| NaN | [NaN, NaN] | 2 |' in tables.scores_markdown(records)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no result of a sweep'),
        ('{', 'no result of a sweep'),
        ('{"format": 99}', 'format 99, this version reads 1'),
    ],
)
def test_folder_without_a_result(tmp_path, text, message):
    if text is not None:
        (tmp_path / 'sweep.json').write_text(text)
    with pytest.raises(DataError, match=message):
        write_report([tmp_path], tmp_path)


def test_sweeps_of_other_images_are_not_compared(tmp_path):
    a, b = make_sweep(tmp_path / 'a'), make_sweep(tmp_path / 'b', images=['x', 'y', 'z'])
    with pytest.raises(DataError, match='scored other images'):
        compare(a, b)
    c = make_sweep(tmp_path / 'c')
    c['cells'] = [{**cell, 'noise': 'other'} for cell in c['cells']]
    with pytest.raises(DataError, match='no noise, level and metric in common'):
        compare(a, c)


LIST = {'identity_list': 'mine.txt', 'identity_list_sha256': 'ab' * 32}


def test_identity_lists_are_printed_and_compared(tmp_path):
    folders = [tmp_path / 'a', tmp_path / 'b']
    results = [make_sweep(folder) for folder in folders]
    assert not any('identity' in line for line in summary_lines(folders))
    for result, folder in zip(results, folders, strict=True):
        write_json({**result, 'dataset': LIST}, folder / 'sweep.json')
    write_sweep(folders[0])
    line = f'identity list mine.txt, SHA-256 {"ab" * 32}'
    assert f'* {line}\n' in (folders[0] / 'sweep.md').read_text()
    assert line in write_report(folders[:1], folders[0])[0].read_text()
    assert f'{line}\n' in summary_lines(folders)
    page_file, table, *_ = write_report(folders, tmp_path / 'out')
    assert line in table.read_text()
    assert 'different identity lists' not in page_file.read_text()


@pytest.mark.parametrize('other', [{}, {**LIST, 'identity_list_sha256': 'cd' * 32}])
def test_results_of_other_identity_lists_are_never_compared_without_saying_so(tmp_path, other):
    folders = [tmp_path / 'a', tmp_path / 'b']
    for folder, dataset in zip(folders, (LIST, other), strict=True):
        write_json({**make_sweep(folder), 'dataset': dataset}, folder / 'sweep.json')
    page_file, table, *_ = write_report(folders, tmp_path / 'out')
    for text in (page_file.read_text(), table.read_text(), '\n'.join(summary_lines(folders))):
        assert 'made with different identity lists' in text
        assert 'b: no identity list' in text or 'cd' * 32 in text
