"""The noise that a trained NoiseTransfer makes, as a noise like any other."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import torch
from mmengine.logging import print_log
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.imaging import GREY_WEIGHTS, PathLike
from noiseedit.inference.loading import Ema
from noiseedit.inference.noise_tiles import TILE
from noiseedit.inference.noise_transfer import (
    TransferNetworks,
    embed,
    existing,
    load_networks,
    transfer,
    untrained_networks,
)
from noiseedit.inference.references import LEAST, References
from noiseedit.noises import BaseNoise, NoiseSpec, SampleStreams, build
from noiseedit.noises.base import Params
from noiseedit.noises.level import Number
from noiseedit.noises.random import Generator, uniform
from noiseedit.registry import NOISES

COLOURS = 3
UNTRAINED = (
    'TransferredNoise: no checkpoint: the noise of small networks with random weights, which means '
    "nothing; checkpoint='...' names a trained one"
)


@NOISES.register_module()
class TransferredNoise(BaseNoise):
    """Generated noise like that of a reference: ``y = x + G(x, E(reference))`` (NoiseTransfer).

    References are real noisy images of other scenes, a random one for each image (unpaired), or a
    noise: then the image itself with that noise is its reference (paired). Networks are read at
    the first use, once per device, and belong to no model: they are neither trained nor saved. They
    work in float32 also under autocast. Images of one channel become grey colour images; of what
    comes out the luma is taken.

    Args:
        checkpoint: Of a trained or converted NoiseTransfer, or its work folder. None: small
            networks with random weights, whose noise means nothing: for tests.
        reference: A file or folder of noisy images; or the spec of a noise as a dict (a preset as
            ``dict(preset='nrgan/A')``), which acts in [0, 1] and should clip. The level of the
            noise is then that of this one.
        config: Of a model with other networks; see
            :func:`~noiseedit.inference.noise_transfer.load_networks`.
        ema: See :func:`~noiseedit.inference.loading.load_model`.
        crop: Side of the random crop that is taken of a reference file, in pixels; None: images as
            they are, of larger ones the centre.
        pattern: See :class:`~noiseedit.inference.references.References`.
        cache: Likewise.
        tile: See :func:`~noiseedit.inference.noise_transfer.transfer`.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``; see
            :class:`~noiseedit.noises.base.BaseNoise`. The published use has ``clip=True``.

    Raises:
        ConfigError: If ``reference`` is nothing of that, or ``crop`` is too small.
        MissingWeightsError: At the first use, or before a training, if the checkpoint is not there.
        CheckpointError: Likewise, if it is not of such a model.
        DataError: Likewise, if there are no references.
    """

    gradient = 'ste'
    example: ClassVar[dict[str, Any]] = {
        'checkpoint': None,
        'reference': {'type': 'PoissonNoise', 'peak': 30, 'clip': True},
    }
    shown = ('checkpoint', 'source', 'crop')

    def __init__(
        self,
        checkpoint: PathLike | None,
        reference: PathLike | NoiseSpec,
        *,
        config: PathLike | None = None,
        ema: Ema = 'auto',
        crop: int | None = 96,
        pattern: str | None = None,
        cache: PathLike | None = None,
        tile: int = TILE,
        **kwargs: Any,
    ) -> None:
        if crop is not None and crop < LEAST:
            raise ConfigError(
                f'TransferredNoise.crop: expected at least {LEAST} pixels, got {crop}'
            )
        noise = build(reference) if isinstance(reference, (dict, BaseNoise)) else None
        default = 'TransferredNoise' if noise is None else f'TransferredNoise({noise.name})'
        super().__init__(None if noise is None else noise.level, **{'name': default, **kwargs})
        self.reference_noise = noise
        self.checkpoint = None if checkpoint is None else str(checkpoint)
        self.config, self.ema = None if config is None else str(config), ema
        self.source = None if noise is not None else str(reference)
        self.crop, self.tile = (crop if noise is None else None), tile
        self.pattern, self.cache = pattern, cache

    @cached_property
    def references(self) -> References:
        """The reference files; read when first asked for."""
        return References(str(self.source), self.crop, self.pattern, self.cache)

    def check_files(self) -> None:
        """Raise now what the first image would: no checkpoint, no references."""
        if self.checkpoint is not None:
            existing(self.checkpoint)
        if self.reference_noise is None:
            len(self.references)

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the parameters of the reference noise, or which file and where the crop lies.

        The latter are ``image``, ``top`` and ``left``, (n, 1, 1, 1) of U[0, 1).
        """
        if self.reference_noise is not None:
            return self.reference_noise.sample_params(n, generator)
        names = ('image',) if self.crop is None else ('image', 'top', 'left')
        return {name: uniform((n, 1, 1, 1), generator) for name in names}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return ``x`` with generated noise; one stream per image: image by image."""
        with torch.no_grad():
            clean = _in_colour(x.detach())
            if isinstance(generator, SampleStreams):
                part = generator.fork()
                rows = [slice(i, i + 1) for i in range(len(x))]
                noisy = torch.cat(
                    [self._noisy(clean[r], _rows(params, r), part.select([r.start])) for r in rows]
                )
            else:
                noisy = self._noisy(clean, params, generator)
            return _like(noisy, x)

    def _noisy(self, clean: Tensor, params: Params, generator: Generator) -> Tensor:
        networks = shared_networks(self.checkpoint, self.config, self.ema, str(clean.device))
        condition = self._condition(networks, clean, params, generator)
        return transfer(networks, clean, condition, generator, self.tile)

    def _condition(
        self, networks: TransferNetworks, clean: Tensor, params: Params, generator: Generator
    ) -> Tensor:
        if self.reference_noise is not None:
            return embed(networks, self.reference_noise.corrupt(clean, params, generator))
        if self.crop is not None:
            crops = self.references.crops(params['image'], params['top'], params['left'])
            return embed(networks, crops.to(clean.device))
        chosen = self.references.chosen(params['image'])
        return torch.cat([_whole_embedding(networks, self.references, i) for i in chosen])

    def chosen_file(self, params: Params) -> Path:
        """Return the reference file that the parameters of one image pick.

        Raises:
            ConfigError: If references are made by a noise.
        """
        if self.reference_noise is not None:
            raise ConfigError(f'{self.name}: references are made by a noise, there are no files')
        return self.references.files[self.references.chosen(params['image'])[0]]

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Refuse: generated noise may be biased.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f'{self.name} has no closed-form mean')

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy whose reference noise is at another level.

        Raises:
            ConfigError: If references are files, or their noise has no level.
        """
        if self.reference_noise is None:
            return super().with_level(level)
        clone = copy.deepcopy(self)
        clone.reference_noise = self.reference_noise.with_level(level)
        clone.level = clone.reference_noise.level
        return clone

    def strength(self) -> list[str]:
        """Return the text of the reference noise; of files there is none."""
        return [] if self.reference_noise is None else [f'reference={self.reference_noise!r}']


@lru_cache(maxsize=4)
def shared_networks(
    checkpoint: str | None, config: str | None, ema: Ema, device: str
) -> TransferNetworks:
    """Return the networks on a device; train and test noise, and copies at other levels, share.

    Without a checkpoint, small ones with random weights, and a warning.
    """
    if checkpoint is None:
        print_log(UNTRAINED, 'current', logging.WARNING)
        return untrained_networks(device)
    return load_networks(checkpoint, config, ema=ema, device=device)


@lru_cache(maxsize=64)
def _whole_embedding(networks: TransferNetworks, references: References, index: int) -> Tensor:
    device = next(networks.encoder.parameters()).device
    return embed(networks, references.whole(index).to(device))


def _rows(params: Params, rows: slice) -> Params:
    return {name: value[rows] for name, value in params.items()}


def _in_colour(x: Tensor) -> Tensor:
    """Return (N, 3, H, W) float32 of images of one or three channels.

    Raises:
        ValueError: If they have another number.
    """
    if x.shape[1] not in (1, COLOURS):
        raise ValueError(f'TransferredNoise: expected 1 or 3 channels, got {tuple(x.shape)}')
    return x.float().expand(-1, COLOURS, -1, -1).contiguous()


def _like(noisy: Tensor, x: Tensor) -> Tensor:
    """Return noisy colour images with the channels and type of ``x``."""
    if x.shape[1] == COLOURS:
        return noisy.to(x.dtype)
    weights: Sequence[float] = GREY_WEIGHTS
    luma = (noisy * noisy.new_tensor(weights).view(1, COLOURS, 1, 1)).sum(1, keepdim=True)
    return luma.to(x.dtype)
