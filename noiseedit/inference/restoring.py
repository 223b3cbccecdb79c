"""One image through a trained model: as a whole or in tiles, at a noise level, eight ways round."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from noiseedit.datasets.base import to_tensor
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import with_channels
from noiseedit.inference.tiling import (
    UNBOUNDED_HALO,
    Difference,
    Network,
    Reach,
    Tiles,
    check_size,
    measure_difference,
    measure_reach,
    tiled,
)
from noiseedit.models import EditModel
from noiseedit.noises.blind import estimate_sigma

Color = Literal['channels', 'grey']
LevelOf: TypeAlias = Callable[[np.ndarray], float]
"""(H, W, C) uint8 or float in [0, 1] -> standard deviation of its noise in 8-bit units."""
NoiseLevel: TypeAlias = float | LevelOf | Literal['estimate'] | None
Done: TypeAlias = Callable[[int, int], object]

PROBE_LEVEL = 25.0


class Restorer:
    """Make of a noisy image what a trained model makes of it. No noise is added.

    Args:
        model: In evaluation mode; see :func:`~noiseedit.inference.loading.load_model`.
        level: Standard deviation of the noise in 8-bit units, for networks that take it: a number,
            a function that finds it of each image, or 'estimate': of each image as a whole by
            :func:`~noiseedit.noises.blind.estimate_sigma`. None: the number (or 'estimate') of
            ``data_preprocessor.noise_level``.
        tile: Side of a tile in pixels; None: images go through whole.
        halo: Of the tiles; None: what the network sees, so that the result is that of the whole
            image, or :data:`~noiseedit.inference.tiling.UNBOUNDED_HALO` where it sees all of it.
        batch: Tiles at once.
        ensemble: Mean over the eight flips and turns of the image, eight times the work.
        color: Colour images through a grey network. 'channels': red, green and blue one by one;
            'grey': as grey images.

    Attributes:
        reach: What the network sees; None: without tiles, nobody asked.
        seams: What tiles change, where they are not as the whole image: measured on a piece of the
            first image that has several.
        tiles: How images are cut; None: not at all.
        channels: Of the images that the network takes: 1 or 3.

    Raises:
        ConfigError: If the model needs more than an image, or a level that is not given, or gets
            one that it does not take; or if the tiles cannot be cut.
    """

    def __init__(
        self,
        model: EditModel,
        *,
        level: NoiseLevel = None,
        tile: int | None = None,
        halo: int | None = None,
        batch: int = 1,
        ensemble: bool = False,
        color: Color = 'channels',
    ) -> None:
        self.model, self.ensemble, self.color = model, ensemble, color
        self.level = _checked_level(model, level)
        if halo is not None and tile is None:
            raise ConfigError('restore: a halo needs tiles; give the size of a tile too')
        self.channels = self._channels()
        self.reach: Reach | None = None
        self.tiles: Tiles | None = None
        self.seams: Difference | None = None
        if tile is not None:
            multiple = model.data_preprocessor.pad_multiple
            self.reach = measure_reach(self._network(PROBE_LEVEL), self.channels, multiple)
            self.tiles = Tiles(tile, _halo(self.reach, halo), self.reach.multiple, batch)

    @property
    def is_exact(self) -> bool:
        """Whether the result is that of the whole image, but for rounding."""
        if self.tiles is None or self.reach is None:
            return True
        return self.reach.halo is not None and self.tiles.halo >= self.reach.halo

    @torch.no_grad()
    def __call__(self, image: np.ndarray, done: Done = lambda count, total: None) -> np.ndarray:
        """Return the restored image, (H, W, C) float32, nominally in [0, 1], neither clipped.

        C is that of the network's images; of a colour image whose channels go one by one: 3.

        Args:
            image: (H, W, C) uint8 or float in [0, 1].
            done: Told how many tiles of how many are done.

        Raises:
            DataError: If the network cannot take the image, or there is too little memory.
        """
        network, batch = self._network(self._level_of(image)), self._batch(image)
        if not self.is_exact and self.seams is None:
            self.seams = self._measure_seams(network, batch)
        turns = range(8) if self.ensemble else range(1)
        total: Tensor | None = None
        for turn in turns:
            made = turned_back(self._run(network, turned(batch, turn), done), turn)
            total = made if total is None else total.add_(made)
        result = total / len(turns) if total is not None and self.ensemble else total
        return _array(result, self._splits(image))  # type: ignore[arg-type]

    def _measure_seams(self, network: Network, batch: Tensor) -> Difference | None:
        if self.tiles is None or max(batch.shape[-2:]) <= self.tiles.size:
            return None
        return measure_difference(network, batch, self.tiles)

    def _run(self, network: Network, batch: Tensor, done: Done) -> Tensor:
        height, width = batch.shape[-2:]
        multiple = self.model.data_preprocessor.pad_multiple
        if height % multiple or width % multiple:
            batch = self.model.data_preprocessor.pad(_to_float(batch))
        try:
            made = self._whole(network, batch) if self.tiles is None else None
            made = tiled(network, batch, self.tiles, done) if self.tiles is not None else made
        except RuntimeError as error:
            raise _explained(error, batch) from error
        return made[..., :height, :width]  # type: ignore[index]

    def _whole(self, network: Network, batch: Tensor) -> Tensor:
        made = network(batch)
        check_size(made, batch)
        return made

    def _network(self, level: float | None) -> Network:
        """Return the network of images in [0, 1]; results come to the CPU."""
        preprocessor = self.model.data_preprocessor
        # a CycleGAN of the other direction translates targets
        backwards = getattr(self.model, 'direction', '') == 'target2source'

        def network(images: Tensor) -> Tensor:
            loaded = preprocessor.load({'inputs': {'source': images}, 'data_samples': None})
            x = preprocessor.normalise(loaded['inputs']['source'])
            inputs = {'target' if backwards else 'source': x}
            if level is not None and takes_level(self.model):
                inputs['level'] = x.new_full((len(x), 1, 1, 1), level / 255)
            return preprocessor.restore(self.model.translate(inputs).float()).cpu()

        return network

    def _channels(self) -> int:
        """Return how many channels the network takes: what it accepts."""
        multiple = self.model.data_preprocessor.pad_multiple
        side = -(-64 // multiple) * multiple
        network, refusals = self._network(PROBE_LEVEL), []
        for channels in (3, 1):
            try:
                with torch.no_grad():
                    network(torch.full((1, channels, side, side), 0.5))
            except ConfigError as error:
                raise ConfigError(f'restore gives a model one image, no more: {error}') from error
            except (ValueError, RuntimeError) as error:
                refusals.append(f'{channels}: {error}')
            else:
                return channels
        raise ConfigError(
            f'{type(self.model).__name__} takes images of neither 3 nor 1 channels: '
            + '; '.join(refusals)
        )

    def _level_of(self, image: np.ndarray) -> float | None:
        return self.level(image) if callable(self.level) else self.level

    def _splits(self, image: np.ndarray) -> bool:
        """Whether the channels of a colour image go through one by one."""
        return self.channels == 1 and image.shape[2] == 3 and self.color == 'channels'

    def _batch(self, image: np.ndarray) -> Tensor:
        """Return (N, C, H, W): one image, or the three channels of one."""
        if not self._splits(image):
            image = with_channels(image, 1 if self.channels == 1 else 3)
            return to_tensor(image)[None]
        return to_tensor(image)[:, None]


def takes_level(model: EditModel) -> bool:
    """Tell whether the network of a model is told the level of the noise."""
    return bool(getattr(model, 'takes_level', False))


def _checked_level(model: EditModel, level: NoiseLevel) -> float | LevelOf | None:
    if not takes_level(model):
        if level is not None:
            raise ConfigError(
                f'the network of this {type(model).__name__} is not told the level of the noise; '
                'leave the noise level out, or take a network that is, as those of configs/ffdnet'
            )
        return None
    known = model.data_preprocessor.noise_level
    level = known if level is None and known != 'known' else level
    if level == 'estimate':
        return _estimated
    if level is None:
        raise ConfigError(
            'the network is told the level of the noise: give it as a standard deviation in 8-bit '
            'units, e.g. --noise-level 15, or let it be estimated: --noise-level estimate'
        )
    if not callable(level) and not 0 <= level < math.inf:
        raise ConfigError(f'noise level: expected a number >= 0 of 8-bit units, got {level!r}')
    return level


def _estimated(image: np.ndarray) -> float:
    """Return the noise of an image, standard deviation in 8-bit units."""
    return 255 * float(estimate_sigma(_to_float(to_tensor(image)[None])))


def _halo(reach: Reach, wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    return UNBOUNDED_HALO if reach.halo is None else reach.halo


def _to_float(images: Tensor) -> Tensor:
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def _array(result: Tensor, split: bool) -> np.ndarray:
    """Return (H, W, C) of one image (1, C, H, W), or of three channels (3, 1, H, W)."""
    if split and result.shape[1] != 1:
        raise ConfigError(
            f'the network makes {result.shape[1]} channels of one: colours cannot go through it '
            "one by one; take color='grey' (--color grey)"
        )
    planes = result[:, 0] if split else result[0]
    array: np.ndarray = planes.permute(1, 2, 0).numpy()
    return array


def _explained(error: RuntimeError, batch: Tensor) -> Exception:
    """Return what to tell the user of an error of torch; a bug stays what it is."""
    size = f'{batch.shape[-2]}x{batch.shape[-1]} (height x width)'
    text = str(error)
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text:
        return DataError(f'{size}: too little memory; use tiles, or smaller ones: --tile 512')
    if 'Padding size should be less' in text:
        return DataError(f'{size}: too small for the network, which mirrors its border: {text}')
    return error


# The eight ways round.


def turned(images: Tensor, turn: int) -> Tensor:
    """Return images (..., H, W) turned by ``turn % 4`` quarters, and mirrored from 4 on."""
    flipped = images.flip(-1) if turn >= 4 else images
    return flipped.rot90(turn % 4, (-2, -1))


def turned_back(images: Tensor, turn: int) -> Tensor:
    """Undo :func:`turned`."""
    upright = images.rot90(-(turn % 4), (-2, -1))
    return upright.flip(-1) if turn >= 4 else upright
