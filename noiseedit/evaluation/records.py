"""The scores of a sweep as they come, one line of JSON each: what a killed run has done is kept.

A file per process, ``sweep.records.<rank>.jsonl``. The first line is a fingerprint of everything
that scores depend on; a file with another fingerprint is thrown away. A line that a kill cut short
is ignored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b, sha256
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from noiseedit.files import atomic_file, plain

Key = tuple[str, str, str]
Scores = dict[str, float]
Records = dict[Key, Scores]
"""(identity of the cell, sample key, hash of the decoded images) -> {metric name: value}."""

PATTERN = 'sweep.records.*.jsonl'


def config_hash(config: Mapping[str, Any]) -> str:
    """Return a hash of the parts of a config that scores depend on: model, test data, metrics."""
    dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
    if dataset.get('type') == 'FirstImages':  # fewer images, but each as it would be
        dataset = dataset['dataset']
    parts = (config.get('model'), dataset, config.get('test_evaluator'))
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def weights_hash(state: Mapping[str, Tensor]) -> str:
    """Return a hash of names and bytes of all tensors."""
    digest = sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f'{name}{tuple(tensor.shape)}{tensor.dtype}'.encode())
        flat = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy())
    return digest.hexdigest()


def image_hash(images: Mapping[str, Tensor]) -> str:
    """Return a short hash of the decoded images of one sample."""
    digest = blake2b(digest_size=8)
    for name, image in sorted(images.items()):
        digest.update(f'{name}{tuple(image.shape)}{image.dtype}'.encode())
        digest.update(image.cpu().contiguous().numpy())
    return digest.hexdigest()


def file_hash(path: str | Path) -> str:
    """Return the SHA-256 of a file."""
    digest = sha256()
    with Path(path).open('rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def read_records(folder: str | Path, fingerprint: str) -> Records:
    """Return the records that files of any number of processes left under ``fingerprint``."""
    records: Records = {}
    for file in sorted(Path(folder).glob(PATTERN)):
        lines = _lines(file)
        if next(lines, {}).get('fingerprint') == fingerprint:
            records |= dict(map(_record, lines))
    return records


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    for line in file.read_text().splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _record(line: Mapping[str, Any]) -> tuple[Key, Scores]:
    scores = {name: float('nan') if v is None else v for name, v in line['scores'].items()}
    return (line['cell'], line['image'], line['data']), scores


class RecordFile:
    """Append records to the file of one process; anything under another fingerprint is dropped.

    Args:
        folder: Work folder; made if missing.
        rank: Of this process.
        fingerprint: Of everything the scores depend on.
        records: Those to begin with (the file is rewritten, so that a torn line goes).
    """

    def __init__(
        self, folder: str | Path, rank: int, fingerprint: str, records: Records | None = None
    ) -> None:
        path = Path(folder) / PATTERN.replace('*', str(rank))
        with atomic_file(path) as temporary, temporary.open('w') as file:
            file.write(json.dumps({'fingerprint': fingerprint}) + '\n')
            file.writelines(_line(key, scores) for key, scores in (records or {}).items())
        self._file: IO[str] = path.open('a')

    def append(self, key: Key, scores: Scores) -> None:
        """Write one record; it survives the death of the process."""
        self._file.write(_line(key, scores))
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _line(key: Key, scores: Scores) -> str:
    cell, image, data = key
    return json.dumps({'cell': cell, 'image': image, 'data': data, 'scores': plain(scores)}) + '\n'
