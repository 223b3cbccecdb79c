"""The examples of docs/theory.md run and print what the page says."""

import doctest
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'theory.md'


def test_the_examples_of_the_page():
    results = doctest.testfile(str(PAGE), module_relative=False, encoding='utf-8')
    assert results.attempted > 50
    assert not results.failed
