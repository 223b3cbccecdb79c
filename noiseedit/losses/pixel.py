"""Pixel losses: how far a prediction is from its target; pure functions and registered classes.

Both arguments are (N, C, H, W) in the network's range; broadcasting is refused.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from noiseedit.registry import LOSSES

Reduction = Literal['mean', 'half_sum']


def l1(pred: Tensor, target: Tensor) -> Tensor:
    """Return mean |pred - target|."""
    return functional.l1_loss(pred, _same_shape(pred, target))


def mse(pred: Tensor, target: Tensor, reduction: Reduction = 'mean') -> Tensor:
    """Return the mean squared error, or DnCNN's loss.

    Args:
        pred: (N, ...).
        target: Likewise.
        reduction: 'mean' over everything, or 'half_sum': 1 / (2N) times the sum of the squared
            errors, N the batch size (Zhang et al. 2017, equation 1).
    """
    if reduction == 'mean':
        return functional.mse_loss(pred, _same_shape(pred, target))
    if reduction == 'half_sum':
        total = functional.mse_loss(pred, _same_shape(pred, target), reduction='sum')
        return total / (2 * len(pred))
    raise ValueError(f"reduction: expected 'mean' or 'half_sum', got {reduction!r}")


def charbonnier(pred: Tensor, target: Tensor, eps: float = 1e-3) -> Tensor:
    """Return mean sqrt((pred - target)^2 + eps^2): an L1 that is smooth at zero."""
    difference = pred - _same_shape(pred, target)
    return (difference.square() + eps**2).sqrt().mean()


def _same_shape(pred: Tensor, target: Tensor) -> Tensor:
    if pred.shape != target.shape:
        raise ValueError(
            f'pixel loss: prediction {tuple(pred.shape)} and target {tuple(target.shape)} differ '
            'in shape; check out_channels of the network and the crops of the pipeline'
        )
    return target


class PixelLoss(nn.Module):
    """Base: ``weight * function(pred, target)`` in float32.

    Args:
        weight: Factor of the loss.
    """

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss."""
        return self.weight * self.function(pred.float(), target.float())

    def function(self, pred: Tensor, target: Tensor) -> Tensor:
        """Formula of the loss, without weight."""
        raise NotImplementedError(f'{type(self).__name__} must implement function')

    def extra_repr(self) -> str:
        """Show the weight."""
        return f'weight={self.weight}'


@LOSSES.register_module()
class L1Loss(PixelLoss):
    """See :func:`l1`."""

    def function(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return :func:`l1`."""
        return l1(pred, target)


@LOSSES.register_module()
class MSELoss(PixelLoss):
    """See :func:`mse`.

    Args:
        weight: Factor of the loss.
        reduction: 'mean' or 'half_sum'.
    """

    def __init__(self, weight: float = 1.0, reduction: Reduction = 'mean') -> None:
        super().__init__(weight)
        self.reduction: Reduction = reduction

    def function(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return :func:`mse`."""
        return mse(pred, target, self.reduction)


@LOSSES.register_module()
class CharbonnierLoss(PixelLoss):
    """See :func:`charbonnier`.

    Args:
        weight: Factor of the loss.
        eps: Where the loss bends from quadratic to linear, in the network's range.
    """

    def __init__(self, weight: float = 1.0, eps: float = 1e-3) -> None:
        super().__init__(weight)
        self.eps = eps

    def function(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return :func:`charbonnier`."""
        return charbonnier(pred, target, self.eps)
