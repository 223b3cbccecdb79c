"""A convolution next to a change of size by two, as one operation.

Both rewrites are exact: same weights, same values but for rounding, gradients of any order. A mean
over 2x2 pixels of what a 3x3 kernel gives is one 4x4 kernel (the mean of its four shifted copies)
at every second pixel: 16 products per result for four times 9. Enlarging by repeated pixels is the
transpose of that mean. A 1x1 kernel commutes with both and runs at the smaller size.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def mean_pool(x: Tensor) -> Tensor:
    """Return the means of 2x2 pixels: (N, C, H, W) -> (N, C, H/2, W/2)."""
    return functional.avg_pool2d(x, 2)


def enlarge(x: Tensor) -> Tensor:
    """Return every pixel four times: (N, C, H, W) -> (N, C, 2H, 2W)."""
    return functional.interpolate(x, scale_factor=2, mode='nearest')


def conv_then_pool(conv: nn.Conv2d, x: Tensor, *, folded: bool) -> Tensor:
    """Return ``mean_pool(conv(x))``.

    Args:
        conv: A convolution of 3x3 (padding 1) or 1x1.
        x: (N, C, H, W), sides even.
        folded: Compute it as one operation.
    """
    if not folded:
        return mean_pool(conv(x))
    if conv.kernel_size == (1, 1):
        return conv(mean_pool(x))
    return functional.conv2d(x, _shifted(conv.weight) / 4, conv.bias, stride=2, padding=1)


def enlarge_then_conv(conv: nn.Conv2d, x: Tensor, *, folded: bool) -> Tensor:
    """Return ``conv(enlarge(x))``.

    Args:
        conv: A convolution of 3x3 (padding 1) or 1x1.
        x: (N, C, H, W).
        folded: Compute it as one operation.
    """
    if not folded:
        return conv(enlarge(x))
    if conv.kernel_size == (1, 1):
        return enlarge(conv(x))
    kernel = _shifted(conv.weight.flip(2, 3)).transpose(0, 1)
    return functional.conv_transpose2d(x, kernel, conv.bias, stride=2, padding=1)


def _shifted(weight: Tensor) -> Tensor:
    """Return the sum of the four copies of a 3x3 kernel inside a 4x4 one."""
    return functional.avg_pool2d(weight, 2, stride=1, padding=1, divisor_override=1)
