"""Perceptual loss: distance between VGG-19 features (Johnson, Alahi, Fei-Fei, ECCV 2016)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from noiseedit.errors import CheckpointError, MissingWeightsError
from noiseedit.losses.pixel import l1
from noiseedit.registry import LOSSES

VGG19_FILE = 'vgg19-dcbb9e9d.pth'
VGG19_ADVICE = (
    f'Get {VGG19_FILE} (torchvision, VGG19_Weights.IMAGENET1K_V1) and put it there or name '
    'its path as weights=...; weights=None runs with random features (no published result)'
)
VGG19_BLOCKS = (2, 2, 4, 4, 4)  # convolutions per block; a pooling ends each block
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def vgg19_index(layer: str) -> int:
    """Return the position of a layer such as 'relu3_1' or 'conv5_4' in torchvision's VGG-19.

    Raises:
        ValueError: If VGG-19 has no such layer.
    """
    names = [
        name
        for block, count in enumerate(VGG19_BLOCKS, 1)
        for name in (
            *(f'{kind}{block}_{i}' for i in range(1, count + 1) for kind in ('conv', 'relu')),
            f'pool{block}',
        )
    ]
    if layer not in names:
        raise ValueError(f'PerceptualLoss: expected a layer such as relu3_1, got {layer!r}')
    return names.index(layer)


def vgg19_features(depth: int, weights: str | None) -> nn.Sequential:
    """Return the first ``depth`` layers of VGG-19, frozen, in evaluation mode.

    Args:
        depth: How many layers.
        weights: A file, or its name in torch's hub cache; None: random weights, seed 0.

    Raises:
        MissingWeightsError: If the file is not there.
        CheckpointError: If it does not hold VGG-19's weights.
    """
    from torchvision.models.vgg import cfgs, make_layers

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would reach other devices
        features = make_layers(cfgs['E'])
    if weights is not None:
        _load(features, find_weights(weights))
    for module in features:
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return features[:depth].eval().requires_grad_(requires_grad=False)


def find_weights(weights: str, owner: str = 'PerceptualLoss', advice: str = VGG19_ADVICE) -> Path:
    """Return the file ``weights``: a path, or a name in torch's hub cache.

    Args:
        weights: Path or name.
        owner: Who wants it, for the error.
        advice: Where to get it and how to do without, for the error.

    Raises:
        MissingWeightsError: If it is in neither place; says where to get it.
    """
    cached = Path(torch.hub.get_dir()) / 'checkpoints' / weights
    for file in (Path(weights).expanduser(), cached):
        if file.is_file():
            return file
    raise MissingWeightsError(
        f'{owner}: the weights {weights!r} are neither a file nor in {cached.parent}. {advice}'
    )


def _load(features: nn.Sequential, file: Path) -> None:
    state = torch.load(file, map_location='cpu', weights_only=True)
    prefix = 'features.'
    ours = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
    try:
        features.load_state_dict(ours, strict=True)
    except RuntimeError as error:
        raise CheckpointError(f'{file}: not the weights of torchvision VGG-19: {error}') from None


@LOSSES.register_module()
class PerceptualLoss(nn.Module):
    """Weighted sum over layers of mean |VGG(pred) - VGG(target)|.

    VGG-19 is no submodule: it is not saved, not averaged, not wrapped, and follows the images to
    their device. It is read when the first loss is computed: a trained model needs no such file.

    Args:
        layers: Layer name -> weight, e.g. ``{'relu3_1': 1.0}``.
        weight: Factor of the sum.
        weights: File of torchvision's VGG-19 weights, or its name in torch's hub cache; None:
            random weights, for tests.
        value_range: Range of the images.
        vgg_norm: Convert the images to ImageNet's mean and deviation, which VGG-19 was trained
            with. False: to [-1, 1], as the released code of SPADE has it.

    Shape:
        pred, target: (N, 3, H, W), or (N, 1, H, W) that is repeated to three channels.

    Raises:
        MissingWeightsError: When called, if the weights are not there; nothing is downloaded.
    """

    def __init__(
        self,
        layers: Mapping[str, float],
        weight: float = 1.0,
        weights: str | None = VGG19_FILE,
        value_range: Literal['[0,1]', '[-1,1]'] = '[-1,1]',
        vgg_norm: bool = True,
    ) -> None:
        super().__init__()
        self.weight = weight
        self.layers = {vgg19_index(name): factor for name, factor in layers.items()}
        self.scale, self.shift = (0.5, 0.5) if value_range == '[-1,1]' else (1.0, 0.0)
        self.weights, self.vgg_norm = weights, vgg_norm
        self._network: tuple[nn.Sequential, ...] = ()  # a tuple hides it

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return the weighted loss; gradients reach ``pred`` alone."""
        network = self.network.to(pred.device)
        with torch.no_grad():
            wanted = self._features(network, target)
        found = self._features(network, pred)
        losses = [self.layers[i] * l1(found[i].float(), wanted[i].float()) for i in wanted]
        return self.weight * torch.stack(losses).sum()

    @property
    def network(self) -> nn.Sequential:
        """The layers of VGG-19 that are needed; read on first use."""
        if not self._network:
            self._network = (vgg19_features(max(self.layers) + 1, self.weights),)
        return self._network[0]

    def _features(self, network: nn.Sequential, image: Tensor) -> dict[int, Tensor]:
        x = self._normalise(image)
        found = {}
        for index, layer in enumerate(network):
            x = layer(x)
            if index in self.layers:
                found[index] = x
        return found

    def _normalise(self, image: Tensor) -> Tensor:
        """Convert to the range that VGG-19 is given."""
        image = image * self.scale + self.shift
        if not self.vgg_norm:
            return (2 * image - 1).expand(-1, 3, -1, -1)
        mean = image.new_tensor(IMAGENET_MEAN).view(1, 3, 1, 1)
        std = image.new_tensor(IMAGENET_STD).view(1, 3, 1, 1)
        return (image - mean) / std
