"""What results were made of: config, checkpoint, identity list, versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Result = Mapping[str, Any]

OTHER_LISTS = (
    'The results were made with different identity lists: other people were trained on or tested, '
    'and the numbers must not be compared'
)


def provenance(name: str, result: Result) -> str:
    """Return one line about a result."""
    versions = ', '.join(f'{key} {value}' for key, value in result['versions'].items())
    people = identity_text(result)
    return (
        f'{name}: config {result["config"]} ({result["config_sha256"][:12]}), checkpoint '
        f'{result["checkpoint"]} ({result["checkpoint_sha256"][:12]}), {len(result["images"])} '
        f'images, seed {result["seed"]}{f", {people}" if people else ""}; {versions}'
    )


def identity_text(result: Result) -> str:
    """Return name and SHA-256 of the identity list that split the data; empty: there is none."""
    data = result.get('dataset', {})
    if 'identity_list_sha256' not in data:
        return ''
    return f'identity list {data["identity_list"]}, SHA-256 {data["identity_list_sha256"]}'


def identity_lines(results: Mapping[str, Result]) -> list[str]:
    """Return the identity list of every result that has one, and a warning where they differ.

    Args:
        results: Name -> result of a sweep.
    """
    texts = {name: identity_text(result) for name, result in results.items()}
    if not any(texts.values()):
        return []
    if len(set(texts.values())) == 1:
        return [next(iter(texts.values()))]
    hashes = {r.get('dataset', {}).get('identity_list_sha256') for r in results.values()}
    lines = [f'{name}: {text or "no identity list"}' for name, text in texts.items()]
    return lines if len(hashes) == 1 else [*lines, OTHER_LISTS]
