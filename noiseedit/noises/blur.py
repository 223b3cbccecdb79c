"""Blurs of ImageNet-C: Gaussian, defocus, motion, zoom, glass. Lengths are pixels at any size."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.noises.base import Params
from noiseedit.noises.corruption import Corruption, Filter, drawn_angles, per_image, require
from noiseedit.noises.level import Number, make_level
from noiseedit.noises.random import Generator, integers
from noiseedit.noises.resample import central_zoom, correlate, smooth
from noiseedit.registry import NOISES


@NOISES.register_module()
class GaussianBlur(Filter):
    """Gaussian blur: ``y = G * x``, G of standard deviation ``width``, cut at 4 of them.

    Args:
        width: Standard deviation in pixels, or a range; the border is repeated.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'width': (1, 3)}

    def __init__(self, width: Number, **kwargs: Any) -> None:
        super().__init__(make_level('width', width), **kwargs)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Blur every image at its own width."""
        widths = per_image(params['width'])
        return torch.stack([smooth(image, width) for image, width in zip(x, widths, strict=True)])


@NOISES.register_module()
class DefocusBlur(Filter):
    """Defocus (ImageNet-C): ``y = D * x``, D a disk smoothed by a small Gaussian.

    Published disks of radius 8 and 10 sum to 1.013 and 1.011 (their smoothing mirrors at the edge
    of its grid): the image gets that much brighter. Kept as published.

    Args:
        radius: Of the disk in pixels, or a range; the border is mirrored.
        alias_blur: Standard deviation of the Gaussian over the disk, in pixels; 3 taps up to radius
            8, 5 beyond.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``alias_blur`` is not positive.
    """

    example: ClassVar[dict[str, Any]] = {'radius': (2, 5)}
    shown = ('alias_blur',)

    def __init__(self, radius: Number, *, alias_blur: float = 0.5, **kwargs: Any) -> None:
        require(alias_blur > 0, 'alias_blur', 'a number > 0', alias_blur)
        super().__init__(make_level('radius', radius), **kwargs)
        self.alias_blur = alias_blur

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Blur every image with its own disk."""
        disks = [disk(radius, self.alias_blur) for radius in per_image(params['radius'])]
        pairs = zip(x, disks, strict=True)
        return torch.stack([correlate(image, kernel, 'mirror') for image, kernel in pairs])


def disk(radius: float, alias_blur: float) -> np.ndarray:
    """Return the kernel of :class:`DefocusBlur`, float64, side at least 17."""
    side = max(8, math.floor(radius))
    steps = np.arange(-side, side + 1)
    sharp = (steps[:, None] ** 2 + steps**2 <= radius**2).astype(float)
    reach = 1 if radius <= 8 else 2
    taps = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * alias_blur**2))
    wide = np.pad(sharp / sharp.sum(), reach, mode='reflect')
    windows = np.lib.stride_tricks.sliding_window_view(wide, (len(taps), len(taps)))
    return windows @ taps @ taps / taps.sum() ** 2


@NOISES.register_module()
class MotionBlur(Corruption):
    """Motion blur (ImageNet-C): a mean of shifted images along a line, half a Gaussian of weights.

    ``y(p) = sum_i w_i x(p + i d)``, ``w_i ~ exp(-i^2 / (2 width^2))``, i = 0 ... 2 radius, along
    the direction d of a random angle, shifts rounded to pixels: ImageMagick's definition. The
    border is repeated.

    Args:
        width: Standard deviation of the weights in pixels, or a range.
        radius: Half the number of pixels in the sum (rounded up).
        angle: Degrees between which the angle is uniform; 90 points down.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'width': 8, 'radius': 15}
    shown = ('radius',)

    def __init__(
        self,
        width: Number,
        *,
        radius: float = 15,
        angle: tuple[float, float] = (-45, 45),
        **kwargs: Any,
    ) -> None:
        require(radius >= 0, 'radius', 'a number >= 0', radius)
        super().__init__(make_level('width', width), **kwargs)
        self.radius = radius
        self.angle = angle

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the level, and ``angle`` (n, 1, 1, 1) in degrees."""
        level = super().sample_params(n, generator)
        return {**level, 'angle': drawn_angles(n, self.angle, generator)}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Blur every image along its own line."""
        return motion_blur(x, params['width'], self.radius, params['angle'])


def motion_blur(x: Tensor, widths: Tensor, radius: float, angles: Tensor) -> Tensor:
    """Blur images (N, C, H, W) along lines; see :class:`MotionBlur`.

    Args:
        x: The images.
        widths: (N, 1, 1, 1), pixels.
        radius: Half the number of taps.
        angles: (N, 1, 1, 1), degrees.
    """
    lines = zip(x, per_image(widths), per_image(angles), strict=True)
    return torch.stack(
        [
            correlate(image, line_kernel(width, radius, angle), 'nearest')
            for image, width, angle in lines
        ]
    )


def line_kernel(width: float, radius: float, angle: float) -> np.ndarray:
    """Return the kernel of :class:`MotionBlur`, float64, for an angle in degrees."""
    taps = 2 * math.ceil(radius) + 1
    steps = np.arange(taps)
    weights = np.exp(-(steps**2) / (2 * max(width, 1e-9) ** 2))
    turn = math.radians(angle)
    down, across = (
        np.ceil(steps * part - 0.5).astype(int) for part in (math.sin(turn), math.cos(turn))
    )
    kernel = np.zeros((2 * taps - 1, 2 * taps - 1))
    np.add.at(kernel, (taps - 1 + down, taps - 1 + across), weights / weights.sum())
    return kernel


@NOISES.register_module()
class ZoomBlur(Filter):
    """Zoom blur (ImageNet-C): the mean of ``x`` and of ``steps`` central zooms of it.

    The zooms are bilinear, by factors spaced evenly from 1 to ``zoom``.

    Args:
        zoom: Largest factor, >= 1, or a range.
        steps: How many factors.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``zoom`` is below 1 or ``steps`` below 2.
    """

    bounds = (1, math.inf)
    example: ClassVar[dict[str, Any]] = {'zoom': (1.1, 1.2)}
    shown = ('steps',)

    def __init__(self, zoom: Number, *, steps: int = 11, **kwargs: Any) -> None:
        require(steps >= 2, 'steps', 'an integer >= 2', steps)
        super().__init__(make_level('zoom', zoom), **kwargs)
        self.steps = steps

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Zoom every image by its own factors."""
        zooms = per_image(params['zoom'])
        return torch.cat([self._one(x[k : k + 1], zoom) for k, zoom in enumerate(zooms)])

    def _one(self, x: Tensor, zoom: float) -> Tensor:
        step = round((zoom - 1) / (self.steps - 1), 6)
        total = x
        for factor in np.arange(1, zoom + step / 2, step).tolist() if step else [1.0] * self.steps:
            total = total + central_zoom(x, factor)
        return total / (self.steps + 1)


@NOISES.register_module()
class GlassBlur(Corruption):
    """Glass blur (ImageNet-C): Gaussian blur, pixels copied from near by, Gaussian blur again.

    Every pixel takes, in turn from the last row and column to the first, the colour that its
    neighbour at a random offset in {-shift, ..., shift - 1}^2 has at that moment: the published
    code means to swap the two, but copies. It also rounds to 8 bits after the first blur; here
    nothing is rounded.

    Args:
        width: Standard deviation of both blurs in pixels, or a range.
        shift: Largest offset in pixels.
        iterations: How often all pixels take their turn.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``shift`` or ``iterations`` is below 1.
    """

    example: ClassVar[dict[str, Any]] = {'width': 1, 'shift': 2, 'iterations': 3}
    shown = ('shift', 'iterations')

    def __init__(
        self, width: Number, *, shift: int = 2, iterations: int = 1, **kwargs: Any
    ) -> None:
        require(shift >= 1, 'shift', 'an integer >= 1', shift)
        require(iterations >= 1, 'iterations', 'an integer >= 1', iterations)
        super().__init__(make_level('width', width), **kwargs)
        self.shift = shift
        self.iterations = iterations

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Blur, scatter, blur."""
        widths = per_image(params['width'])
        source = self._sources(x, generator)
        images = []
        for image, width, taken in zip(x, widths, source, strict=True):
            spread = smooth(image, width).flatten(1)[:, taken].reshape(image.shape)
            images.append(smooth(spread, width))
        return torch.stack(images)

    def _sources(self, x: Tensor, generator: Generator) -> Tensor:
        """Return the position that every pixel shows in the end, (N, H W) int64."""
        shape = (len(x), 2, *x.shape[-2:])
        source = scattered(integers(shape, -self.shift, self.shift - 1, generator), self.shift)
        for _ in range(self.iterations - 1):
            again = scattered(integers(shape, -self.shift, self.shift - 1, generator), self.shift)
            source = source.gather(1, again)
        return source.to(x.device)


def scattered(offsets: Tensor, shift: int) -> Tensor:
    """Return where every pixel's colour comes from after one turn of all pixels.

    Pixels closer than ``shift`` to the border (at the top and left: or exactly so close) have no
    turn. A neighbour that comes later in the image has had its turn already: follow it.

    Args:
        offsets: (N, 2, H, W) int64, down and across.
        shift: Largest offset.

    Returns:
        (N, H W) int64, positions in the flattened image.
    """
    height, width = offsets.shape[-2:]
    own = torch.arange(height * width, device=offsets.device).reshape(height, width)
    rows, columns = own // width, own % width
    moves = (rows > shift) & (rows <= height - shift) & (columns > shift)
    moves &= columns <= width - shift
    target = torch.where(moves, own + offsets[:, 0] * width + offsets[:, 1], own).flatten(1)
    later = torch.where(target > own.flatten(), target, own.flatten())  # still to be followed
    while True:
        further = later.gather(1, later)
        if torch.equal(further, later):
            return target.gather(1, later)
        later = further
