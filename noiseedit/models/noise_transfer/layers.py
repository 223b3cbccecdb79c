"""Pieces of both networks of NoiseTransfer: pre-activated convolutions, layers with a condition.

All weights are spectrally normalised and none has a bias. Their names in a state dict are those of
torch's older ``spectral_norm`` (``weight_orig``, ``weight_u``, ``weight_v``), as in released files.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import spectral_norm

CONDITION = 128  # numbers that describe a noise
SLOPE = 0.01  # of every leaky ReLU
ITERATIONS = 5  # that bring the singular vectors of initial weights near
HALVES = 4  # a kernel of this side halves the image, or doubles it when transposed


def spectral(module: nn.Module) -> nn.Module:
    """Divide the weight by its largest singular value: one power iteration per training step.

    Deviation: a few iterations are done at once. The release starts from random singular vectors,
    with which an untrained network in evaluation mode returns anything, also NaN.
    """
    spectral_norm(module)
    weight, u, v = module.weight_orig, module.weight_u, module.weight_v
    transposed = isinstance(module, nn.ConvTranspose2d)
    with torch.no_grad():
        matrix = (weight.transpose(0, 1) if transposed else weight).flatten(1)
        for _ in range(0 if weight.is_meta else ITERATIONS):
            v.copy_(functional.normalize(matrix.T @ u, dim=0, eps=1e-12))
            u.copy_(functional.normalize(matrix @ v, dim=0, eps=1e-12))
    return module


class _Conv2d(nn.Conv2d):
    """A convolution without bias, which for images of one pixel is a matrix product."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the convolution; conditions, (N, C, 1, 1), take the faster way."""
        if x.shape[2:] != (1, 1) or self.kernel_size != (1, 1):
            return super().forward(x)
        return functional.linear(x.flatten(1), self.weight.flatten(1))[:, :, None, None]


class Conv(nn.Module):
    """Norm, activation, then convolution: ``conv2d(lrelu(norm(x)))``.

    Args:
        before: Input channels.
        after: Output channels.
        size: Side of the kernel: 1, 3, or 4, which halves the image.
        active: Whether a leaky ReLU comes before the convolution.
        norm: Whether an affine instance norm comes before that.
    """

    def __init__(
        self, before: int, after: int, size: int = 3, *, active: bool = False, norm: bool = False
    ) -> None:
        super().__init__()
        self.active = active
        self.norm = nn.InstanceNorm2d(before, affine=True) if norm else None
        stride = 2 if size == HALVES else 1
        conv = _Conv2d(before, after, size, stride, (size - 1) // 2, bias=False)
        self.conv2d = spectral(conv)

    def forward(self, x: Tensor) -> Tensor:
        """Return conv2d(lrelu(norm(x))), without the parts that are not there."""
        x = x if self.norm is None else self.norm(x)
        return self.conv2d(functional.leaky_relu(x, SLOPE) if self.active else x)


class Up(nn.Module):
    """Double the image by a transposed convolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.tconv2d = spectral(nn.ConvTranspose2d(before, after, HALVES, 2, padding=1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, after, 2H, 2W)."""
        return self.tconv2d(x)


class Linear(nn.Module):
    """Activation, then a linear map: ``linear(lrelu(x))``."""

    def __init__(self, before: int, after: int, *, active: bool = False) -> None:
        super().__init__()
        self.active = active
        self.linear = spectral(nn.Linear(before, after, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, after)."""
        return self.linear(functional.leaky_relu(x, SLOPE) if self.active else x)


def from_condition(channels: int, extra: int = 0) -> nn.ModuleList:
    """Return two 1x1 convolutions from a condition, and ``extra`` maps, to ``channels``."""
    hidden = (CONDITION + channels) // 4
    return nn.ModuleList(
        [Conv(CONDITION + extra, hidden, 1), Conv(hidden, channels, 1, active=True)]
    )


def as_image(condition: Tensor) -> Tensor:
    """Return a condition (N, 128) as an image of one pixel.

    Raises:
        ValueError: If it has another shape.
    """
    if condition.ndim != 2 or condition.shape[1] != CONDITION:
        raise ValueError(
            f'condition: expected (N, {CONDITION}), the embedding of reference images, '
            f'got {tuple(condition.shape)}'
        )
    return condition[:, :, None, None]
