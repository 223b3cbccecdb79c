"""Digital corruptions of ImageNet-C: brightness, contrast, saturation, pixels, elastic warp."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.noises.base import Params
from noiseedit.noises.corruption import Corruption, Filter, per_image, require
from noiseedit.noises.level import Number, make_level
from noiseedit.noises.random import Generator, uniform
from noiseedit.noises.resample import bilinear, box_resize, smooth_reflecting
from noiseedit.registry import NOISES

TINY = 1e-8  # values below are black, or have no colour


@NOISES.register_module()
class Brightness(Filter):
    """Brightness (ImageNet-C): the value V of HSV becomes ``clip(V + shift)``; H and S stay.

    Args:
        shift: In [0, 1] units, or a range.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'shift': (0.1, 0.3)}

    def __init__(self, shift: Number, **kwargs: Any) -> None:
        super().__init__(make_level('shift', shift), **kwargs)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Scale every pixel from its old value to its new one; black becomes grey."""
        value = x.amax(1, keepdim=True)
        brighter = (value + params['shift'].to(x)).clamp(0, 1)
        return torch.where(value > TINY, x * brighter / value.clamp(min=TINY), brighter)


@NOISES.register_module()
class Contrast(Filter):
    """Contrast (ImageNet-C): ``y = factor (x - m) + m``, m the mean of every channel.

    Args:
        factor: 1 leaves the image as it is, 0 leaves its mean; or a range.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'factor': (0.2, 0.4)}

    def __init__(self, factor: Number, **kwargs: Any) -> None:
        super().__init__(make_level('factor', factor), **kwargs)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Pull every value towards the mean of its channel."""
        mean = x.double().mean((2, 3), keepdim=True).to(x)
        return (x - mean) * params['factor'].to(x) + mean


@NOISES.register_module()
class Saturate(Filter):
    """Saturation (ImageNet-C): S of HSV becomes ``clip(factor S + shift)``; H and V stay.

    A grey pixel has hue 0 by convention: with a ``shift`` it turns red, as published. Images of
    other than three channels have no saturation and stay as they are.

    Args:
        factor: 0 makes the image grey; or a range.
        shift: Added to S.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'factor': (2, 4)}
    shown = ('shift',)

    def __init__(self, factor: Number, *, shift: float = 0.0, **kwargs: Any) -> None:
        super().__init__(make_level('factor', factor), **kwargs)
        self.shift = shift

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Scale the distance of every value from the largest of its pixel."""
        if x.shape[1] != 3:
            return x
        value, least = x.amax(1, keepdim=True), x.amin(1, keepdim=True)
        old = (value - least) / value.clamp(min=TINY)
        new = (params['factor'].to(x) * old + self.shift).clamp(0, 1)
        coloured = value - (value - x) * (new / old.clamp(min=TINY))
        red = value * torch.cat([torch.ones_like(new), 1 - new, 1 - new], 1)
        return torch.where(old > TINY, coloured, red)


@NOISES.register_module()
class Pixelate(Filter):
    """Pixelation (ImageNet-C): resize to ``int(factor side)`` by boxes, and back to blocks.

    Both as Pillow's BOX filter does, without rounding to 8 bits in between. Relative to the size of
    the image: the blocks keep their size in pixels.

    Args:
        factor: In (0, 1], or a range.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``factor`` is out of range.
    """

    bounds = (1e-3, 1)
    example: ClassVar[dict[str, Any]] = {'factor': (0.25, 0.5)}

    def __init__(self, factor: Number, **kwargs: Any) -> None:
        super().__init__(make_level('factor', factor), **kwargs)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Resize every image by its own factor."""
        height, width = x.shape[-2:]
        factors = per_image(params['factor'])
        sizes = [(max(1, int(height * f)), max(1, int(width * f))) for f in factors]
        small = [box_resize(image, *size) for image, size in zip(x, sizes, strict=True)]
        return torch.stack([box_resize(image, height, width) for image in small])


@NOISES.register_module()
class ElasticTransform(Corruption):
    """Elastic transform (ImageNet-C): a random affine map, then a smooth random displacement.

    The affine map moves three corners of a square in the middle by up to ``jitter``; mirrored at
    the border. The displacement is uniform noise on [-1, 1], blurred by a Gaussian (cut at 3
    standard deviations), times ``shift``; reflected at the border. Both bilinear.

    All lengths are parts of the shorter side, so that the warp grows with the image. The published
    code has 244 for 224 in its constants: they are kept, relative to 224.

    Args:
        shift: Amplitude of the displacement before its blur, or a range.
        width: Standard deviation of the blur.
        jitter: Largest move of a corner, down and across.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``width`` or ``jitter`` is negative.
    """

    example: ClassVar[dict[str, Any]] = {'shift': 0.08, 'width': 0.011, 'jitter': 0.022}
    shown = ('width', 'jitter')

    def __init__(
        self, shift: Number, *, width: float = 0.01, jitter: float = 0.02, **kwargs: Any
    ) -> None:
        require(width >= 0, 'width', 'a number >= 0', width)
        require(jitter >= 0, 'jitter', 'a number >= 0', jitter)
        super().__init__(make_level('shift', shift), **kwargs)
        self.width = width
        self.jitter = jitter

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Warp every image twice."""
        moves = 2 * uniform((len(x), 3, 2), generator).cpu().double() - 1
        noise = 2 * uniform((len(x), 2, *x.shape[-2:]), generator).cpu().double() - 1
        shifts = per_image(params['shift'])
        images = []
        for image, move, field, shift in zip(x, moves, noise, shifts, strict=True):
            tilted = bilinear(image, self._affine(move.numpy(), *image.shape[-2:]), 'mirror')
            images.append(bilinear(tilted, self._elastic(field.numpy(), shift), 'reflect'))
        return torch.stack(images)

    def _affine(self, move: np.ndarray, height: int, width: int) -> Tensor:
        """Return where every pixel comes from under the affine map, (2, H, W): rows, columns."""
        side = min(height, width)
        reach = side // 3
        corners = np.array([[1, 1], [-1, 1], [-1, -1]]) * reach + (height // 2, width // 2)
        target = corners + move * self.jitter * side
        ones = np.ones((3, 1))
        back = np.linalg.solve(np.hstack([target, ones]), corners)
        rows, columns = np.mgrid[:height, :width]
        parts = [rows * back[0, k] + columns * back[1, k] + back[2, k] for k in range(2)]
        return torch.from_numpy(np.stack(parts))

    def _elastic(self, field: np.ndarray, shift: float) -> Tensor:
        """Return where every pixel comes from under the displacement, like :meth:`_affine`."""
        side = min(field.shape[-2:])
        grid = np.mgrid[: field.shape[-2], : field.shape[-1]]
        moves = [smooth_reflecting(part, self.width * side) for part in field]
        return torch.from_numpy(grid + np.stack(moves) * shift * side)
