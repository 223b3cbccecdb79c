"""The lossy measurements of AmbientGAN: blocked pixels and patches, blur and noise.

Bora, Price, Dimakis: AmbientGAN: Generative Models from Lossy Measurements. ICLR 2018. What is
lost becomes 0 there, in [-1, 1]: mid-grey, 0.5, here (``fill``).

The measurement that rotates and projects an image gives a vector of another shape and is no noise.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.noises.base import BaseNoise, Params
from noiseedit.noises.compression import IntegerLevel
from noiseedit.noises.corruption import Filter, require
from noiseedit.noises.level import Level, Number, make_level
from noiseedit.noises.random import Generator, uniform
from noiseedit.registry import NOISES

MID_GREY = 0.5
BLOCKS = ('pixels', 'values', 'rows', 'columns')


@NOISES.register_module()
class BlockNoise(BaseNoise):
    """Lose parts of the image at random: ``y = fill + m (x - fill) / (1 - amount)``.

    m is 1 with probability 1 - amount, else 0, drawn per pixel, value, row or column. The division
    keeps the mean: E[y | x] = x. The result leaves [0, 1].

    Args:
        amount: Probability of a loss, in [0, 1), or a range.
        block: What is lost at once: ``'pixels'`` (all channels together), ``'values'`` (each
            channel on its own), whole ``'rows'`` or ``'columns'``.
        rescale: Divide by 1 - amount; False: what is kept stays as it is.
        fill: Value of what is lost, in [0, 1].
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If an argument is out of range.
    """

    example: ClassVar[dict[str, Any]] = {'amount': 0.3}
    shown = ('block', 'rescale', 'fill')

    def __init__(
        self,
        amount: Number,
        *,
        block: Literal['pixels', 'values', 'rows', 'columns'] = 'pixels',
        rescale: bool = True,
        fill: float = MID_GREY,
        **kwargs: Any,
    ) -> None:
        require(block in BLOCKS, 'block', f'one of {BLOCKS}', block)
        require(0 <= fill <= 1, 'fill', 'a number in [0, 1]', fill)
        super().__init__(_below_one(make_level('amount', amount)), **kwargs)
        self.block, self.rescale, self.fill = block, rescale, fill

    def with_level(self, level: Number) -> BaseNoise:
        """Return a copy that loses another amount."""
        if self.level is not None:
            _below_one(self.level.at(level))
        return super().with_level(level)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Keep what is drawn to be kept."""
        amount = params['amount'].to(x.dtype)
        n, channels, height, width = x.shape
        shape = {
            'pixels': (n, 1, height, width),
            'values': (n, channels, height, width),
            'rows': (n, 1, height, 1),
            'columns': (n, 1, 1, width),
        }[self.block]
        kept = uniform(shape, generator).to(x.device) >= amount
        return self.fill + (x - self.fill) * kept * self._gain(amount)

    def mean(self, x: Tensor, params: Params) -> Tensor:
        """Return x; without ``rescale``, (1 - amount) x + amount fill."""
        share = (1 - params['amount']) * self._gain(params['amount'])
        return self.fill + (x - self.fill) * share

    def variance(self, x: Tensor, params: Params) -> Tensor:
        """Return (x - fill)^2 amount / (1 - amount); without ``rescale``, times (1 - amount)^2."""
        amount = params['amount']
        return (x - self.fill) ** 2 * amount * (1 - amount) * self._gain(amount) ** 2

    def _gain(self, amount: Tensor) -> Tensor:
        return 1 / (1 - amount) if self.rescale else torch.ones_like(amount)


def _below_one(level: Level) -> Level:
    require(level.high < 1, 'amount', 'a probability below 1', level.high)
    return level


class PatchMeasurement(IntegerLevel):
    """Base of measurements that concern one square: its place is uniform over all that fit.

    The released code of AmbientGAN never draws the last row and column of places: ``last=False``.

    Args:
        size: Side of the square in pixels, or (low, high): uniform whole numbers, per image.
        last: Draw the last place of each direction too.
        fill: Value of what is lost, in [0, 1].
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``size`` is no whole number >= 1, or (when applied) has no place.
    """

    bounds = (1, float('inf'))
    example: ClassVar[dict[str, Any]] = {'size': (12, 20)}
    shown = ('last', 'fill')

    def __init__(
        self, size: Number, *, last: bool = True, fill: float = MID_GREY, **kwargs: Any
    ) -> None:
        require(0 <= fill <= 1, 'fill', 'a number in [0, 1]', fill)
        super().__init__(make_level('size', size), **kwargs)
        self.last, self.fill = last, fill

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw ``size`` (n, 1, 1, 1) in pixels, ``place`` (n, 2, 1, 1) in [0, 1): down, right."""
        return {
            **super().sample_params(n, generator),
            'place': uniform((n, 2, 1, 1), generator),
        }

    def corner(self, x: Tensor, params: Params) -> Tensor:
        """Return top and left of every square, (N, 2, 1, 1) int64.

        Raises:
            ConfigError: If a square has no place in the image.
        """
        sides = torch.tensor(x.shape[-2:], device=x.device).view(1, 2, 1, 1)
        places = sides - params['size'].long() + int(self.last)
        smallest = min(x.shape[-2:]) - int(not self.last)
        require(self.level.high <= smallest, 'size', f'at most {smallest} pixels', self.level.high)
        return (params['place'] * places).long().minimum(places - 1)

    def inside(self, x: Tensor, params: Params) -> Tensor:
        """Return where the squares are, (N, 1, H, W) bool."""
        return square(x, self.corner(x, params), params['size'].long())


@NOISES.register_module()
class BlockPatch(PatchMeasurement):
    """Lose a square: ``y = fill`` inside, ``x`` outside; arguments of :class:`PatchMeasurement`."""

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Fill the squares."""
        return x.masked_fill(self.inside(x, params), self.fill)


@NOISES.register_module()
class KeepPatch(PatchMeasurement):
    """Keep a square: ``y = x`` inside, ``fill`` outside; arguments of :class:`PatchMeasurement`."""

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Fill what is outside the squares."""
        return x.masked_fill(~self.inside(x, params), self.fill)


@NOISES.register_module()
class ExtractPatch(PatchMeasurement):
    """Keep a square without its place: moved to the centre, ``fill`` around it.

    Where the margin is odd, the larger part is at the bottom and right. Arguments:
    :class:`PatchMeasurement`.
    """

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Move the squares, and fill the rest."""
        size, corner = params['size'].long(), self.corner(x, params)
        centre = (torch.tensor(x.shape[-2:], device=x.device).view(1, 2, 1, 1) - size) // 2
        moved = shifted(
            shifted(x, corner[:, :1] - centre[:, :1], -2), corner[:, 1:] - centre[:, 1:], -1
        )
        return moved.masked_fill(~square(x, centre, size), self.fill)


def square(x: Tensor, corner: Tensor, size: Tensor) -> Tensor:
    """Return where squares are, (N, 1, H, W) bool.

    Args:
        x: (N, C, H, W).
        corner: Top and left, (N, 2, 1, 1).
        size: Sides, (N, 1, 1, 1).
    """
    top, left = corner.split(1, dim=1)
    row = torch.arange(x.shape[-2], device=x.device)[:, None]
    column = torch.arange(x.shape[-1], device=x.device)
    rows = (row >= top) & (row < top + size)
    return rows & (column >= left) & (column < left + size)


def shifted(x: Tensor, steps: Tensor, axis: int) -> Tensor:
    """Return ``y(p) = x(p + steps)`` along ``axis``; positions beyond the image repeat its edge."""
    length = x.shape[axis]
    line = torch.arange(length, device=x.device)
    line = line[:, None] if axis == -2 else line
    return x.gather(axis, (line + steps).clamp(0, length - 1).expand_as(x))


@NOISES.register_module()
class KernelBlur(Filter):
    """Blur by a small Gaussian kernel: ``y = fill + k * (x - fill)``, nothing beyond the border.

    ``k(i, j) ~ exp(-(i^2 + j^2) / (2 width^2))`` on size x size taps, of sum 1. The border fades
    to ``fill``; :class:`~noiseedit.noises.blur.GaussianBlur` repeats it.

    Args:
        width: Standard deviation in pixels, > 0, or a range.
        size: Taps of a side, odd.
        fill: What lies beyond the border, in [0, 1].
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If an argument is out of range.
    """

    bounds = (1e-3, float('inf'))
    example: ClassVar[dict[str, Any]] = {'width': (0.8, 1.5)}
    shown = ('size', 'fill')

    def __init__(
        self, width: Number, *, size: int = 5, fill: float = MID_GREY, **kwargs: Any
    ) -> None:
        require(size >= 1 and size % 2 == 1, 'size', 'an odd number >= 1', size)
        require(0 <= fill <= 1, 'fill', 'a number in [0, 1]', fill)
        super().__init__(make_level('width', width), **kwargs)
        self.size, self.fill = size, fill

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Blur every image with its own kernel, along columns and along rows."""
        steps = torch.arange(self.size, device=x.device) - self.size // 2
        width = params['width'].to(x.device, torch.float64).view(-1, 1)
        taps = torch.exp(-(steps**2) / (2 * width**2))
        taps = (taps / taps.sum(1, keepdim=True)).to(x.dtype)
        dark = x - self.fill
        return self.fill + filtered(filtered(dark, taps[:, None, :]), taps[:, :, None])


def filtered(x: Tensor, kernels: Tensor) -> Tensor:
    """Correlate every image with its own kernel; zeros beyond the border, the same size.

    Args:
        x: (N, C, H, W).
        kernels: (N, K, L) with odd K and L, the same for all channels.
    """
    n, channels, height, width = x.shape
    rows, columns = kernels.shape[-2:]
    weight = kernels[:, None].expand(n, channels, rows, columns).reshape(-1, 1, rows, columns)
    y = functional.conv2d(
        x.reshape(1, -1, height, width),
        weight,
        padding=(rows // 2, columns // 2),
        groups=n * channels,
    )
    return y.view(x.shape)
