"""The generator of Sketch-Transformer, completed where the paper is not known.

Zhu, Liang, Wang, Wang, Li, Gao: A Sketch-Transformer Network for Face Photo-Sketch Synthesis.
IJCAI 2021. What the paper fixes is three modules: a multi-scale feature and position encoder, a
self-attention module, a multi-scale SPADE decoder. Layer tables, sizes, losses and schedule could
not be obtained, and no code is public: the numbers here are a completion, not the authors' network.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from noiseedit.models.sketch_transformer.attention import SelfAttention
from noiseedit.models.sketch_transformer.position import Position, build_position
from noiseedit.models.sketch_transformer.pyramid import Pyramid
from noiseedit.networks.layers import check_input, init_xavier
from noiseedit.networks.spade import SPADEResBlock
from noiseedit.registry import GENERATORS

POSITION_SHARE = 4  # the position pyramid has a quarter of the feature channels


@GENERATORS.register_module()
class SketchTransformer(nn.Module):
    """Encode features and positions at every scale, attend between patches, decode with SPADE.

    A completion of an under-specified paper (see the module): only the three modules and their
    order are published.

    Args:
        in_channels: Channels of the source.
        out_channels: Channels of the result: 3, grey sketches being three equal channels, or 1.
        width: Channels of the finest level; they double up to eight times that. SPADE's hidden
            layers have ``2 * width``. A multiple of 4.
        patch: Side of a token in pixels, a power of two: 16, 8, ...; the sides of the image must
            be multiples of it.
        dim: Length of a token; None: that of the deepest level, ``8 * width`` for patch 16.
        layers: Attention layers.
        heads: Attention heads; must divide ``dim``.
        position: ``'coord'``: a convolutional pyramid over the coordinates, any size;
            ``'learned'``: tables for one ``size``; ``'sine'``: fixed, no parameters, ``width`` a
            multiple of 16.
        size: Side, or height and width, of the images, for ``position='learned'``.
        spade_levels: Levels whose features modulate the decoder, 0 the finest; at the others it
            has plain instance norm. None: all, (4, 3, 2, 1, 0) for patch 16. Level 0 hands on the
            noise of the source at full resolution.

    Shape:
        (N, in_channels, H, W) in [-1, 1], more than one patch -> (N, out_channels, H, W) in
        (-1, 1).

    Note:
        53,089,459 parameters with the defaults: features 6,960,640, positions 436,848 and 66,048
        for their projection, attention 18,915,328, decoder 26,708,864, output 1,731. Spectral norm
        on the decoder's convolutions but those inside SPADE.

    Raises:
        ValueError: If settings do not fit each other, or an image does not fit them.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        width: int = 64,
        *,
        patch: int = 16,
        dim: int | None = None,
        layers: int = 6,
        heads: int = 8,
        position: Position = 'coord',
        size: int | Sequence[int] | None = None,
        spade_levels: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        depth = _depth(patch)
        wide = [width * min(2**level, 8) for level in range(depth + 1)]
        features = [*wide[:-1], wide[-1] if dim is None else dim]
        self.in_channels, self.patch = in_channels, patch
        self.spade_levels = _checked_levels(spade_levels, depth)
        positions = _position_channels(features)
        self.encoder = Pyramid(in_channels, features)
        self.position = build_position(position, positions, size, used={*self.spade_levels, depth})
        self.projection = nn.Conv2d(positions[-1], features[-1], 1)
        self.attention = SelfAttention(features[-1], layers, heads)
        labels = [
            (f + p) * (level in self.spade_levels)
            for level, (f, p) in enumerate(zip(features, positions, strict=True))
        ]
        self.decoder = _decoder(features[-1], wide, labels, hidden=2 * width)
        self.out = nn.Conv2d(width, out_channels, 3, padding=1)
        init_xavier(self.projection)
        init_xavier(self.out)

    def forward(self, x: Tensor) -> Tensor:
        """Return the translated image."""
        check_input('SketchTransformer', x, self.in_channels, self.patch)
        if x.shape[-2] * x.shape[-1] == self.patch**2:
            raise ValueError(
                f'SketchTransformer: an image of one patch ({self.patch}x{self.patch}) has nothing '
                'to normalise over; take larger images or a smaller patch'
            )
        features, positions = self.encoder(x), self.position(x)
        y = self.attention(features[-1] + self.projection(positions[-1]))
        y = self._decode(y, features, positions)
        return self.out(functional.leaky_relu(y, 0.2)).tanh()

    def _decode(self, y: Tensor, features: list[Tensor], positions: list[Tensor]) -> Tensor:
        deepest = len(features) - 1
        for step, block in enumerate(self.decoder):
            level = deepest - step
            if step:
                y = functional.interpolate(y, scale_factor=2, mode='nearest')
            label = _label(features[level], positions[level]) if block.norm_1.modulated else None
            y = block(y, label)
        return y


def _decoder(dim: int, wide: Sequence[int], labels: Sequence[int], hidden: int) -> nn.ModuleList:
    """Return one block per level, the deepest first."""
    outs = list(reversed(wide))
    ins = [dim, *outs[:-1]]
    return nn.ModuleList(
        SPADEResBlock(i, o, label, hidden)
        for i, o, label in zip(ins, outs, reversed(labels), strict=True)
    )


def _label(feature: Tensor, position: Tensor) -> Tensor:
    """Return the modulation map: features and, the same for every image, positions."""
    return torch.cat([feature, position.to(feature.dtype).expand(len(feature), -1, -1, -1)], 1)


def _depth(patch: int) -> int:
    """Return log2 of the patch's side."""
    depth = patch.bit_length() - 1
    if patch < 2 or 2**depth != patch:
        raise ValueError(f'SketchTransformer: patch must be a power of two from 2, got {patch}')
    return depth


def _position_channels(features: Sequence[int]) -> list[int]:
    if any(count % POSITION_SHARE for count in features):
        raise ValueError(
            f'SketchTransformer: width and dim must be multiples of {POSITION_SHARE}, '
            f'got levels of {list(features)} channels'
        )
    return [count // POSITION_SHARE for count in features]


def _checked_levels(levels: Sequence[int] | None, depth: int) -> tuple[int, ...]:
    """Return the levels, the deepest first."""
    every = range(depth, -1, -1)
    chosen = every if levels is None else levels
    if wrong := sorted(set(chosen) - set(every)):
        raise ValueError(f'SketchTransformer: spade_levels must be from 0 to {depth}, got {wrong}')
    return tuple(level for level in every if level in chosen)
