"""Noises in one place of the image: any noise inside a random rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.base import Params
from noiseedit.noises.build import NoiseSpec
from noiseedit.noises.compose import member_params
from noiseedit.noises.level import Number, Unit
from noiseedit.noises.pixelwise import GaussianNoise
from noiseedit.noises.random import Generator, SampleStreams, fork, integers, select, uniform
from noiseedit.noises.wrap import Wrapper
from noiseedit.registry import NOISES


@NOISES.register_module()
class Patch(Wrapper):
    """Any noise inside one random rectangle only, shared by the channels; costs what it covers.

    Args:
        noise: Spec of the noise.
        size: Side of a square, or (low, high): width and height are independent uniform integers
            from {low, ..., high}. Pixels. The corner is uniform over all positions that fit.
        kwargs: See :class:`Wrapper`.

    Raises:
        ConfigError: If ``size`` is not positive, or larger than the image.
    """

    example: ClassVar[dict[str, Any]] = {
        'noise': {'type': 'SaltPepperNoise', 'amount': 0.3},
        'size': (16, 24),
    }
    shown = ('size',)

    def __init__(self, noise: NoiseSpec, size: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(noise, **kwargs)
        self.size = size
        self.low, self.high = (size, size) if isinstance(size, int) else size
        if not 1 <= self.low <= self.high:
            raise ConfigError(f'size: expected a positive integer or (low, high), got {size!r}')

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw ``box.size`` (n, 2) as width, height; ``box.corner`` (n, 2) in [0, 1); the rest."""
        inner = {f'0.{k}': v for k, v in super().sample_params(n, generator).items()}
        if self.low == self.high:
            size = torch.full((n, 2), self.low, device=generator.device)
        else:
            size = integers((n, 2), self.low, self.high, generator)
        return {**inner, 'box.size': size, 'box.corner': uniform((n, 2), generator)}

    def boxes(self, x: Tensor, params: Params) -> tuple[Tensor, Tensor]:
        """Return (left, top) and (width, height) of every rectangle, each (N, 2) int64."""
        height, width = x.shape[-2:]
        if self.high > min(height, width):
            raise ConfigError(
                f'{self.name}: a patch of up to {self.high} pixels does not fit into an image of '
                f'{width}x{height}'
            )
        size = params['box.size']
        room = torch.tensor([width, height], device=size.device) - size + 1
        return (params['box.corner'] * room).long().minimum(room - 1), size

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Cut the rectangles out, corrupt them, put them back."""
        corner, size = self.boxes(x, params)
        inner = member_params(params, 0)
        if self.low == self.high:
            return self._equal_boxes(x, corner, inner, generator)
        y, part = x.clone(), fork(generator)
        for row, (left, top, width, height) in enumerate(torch.cat([corner, size], 1).tolist()):
            box = (
                slice(row, row + 1),
                slice(None),
                slice(top, top + height),
                slice(left, left + width),
            )
            own = {name: value[row : row + 1] for name, value in inner.items()}
            y[box] = self.noise.corrupt(x[box], own, select(part, [row]))
        return y

    def _equal_boxes(
        self, x: Tensor, corner: Tensor, inner: Params, generator: Generator
    ) -> Tensor:
        """Corrupt all rectangles as one batch."""
        steps = torch.arange(self.low, device=x.device)
        columns, rows = (corner[:, None, :] + steps[None, :, None]).unbind(-1)
        image = torch.arange(len(x), device=x.device)[:, None, None, None]
        channel = torch.arange(x.shape[1], device=x.device)[None, :, None, None]
        box = (image, channel, rows[:, None, :, None], columns[:, None, None, :])
        return x.index_put(box, self.noise.corrupt(x[box], inner, generator).to(x.dtype))

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Let the noise corrupt the rectangle; its level is the one drawn with the rectangle."""
        params = self.sample_params(1, SampleStreams([seed]))
        shape = torch.empty(1, 1, *image.shape[:2], device='meta')
        (corner,), (size,) = (part.tolist() for part in self.boxes(shape, params))
        box = tuple(slice(at, at + side) for at, side in zip(corner[::-1], size[::-1], strict=True))
        noisy = image.copy()
        noisy[box] = self.noise.apply_uint8(image[box], seed)
        return noisy

    def mask(self, x: Tensor, params: Params) -> Tensor:
        """Return where the rectangles are, (N, 1, H, W) bool."""
        corner, size = self.boxes(x, params)
        end = corner + size
        row = torch.arange(x.shape[-2], device=x.device)
        column = torch.arange(x.shape[-1], device=x.device)
        rows = (row >= corner[:, 1:]) & (row < end[:, 1:])
        columns = (column >= corner[:, :1]) & (column < end[:, :1])
        return (rows[:, :, None] & columns[:, None, :])[:, None]

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return the mean of the noise inside, ``x`` outside."""
        return torch.where(self.mask(x, params), self.noise.mean(x, member_params(params, 0)), x)

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return the variance of the noise inside, 0 outside.

        Right for noises whose variance does not depend on the position or the image size.
        """
        inside = self.noise.variance(x, member_params(params, 0))
        return torch.where(self.mask(x, params), inside, 0)


@NOISES.register_module()
class PatchGaussianNoise(Patch):
    """Local Gaussian noise (NR-GAN): ``y = x + m * sigma * eps``, m = 1 in a random rectangle.

    Args:
        sigma: Standard deviation inside, in ``unit``, or a range.
        size: Side of the square, or (low, high) for a rectangle; see :class:`Patch`.
        variance: Instead of ``sigma``, in squared ``unit``.
        unit: 255, '[0,1]' or '[-1,1]'; must be given.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'sigma': 25, 'unit': 255, 'size': 16}

    def __init__(
        self,
        sigma: Number | None = None,
        *,
        size: int | Sequence[int],
        variance: Number | None = None,
        unit: Unit | None = None,
        **kwargs: Any,
    ) -> None:
        gaussian = GaussianNoise(sigma, variance=variance, unit=unit)
        super().__init__(gaussian, size, **{'name': type(self).__name__, **kwargs})
