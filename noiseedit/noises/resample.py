"""Where blurred, zoomed and warped images take their values: borders, filters, interpolation.

All functions are linear in the image and differentiable by autograd.
"""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

Border: TypeAlias = Literal['nearest', 'mirror', 'reflect']


def fold(index: Tensor, length: int, border: Border) -> Tensor:
    """Return where positions beyond the image lie inside {0, ..., length - 1}.

    Args:
        index: Whole positions, int64.
        length: Number of pixels.
        border: ``'nearest'`` repeats the outermost pixel (a a | a b c), ``'mirror'`` turns at its
            centre (c b | a b c), ``'reflect'`` at its edge (b a | a b c).
    """
    if border == 'nearest' or length == 1:
        return index.clamp(0, length - 1)
    period, last = (2 * length, 2 * length - 1) if border == 'reflect' else (2 * length - 2,) * 2
    index = index.remainder(period)
    return torch.minimum(index, last - index)


def padded(x: Tensor, rows: int, columns: int, border: Border) -> Tensor:
    """Return ``x`` (..., H, W) with so many rows and columns more on every side."""
    height, width = x.shape[-2:]
    down = fold(torch.arange(-rows, height + rows, device=x.device), height, border)
    across = fold(torch.arange(-columns, width + columns, device=x.device), width, border)
    return x.index_select(-2, down).index_select(-1, across).contiguous()


def correlate(x: Tensor, kernel: np.ndarray, border: Border) -> Tensor:
    """Return ``y(p) = sum_q kernel(q) x(p + q)``, by FFT.

    Args:
        x: (..., H, W); half precision is computed in float32.
        kernel: 2-D with odd sides; q = 0 is its centre.
        border: See :func:`fold`.
    """
    full = x if x.dtype in (torch.float32, torch.float64) else x.float()
    wide = padded(full, kernel.shape[0] // 2, kernel.shape[1] // 2, border)
    size = wide.shape[-2:]
    spectrum = torch.fft.rfft2(torch.from_numpy(kernel).to(wide), s=size).conj()
    y = torch.fft.irfft2(torch.fft.rfft2(wide) * spectrum, s=size)
    return y[..., : x.shape[-2], : x.shape[-1]].to(x.dtype)


def gaussian_kernel(width: float, truncate: float = 4.0) -> np.ndarray:
    """Return the taps ``exp(-k^2 / (2 width^2))``, |k| <= round(truncate * width), of sum 1.

    The same as in SciPy and scikit-image; ``width`` 0 is the single tap 1.
    """
    reach = int(truncate * width + 0.5)
    steps = np.arange(-reach, reach + 1) / max(width, 1e-9)
    taps = np.exp(-(steps**2) / 2)
    return taps / taps.sum()


def smooth(x: Tensor, width: float) -> Tensor:
    """Blur by a Gaussian of standard deviation ``width`` pixels, cut at 4; border repeated."""
    taps = gaussian_kernel(width)
    return correlate(x, np.outer(taps, taps), 'nearest')


def smooth_reflecting(field: np.ndarray, width: float, truncate: float = 3.0) -> np.ndarray:
    """Blur a float64 field (H, W) by a Gaussian of any width, ``'reflect'`` at the border.

    A symmetric kernel with this border multiplies the DCT: as fast for 1000 pixels as for one.
    """
    from scipy import fft

    taps = gaussian_kernel(width, truncate)
    gains = [_dct_gain(taps, length) for length in field.shape]
    return fft.idctn(fft.dctn(field, type=2) * np.outer(*gains), type=2)


def _dct_gain(taps: np.ndarray, length: int) -> np.ndarray:
    """Return the factor of every DCT-II coefficient under a symmetric kernel."""
    reach = len(taps) // 2
    folded = np.zeros(2 * length)
    np.add.at(folded, np.arange(-reach, reach + 1) % (2 * length), taps)
    return np.fft.rfft(folded).real[:length]


def central_zoom(x: Tensor, zoom: float) -> Tensor:
    """Enlarge the middle of (N, C, H, W) to the full size, bilinear, corner pixel on corner pixel.

    The middle is ceil(side / zoom) pixels wide; what is enlarged too far is cut off evenly.
    """
    sides = x.shape[-2:]
    inner = [math.ceil(side / zoom) for side in sides]
    outer = [round(length * zoom) for length in inner]
    middle = _middle(x, inner).contiguous()
    return _middle(
        functional.interpolate(middle, size=outer, mode='bilinear', align_corners=True), sides
    )


def _middle(x: Tensor, sides: list[int] | torch.Size) -> Tensor:
    top, left = ((length - side) // 2 for length, side in zip(x.shape[-2:], sides, strict=True))
    return x[..., top : top + sides[0], left : left + sides[1]]


def box_resize(x: Tensor, height: int, width: int) -> Tensor:
    """Resize (..., H, W) as Pillow's BOX does, without its rounding to 8 bits."""
    return _box_axis(_box_axis(x, width, -1), height, -2)


def _box_axis(x: Tensor, length: int, axis: int) -> Tensor:
    """Average the pixels whose centres lie under each new pixel, along one axis."""
    old = x.shape[axis]
    scale = old / length
    reach = max(scale, 1) / 2
    centres = (np.arange(length) + 0.5) * scale
    taps = np.arange(int(2 * reach) + 2)
    index = np.maximum((centres - reach + 0.5).astype(int), 0)[:, None] + taps
    offset = (index + 0.5 - centres[:, None]) / (2 * reach)
    weights = ((offset > -0.5) & (offset <= 0.5) & (index < old)).astype(float)
    weights /= weights.sum(1, keepdims=True)
    shape = (-1, 1) if axis == -2 else (-1,)
    index = torch.from_numpy(index.clip(max=old - 1)).to(x.device)
    parts = torch.from_numpy(weights).to(x)
    return sum(
        (x.index_select(axis, index[:, t]) * parts[:, t].reshape(shape) for t in range(len(taps))),
        torch.zeros((), dtype=x.dtype, device=x.device),
    )


def bilinear(image: Tensor, positions: Tensor, border: Border) -> Tensor:
    """Interpolate ``image`` (C, H, W) at real ``positions`` (2, H', W'): rows and columns."""
    height, width = image.shape[-2:]
    rows, columns = positions.to(image.device)
    top, left = rows.floor(), columns.floor()
    down, across = (rows - top).to(image), (columns - left).to(image)
    above, below = (fold(top.long() + step, height, border) for step in (0, 1))
    before, after = (fold(left.long() + step, width, border) for step in (0, 1))
    upper = torch.lerp(image[:, above, before], image[:, above, after], across)
    lower = torch.lerp(image[:, below, before], image[:, below, after], across)
    return torch.lerp(upper, lower, down)
