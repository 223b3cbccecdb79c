"""Inception-v3 as ported from TensorFlow for FID: three blocks pool differently from torchvision's.

Mean pooling leaves the padding out of the mean; the last block pools by the maximum. Needs
torchvision, therefore imported only by those who build the network.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.inception import (
    BasicConv2d,
    Inception3,
    InceptionA,
    InceptionAux,
    InceptionB,
    InceptionC,
    InceptionD,
    InceptionE,
)

CLASSES = 1008
STAGES = (
    'Conv2d_1a_3x3', 'Conv2d_2a_3x3', 'Conv2d_2b_3x3', 'maxpool1', 'Conv2d_3b_1x1',
    'Conv2d_4a_3x3', 'maxpool2', 'Mixed_5b', 'Mixed_5c', 'Mixed_5d', 'Mixed_6a', 'Mixed_6b',
    'Mixed_6c', 'Mixed_6d', 'Mixed_6e', 'Mixed_7a', 'Mixed_7b', 'Mixed_7c',
)  # fmt: skip


def mean_pool(x: Tensor) -> Tensor:
    """3x3 mean, stride 1; at edges of the pixels that are there."""
    return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


def max_pool(x: Tensor) -> Tensor:
    """3x3 maximum, stride 1."""
    return F.max_pool2d(x, 3, stride=1, padding=1)


class _A(InceptionA):
    def _forward(self, x: Tensor) -> list[Tensor]:
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return [
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3dbl_3(double),
            self.branch_pool(mean_pool(x)),
        ]


class _C(InceptionC):
    def _forward(self, x: Tensor) -> list[Tensor]:
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return [
            self.branch1x1(x),
            self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
            self.branch7x7dbl_5(self.branch7x7dbl_4(double)),
            self.branch_pool(mean_pool(x)),
        ]


class _E(InceptionE):
    pool: Callable[[Tensor], Tensor] = staticmethod(mean_pool)

    def _forward(self, x: Tensor) -> list[Tensor]:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return [
            self.branch1x1(x),
            torch.cat([self.branch3x3_2a(single), self.branch3x3_2b(single)], 1),
            torch.cat([self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)], 1),
            self.branch_pool(self.pool(x)),
        ]


def build_inception() -> nn.Module:
    """Return the network with its classifier (which the weight file holds), untrained."""
    blocks = [BasicConv2d, _A, InceptionB, _C, InceptionD, _E, InceptionAux]
    network = Inception3(
        num_classes=CLASSES, aux_logits=False, inception_blocks=blocks, init_weights=False
    )
    network.Mixed_7c.pool = max_pool
    return network


def pooled(network: nn.Module, x: Tensor) -> Tensor:
    """Return the 2048 means over the last feature map, (N, 2048), of (N, 3, 299, 299) in [-1,1]."""
    for stage in STAGES:
        x = getattr(network, stage)(x)
    return x.mean((2, 3))
