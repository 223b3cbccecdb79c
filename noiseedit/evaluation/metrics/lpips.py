"""Learned perceptual distance (Zhang et al., CVPR 2018), through torchmetrics; never downloads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from noiseedit.errors import CheckpointError, ConfigError, DataError, MissingExtraError
from noiseedit.evaluation.metrics.base import ImageMetric
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample

Backbone = Literal['alex', 'squeeze', 'vgg']

# torchvision's name of each backbone, and the attribute with the address of its weights.
BACKBONES: dict[str, tuple[str, str]] = {
    'alex': ('alexnet', 'AlexNet_Weights'),
    'squeeze': ('squeezenet1_1', 'SqueezeNet1_1_Weights'),
    'vgg': ('vgg16', 'VGG16_Weights'),
}


@METRICS.register_module()
class LPIPS(ImageMetric):
    """LPIPS per image on unrounded RGB clamped to [0, 1]; lower is better.

    Needs the extra ``metrics``. The linear layers come with torchmetrics; the weights of the
    backbone are read from a file or torch's hub cache. Several threads may score at once.

    Args:
        net: ``'alex'``, ``'squeeze'`` or ``'vgg'``.
        weights: File of the backbone in torchvision's format; ``None``: the file that torchvision
            keeps in the hub cache; ``'random'``: untrained weights, seeded, for tests only (the
            name of the metric says so).
        device: Where to compute.

    Raises:
        MissingExtraError: If torchmetrics is not installed.
        CheckpointError: If the weights are missing or do not fit; says where to get them.
    """

    higher_is_better = False

    def __init__(
        self, net: Backbone = 'alex', weights: str | Path | None = None, device: str = 'cpu'
    ) -> None:
        super().__init__()
        if net not in BACKBONES:
            raise ConfigError(f'net: expected one of {", ".join(BACKBONES)}, got {net!r}')
        self.name = f'LPIPS({net}{",random" if weights == "random" else ""})'
        self.device = torch.device(device)
        file = None if weights == 'random' else _weight_file(net, weights)
        self.network = _network(net, file).to(self.device)

    @torch.no_grad()
    def score(self, sample: EditSample) -> float:
        """Return the distance of ``pred`` and ``gt``; NaN if ``pred`` is not finite."""
        pred, target = (self._prepare(sample.get(name), name) for name in ('pred', 'gt'))
        if not bool(pred.isfinite().all()):
            return float('nan')
        return float(self.network(pred.clamp(0, 1), target.clamp(0, 1), normalize=True))

    def _prepare(self, image: Tensor | None, name: str) -> Tensor:
        if image is None or image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
            got = None if image is None else (*image.shape, image.dtype)
            raise DataError(f'{self.name}: expected {name} as (3, H, W) float in [0, 1], got {got}')
        return image.detach().to(self.device, torch.float32)[None]


def _network(net: Backbone, file: Path | None) -> nn.Module:
    try:
        from torchmetrics.functional.image.lpips import _LPIPS
    except ImportError as error:
        raise MissingExtraError(
            "LPIPS needs torchmetrics: pip install 'noiseedit[metrics]'"
        ) from error
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would reach other devices
        network: nn.Module = _LPIPS(net=net, pnet_rand=True)
    if file is not None:
        _load_backbone(network, net, file)
    return network.eval()


def _weight_file(net: Backbone, weights: str | Path | None) -> Path:
    import torchvision

    name, table = BACKBONES[net]
    address = getattr(torchvision.models, table).DEFAULT.url
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / Path(address).name
    file = cached if weights is None else Path(weights)
    if not file.is_file():
        raise CheckpointError(
            f'LPIPS({net}): weights of {name} not found at {file}. Nothing is downloaded; fetch '
            f"{address} to that place, or name the file: dict(type='LPIPS', net={net!r}, "
            "weights=FILE). weights='random' runs without, for tests"
        )
    return file


def _load_backbone(network: nn.Module, net: Backbone, file: Path) -> None:
    """Copy torchvision's ``features.<i>`` to the slices, which keep the number ``<i>``."""
    try:
        state: dict[str, Any] = torch.load(file, map_location='cpu', weights_only=True)
        backbone: nn.Module = network.net  # type: ignore[assignment]
        own = backbone.state_dict()
        found = {key: state[re.sub(r'^slices?\.?\d+\.', 'features.', key)] for key in own}
        backbone.load_state_dict(found)
    except Exception as error:
        raise CheckpointError(
            f'LPIPS({net}): {file} is no weight file of {BACKBONES[net][0]}: {error!r}'
        ) from error
