"""Weights of networks that were released as MATLAB files of MatConvNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import CheckpointError, MissingExtraError

Layer = tuple[str, list[np.ndarray]]
HDF5_NOTE = b'MATLAB 7.3'


def read_matconvnet(path: str | Path) -> dict[str, Tensor]:
    """Return the convolutions of ``net.layers`` in the order of torch.

    MATLAB holds weights as height x width x in x out; both cross-correlate, so nothing is flipped.

    Returns:
        ``layers.<i>.weight`` (out, in, height, width) and ``layers.<i>.bias`` (out,), float32, for
        every layer i of type 'conv'.

    Raises:
        CheckpointError: If the file is missing, damaged, or holds no such network.
        MissingExtraError: If it is of version 7.3 (HDF5) and h5py is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f'{path}: no such file')
    try:
        with path.open('rb') as file:
            is_hdf5 = file.read(len(HDF5_NOTE)) == HDF5_NOTE
        layers = list(_hdf5_layers(path) if is_hdf5 else _older_layers(path))
    except MissingExtraError:
        raise
    except Exception as error:
        raise CheckpointError(
            f'{path}: damaged, or no network of MatConvNet ({error}); expected net.layers'
        ) from error
    found = dict(_tensors(path, layers))
    if not found:
        raise CheckpointError(f"{path}: expected layers of type 'conv' in net.layers, got none")
    return found


def _tensors(path: Path, layers: list[Layer]) -> Iterator[tuple[str, Tensor]]:
    for index, (kind, weights) in enumerate(layers):
        if kind != 'conv':
            continue
        if len(weights) != 2 or weights[0].ndim != 4:
            raise CheckpointError(
                f'{path}: layer {index}: expected weights of 4 dimensions and a bias, '
                f'got {[array.shape for array in weights]}'
            )
        weight = np.ascontiguousarray(weights[0].transpose(3, 2, 0, 1), dtype=np.float32)
        yield f'layers.{index}.weight', torch.from_numpy(weight)
        bias = np.array(weights[1], dtype=np.float32).ravel()
        yield f'layers.{index}.bias', torch.from_numpy(bias)


def _hdf5_layers(path: Path) -> Iterator[Layer]:
    """Read version 7.3; HDF5 shows the dimensions of MATLAB in reverse."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError(
            f"{path}: MATLAB files of version 7.3 need h5py: pip install 'noiseedit[matlab]'"
        ) from error
    with h5py.File(path) as file:
        for reference in file['net']['layers'][()].ravel():
            layer = file[reference]
            kind = ''.join(map(chr, layer['type'][()].ravel()))
            cells = layer['weights'][()].ravel() if kind == 'conv' else []
            yield kind, [file[cell][()].transpose() for cell in cells]


def _older_layers(path: Path) -> Iterator[Layer]:
    """Read versions up to 7."""
    from scipy.io import loadmat

    net: Any = loadmat(path, struct_as_record=False, simplify_cells=False)['net'][0, 0]
    for cell in net.layers.ravel():
        layer = cell[0, 0]
        kind = str(layer.type.item())
        yield kind, list(layer.weights.ravel()) if kind == 'conv' else []
