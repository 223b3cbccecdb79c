"""JPEG as a differentiable torch operation."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional

from noiseedit.errors import ConfigError
from noiseedit.noises.base import Params, straight_through
from noiseedit.noises.compression import JPEGBase
from noiseedit.noises.level import Number
from noiseedit.noises.random import Generator
from noiseedit.registry import NOISES

# Annex K of ITU-T T.81, row = vertical frequency.
LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
# JFIF: Y, Cb, Cr from R, G, B and back.
TO_YCC = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
FROM_YCC = ((1.0, 0.0, 1.402), (1.0, -0.344136286, -0.714136286), (1.0, 1.772, 0.0))


@NOISES.register_module()
class DifferentiableJPEG(JPEGBase):
    """JPEG in torch operations: colour transform, chroma means, 8x8 DCT, quantiser, and back.

    Any size (edges are repeated up to whole blocks), any device, one quality per image. The result
    is clamped to [0, 1]. Agrees with libjpeg up to its roundings of pixels and coefficients.

    Gradient: that of the pipeline with ``rounding``; the quantiser steps are constants unless
    ``params['quality']`` requires grad, then their floor is straight-through.

    Args:
        quality: See :class:`JPEGBase`.
        rounding: Of the quantised coefficients: ``'hard'`` rounds, straight-through in the
            backward pass; ``'soft'`` is ``round(c) + (c - round(c))^3`` (Shin and Song 2017), which
            loses less than real JPEG.
        upsampling: Of 4:2:0 chroma: ``'triangle'`` as libjpeg does by default, or ``'nearest'``.
        kwargs: ``subsampling``, ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If an option is unknown or ``quality`` out of range.
    """

    example: ClassVar[dict[str, Any]] = {'quality': (5, 20), 'rounding': 'soft'}
    shown = ('subsampling', 'rounding', 'upsampling')

    def __init__(
        self,
        quality: Number,
        *,
        rounding: Literal['hard', 'soft'] = 'hard',
        upsampling: Literal['triangle', 'nearest'] = 'triangle',
        **kwargs: Any,
    ) -> None:
        if rounding not in ('hard', 'soft'):
            raise ConfigError(f"rounding: expected 'hard' or 'soft', got {rounding!r}")
        if upsampling not in ('triangle', 'nearest'):
            raise ConfigError(f"upsampling: expected 'triangle' or 'nearest', got {upsampling!r}")
        super().__init__(quality, **kwargs)
        self.round = hard_round if rounding == 'hard' else soft_round
        self.rounding, self.upsampling = rounding, upsampling
        tables = {'luminance': LUMINANCE, 'chrominance': CHROMINANCE, 'dct': dct_matrix()}
        tables |= {'to_ycc': TO_YCC, 'from_ycc': FROM_YCC}
        for name, table in tables.items():
            self.register_buffer(name, torch.tensor(table, dtype=torch.float32), persistent=False)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Compress and decompress (N, 1 or 3, H, W)."""
        if x.shape[1] not in (1, 3):
            raise ValueError(f'{self.name}: expected 1 or 3 channels, got shape {tuple(x.shape)}')
        height, width = x.shape[-2:]
        image = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        halved = self.subsampling == '4:2:0' and x.shape[1] == 3
        y = pad_to_multiple(image * 255, 16 if halved else 8)
        quality = params['quality'].to(image)
        y = self._grey(y, quality) if x.shape[1] == 1 else self._colour(y, quality, halved)
        return (y[..., :height, :width] / 255).clamp(0, 1).to(x.dtype)

    def _grey(self, y: Tensor, quality: Tensor) -> Tensor:
        return self._blocks(y - 128, self.luminance, quality) + 128

    def _colour(self, rgb: Tensor, quality: Tensor, halved: bool) -> Tensor:
        ycc = _mix_channels(rgb, self.to_ycc)
        chroma = functional.avg_pool2d(ycc[:, 1:], 2) if halved else ycc[:, 1:]
        luma = self._grey(ycc[:, :1], quality)
        chroma = self._blocks(chroma, self.chrominance, quality)
        if halved:
            mode = {'triangle': 'bilinear', 'nearest': 'nearest'}[self.upsampling]
            chroma = functional.interpolate(chroma, scale_factor=2, mode=mode)
        return _mix_channels(torch.cat([luma, chroma], 1), self.from_ycc)

    def _blocks(self, x: Tensor, table: Tensor, quality: Tensor) -> Tensor:
        """Quantise the 8x8 DCT of (N, C, H, W): two small matrix products each way, no copies."""
        n, channels, height, width = x.shape
        dct = self.dct.to(x)
        steps = quantiser(table.to(x), quality).repeat(1, 1, 1, width // 8)[:, :, None]
        rows = dct @ x.reshape(n, channels, height // 8, 8, width)
        coefficients = (rows.reshape(-1, 8) @ dct.T).view_as(rows)
        coefficients = self.round(coefficients / steps) * steps
        columns = (coefficients.reshape(-1, 8) @ dct).view_as(rows)
        return (dct.T @ columns).reshape(x.shape)


def dct_matrix() -> list[list[float]]:
    """Return the orthonormal 8-point DCT-II, row = frequency."""
    scale = [math.sqrt(1 / 8)] + [0.5] * 7
    return [
        [scale[u] * math.cos((2 * t + 1) * u * math.pi / 16) for t in range(8)] for u in range(8)
    ]


def quantiser(table: Tensor, quality: Tensor) -> Tensor:
    """Return libjpeg's quantiser steps ``clip(floor((table * s + 50) / 100), 1, 255)``.

    ``s = floor(5000 / quality)`` below 50, else ``200 - 2 * quality``.

    Args:
        table: (8, 8) for quality 50.
        quality: (N, 1, 1, 1) in [1, 100].

    Returns:
        (N, 1, 8, 8).
    """
    scale = torch.where(quality < 50, _floor(5000 / quality), 200 - 2 * quality)
    return _floor((table * scale + 50) / 100).clamp(1, 255)


def _floor(x: Tensor) -> Tensor:
    return straight_through(x.detach().floor(), x) if x.requires_grad else x.floor()


def hard_round(x: Tensor) -> Tensor:
    """Round half to even; backward as the identity."""
    return straight_through(x.detach().round(), x) if x.requires_grad else x.round()


def soft_round(x: Tensor) -> Tensor:
    """Return ``round(x) + (x - round(x))^3``."""
    nearest = x.detach().round()
    return nearest + (x - nearest) ** 3


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column of (N, C, H, W) until both sides divide by ``multiple``."""
    bottom, right = (-x.shape[-2] % multiple, -x.shape[-1] % multiple)
    return functional.pad(x, (0, right, 0, bottom), mode='replicate') if bottom or right else x


def _mix_channels(x: Tensor, matrix: Tensor) -> Tensor:
    """Multiply the channels of (N, 3, H, W) by a 3x3 matrix."""
    return (matrix.to(x) @ x.flatten(2)).view(x.shape)
