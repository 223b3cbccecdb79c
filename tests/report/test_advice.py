"""An advice for people: the same numbers in terminal, Markdown and page, strict JSON."""

import json
import re

import pytest
from advice_example import example_advice

from noiseedit.errors import DataError
from noiseedit.report.advice import advice_markdown, advice_text, read_advice, write_advice

FILES = {
    'advice.json', 'advice.md', 'advice.html', 'spectrum.png', 'divergence.png', 'level_map.png',
}  # fmt: skip


@pytest.fixture
def advice():
    return example_advice()


def test_terminal_shows_rules_side_by_side_in_all_units(advice):
    text = advice_text(advice)
    (line,) = (line for line in text.splitlines() if line.startswith('  * average'))
    assert line.split()[2:5] == ['0.08', '0.2828', '36.06']
    assert '0.04 (25.5/255)' in line  # conservative break-even
    for rule in advice['rules']:
        assert f'{rule["clean_cost"]:.4g}' in text
        assert f'{rule["worst_kl"]:.4g}' in text
        assert rule['text'] in text


@pytest.mark.parametrize('make', [advice_text, advice_markdown])
def test_everything_that_was_measured_and_warned_of_is_said(advice, make):
    text = ' '.join(make(advice).split())
    said = ['68 images', '163200 patches', 'd = 64', '[-1,1]', 'f^-2.28', '5.13e-06', 'white']
    said += ['given as sigma 51', '0.16 (51/255)', *advice['warnings'], *advice['limits']]
    for part in said:
        assert part in text


def test_columns_of_the_terminal_are_aligned(advice):
    lines = advice_text(advice).splitlines()
    start = lines.index('DIVERGENCE') + 1
    table = lines[start : start + 7]
    assert len({len(line) for line in table}) == 1
    assert max(map(len, lines)) < 120


def test_table_has_test_levels_down_and_training_levels_across(advice):
    text = advice_markdown(advice)
    assert '| test level | clean | 0.04 (25.5/255) | 0.08 (36.1/255) | 0.16 (51/255) |' in text
    row = next(line for line in text.splitlines() if line.startswith('| 0.032 (22.8/255)'))
    kl = advice['table']['kl_per_dimension']
    assert row.split(' | ')[1:] == [f'{train[1]:.4g}' for train in kl[:-1]] + [f'{kl[-1][1]:.4g} |']


def test_no_warnings_no_section(advice):
    assert 'WARNINGS' not in advice_text({**advice, 'warnings': []})


def test_noise_in_the_data_and_estimates_are_told(advice):
    advice['spectrum']['noise_variance_removed'] = 0.01
    advice['deployment']['estimates'] = [0.04, 0.16, 0.09]
    text = advice_text(advice)
    assert 'noise of variance 0.01 (12.8/255) in the data' in text
    assert '0.04 (25.5/255) to 0.16 (51/255) in 3 deployment images' in text


def test_files(advice, tmp_path):
    files = write_advice(advice, tmp_path / 'new' / 'advice')
    assert {file.name for file in files} == FILES
    assert all(file.stat().st_size for file in files)
    text = (tmp_path / 'new' / 'advice' / 'advice.json').read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f'{name} is not JSON'))
    read = read_advice(tmp_path / 'new' / 'advice')
    assert read == read_advice(tmp_path / 'new' / 'advice' / 'advice.json') == advice


def test_page_is_self_contained(advice, tmp_path):
    advice['warnings'].append('a <b> that must be escaped')
    write_advice(advice, tmp_path)
    text = (tmp_path / 'advice.html').read_text()
    sources = re.findall(r'src="([^"]{0,30})', text)
    assert len(sources) == 3
    assert all(source.startswith('data:image/png;base64,') for source in sources)
    assert not re.search(r'(href|src)="(?!data:)', text)
    assert '<b>' not in text
    assert 'max_sigma 51' in text


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        (None, 'no advice'),
        ('[]', 'no advice'),
        ('{"format": 1}', 'no advice'),
        ('{"format": 9, "value_range": "[-1,1]", "spectrum": {"eigenvalues": [1]}}', 'format 9'),
        ('{"format": 1, "value_range": "[0,9]", "spectrum": {"eigenvalues": [1]}}', 'value_range'),
        ('{"format": 1, "value_range": "[0,1]", "spectrum": {"eigenvalues": []}}', '0 eigenvalues'),
    ],
)
def test_files_that_hold_no_advice(tmp_path, text, message):
    if text is not None:
        (tmp_path / 'advice.json').write_text(text)
    with pytest.raises(DataError, match=message):
        read_advice(tmp_path)
