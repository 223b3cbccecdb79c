"""Features that set metrics compare: Inception-v3 of FID, and a small random network.

A feature network of your own is a module of the registry MODELS: (N, 3, H, W) float32 in [0, 1] to
(N, d), with the attributes ``label`` (text for the metric's name) and ``standard`` (whether results
may be called FID and KID).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from noiseedit.errors import CheckpointError, ConfigError, DataError
from noiseedit.evaluation.metrics.recent import RecentVectors
from noiseedit.evaluation.metrics.set_metric import SetMetric
from noiseedit.evaluation.profiles import Array
from noiseedit.evaluation.records import weights_hash
from noiseedit.losses.perceptual import find_weights
from noiseedit.registry import MODELS

INCEPTION_FILE = 'pt_inception-2015-12-05-6726825d.pth'
INCEPTION_SIDE = 299
ADVICE = (
    f'Get {INCEPTION_FILE} (the releases of pytorch-fid) and put it there or name its path: '
    "features=dict(type='FIDInception', weights=FILE). Nothing is downloaded; without the file, "
    "features=dict(type='RandomFeatures') compares random features under another name"
)
RECENT = RecentVectors()


@MODELS.register_module()
class FIDInception(nn.Module):
    """Inception-v3 with the weights of FID, 2048 means over the last map (Heusel et al. 2017).

    Images are resized to 299x299 (bilinear, corners not aligned, not antialiased) and mapped to
    [-1,1], as pytorch-fid does.

    Args:
        weights: File, or its name in torch's hub cache; None: random weights of the same shape,
            seed 0, for tests (results are then not called FID).

    Raises:
        MissingWeightsError: If the file is not there.
        CheckpointError: If it holds other weights.
    """

    def __init__(self, weights: str | None = INCEPTION_FILE) -> None:
        super().__init__()
        from noiseedit.evaluation.metrics import inception_fid

        file = None if weights is None else find_weights(weights, 'FIDInception', ADVICE)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)  # torch.manual_seed would reach other devices
            self.network = inception_fid.build_inception()
        self.standard = file is not None
        self.label = f'inception{"" if self.standard else "-random"},bilinear{INCEPTION_SIDE}'
        self._pooled = inception_fid.pooled
        if file is not None:
            try:
                state = torch.load(file, map_location='cpu', weights_only=True)
                self.network.load_state_dict(state, strict=True)
            except Exception as error:
                raise CheckpointError(f'{file}: not the Inception of FID: {error}') from error
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 2048) of (N, 3, H, W) in [0, 1]."""
        size = (INCEPTION_SIDE, INCEPTION_SIDE)
        resized = F.interpolate(images, size, mode='bilinear', align_corners=False)
        return self._pooled(self.network, resized * 2 - 1)


@MODELS.register_module()
class RandomFeatures(nn.Module):
    """Three strided 3x3 convolutions of random weights, means and deviations of the last map.

    For tests and small studies without weights: such distances order strong differences of a set,
    but no published number is comparable.

    Args:
        channels: Of the last map; ``2 * channels`` features.
        seed: Of the weights.
    """

    def __init__(self, channels: int = 32, seed: int = 0) -> None:
        super().__init__()
        self.label, self.standard = f'random{2 * channels},seed={seed}', False
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would reach devices
            widths = (3, channels // 4 or 1, channels // 2 or 1, channels)
            self.layers = nn.ModuleList(
                nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths)
            )
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 2 channels) of (N, 3, H, W) in [0, 1]."""
        x = images * 2 - 1
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return torch.cat([x.mean((2, 3)), x.std((2, 3), correction=0)], 1)


class FeatureMetric(SetMetric):
    """A set metric of features; images are rounded to 8 bits first, grey ones repeated.

    Args:
        features: A module of MODELS, or its config.
        device: Where the network runs; None: where the images are.
        batch_size: Images that pass the network at once.

    Raises:
        ConfigError: If ``features`` builds no module.
    """

    standard_name = ''
    other_name = ''

    def __init__(
        self,
        features: nn.Module | Mapping[str, Any] | None = None,
        device: str | None = None,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        given = {'type': 'FIDInception'} if features is None else features
        self.features = given if isinstance(given, nn.Module) else MODELS.build(dict(given))
        if not isinstance(self.features, nn.Module):
            raise ConfigError(f'features: expected a torch module, got {type(self.features)}')
        self.features.eval()
        self.device, self.batch_size = device, batch_size
        label = getattr(self.features, 'label', type(self.features).__name__)
        standard = getattr(self.features, 'standard', False)
        self.name = f'{self.standard_name if standard else self.other_name}({label}{self.suffix()})'

    def suffix(self) -> str:
        """Return what the name says beside the features."""
        return ''

    @cached_property
    def vector_kind(self) -> str:  # type: ignore[override]
        """What the vectors are: the network and a hash of its weights."""
        label = getattr(self.features, 'label', type(self.features).__name__)
        return f'{label}|{weights_hash(self.features.state_dict())}'

    def vectors(self, images: Sequence[Tensor]) -> Array:
        """Return (n, d) float32; metrics of the same network share what it made of a batch."""
        found = RECENT.find(self.vector_kind, images)
        if found is None:
            found = self._run(images)
            RECENT.add(self.vector_kind, images, found)
        return found

    def evaluate(self, size: int) -> dict[str, float]:
        """Return the values, see :class:`SetMetric`."""
        RECENT.clear()
        return super().evaluate(size)

    @torch.no_grad()
    def _run(self, images: Sequence[Tensor]) -> Array:
        ready = [_eight_bits(image, self.name) for image in images]
        found: list[Array | None] = [None] * len(ready)
        for where in _batches(ready, self.batch_size):
            batch = torch.stack([ready[i] for i in where])
            device = self.device or batch.device
            rows = self.features.to(device)(batch.to(device)).float().cpu().numpy()
            for index, row in zip(where, rows, strict=True):
                found[index] = row
        return np.stack(found)  # type: ignore[arg-type]


def _eight_bits(image: Tensor, owner: str) -> Tensor:
    if len(image) not in (1, 3):
        raise DataError(f'{owner}: expected images of 1 or 3 channels, got {tuple(image.shape)}')
    return (image.float().clamp(0, 1) * 255).round().div(255).expand(3, -1, -1)


def _batches(images: Sequence[Tensor], size: int) -> list[list[int]]:
    """Return positions of images of one size and device, at most ``size`` together."""
    groups: dict[Any, list[int]] = {}
    for index, image in enumerate(images):
        groups.setdefault((image.shape, image.device), []).append(index)
    return [group[i : i + size] for group in groups.values() for i in range(0, len(group), size)]
