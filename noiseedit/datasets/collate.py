"""Items of a data set become a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from noiseedit.errors import DataError
from noiseedit.registry import FUNCTIONS


@FUNCTIONS.register_module()
def edit_collate(items: Sequence[dict[str, Any]] | dict[str, Any]) -> dict[str, Any]:
    """Stack the images of several items.

    Args:
        items: What :class:`~noiseedit.datasets.base.ImageDataset` gives; a ready batch (a set that
            gathers whole batches) passes through. 8-bit and float images in one batch become float.

    Returns:
        ``inputs``: name -> (N, C, H, W); ``data_samples``: list of N samples.

    Raises:
        DataError: If items differ in their inputs, or images in size or channels; names the keys.
    """
    if isinstance(items, dict):
        return items
    samples = [item['data_samples'] for item in items]
    names = items[0]['inputs']
    _check_names(items)
    return {
        'inputs': {
            name: _stack(name, [item['inputs'][name] for item in items], samples) for name in names
        },
        'data_samples': samples,
    }


def _check_names(items: Sequence[dict[str, Any]]) -> None:
    sets = {tuple(sorted(item['inputs'])): item['data_samples'].key for item in items}
    if len(sets) > 1:
        listed = '; '.join(f'{key!r} has {", ".join(names)}' for names, key in sets.items())
        raise DataError(f'images of one batch differ in their inputs: {listed}')


def _stack(name: str, images: list[Tensor], samples: Sequence[Any]) -> Tensor:
    sizes = {image.shape: sample.key for image, sample in zip(images, samples, strict=True)}
    if len(sizes) > 1:
        listed = ', '.join(f'{key!r} {tuple(shape)}' for shape, key in sizes.items())
        raise DataError(
            f'{name}: images of one batch differ in (channels, height, width): {listed}. '
            'Crop them to one size (CenterCrop, RandomCrop) or set batch_size=1'
        )
    if len({image.dtype for image in images}) > 1:
        images = [i.float() / 255 if i.dtype == torch.uint8 else i for i in images]
    return torch.stack(images)
