"""Training schemes: what a restoration network is trained with when clean targets are missing.

All learn the same network with the same losses and are tested in the same way:

================  =========================================================================
scheme            the network sees -> the loss compares with
================  =========================================================================
``Supervised``    noisy image -> clean image
``Noise2Noise``   noisy image -> another noisy version of the same image
``Noise2Void``    noisy image with hidden pixels -> the hidden pixels of that noisy image
================  =========================================================================
"""

from __future__ import annotations

import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.noises.random import uniform
from noiseedit.registry import SCHEMES

Inputs = dict[str, Tensor]

MIN_SIDE = 2


@SCHEMES.register_module()
class Supervised:
    """The pair as it is: the network's output against ``target``.

    The base of the other schemes, which replace one of the two methods or both.
    """

    def prepare(self, inputs: Inputs, preprocessor: EditPreprocessor) -> Inputs:
        """Return what the network and the losses get in training.

        Args:
            inputs: Name -> (N, C, H, W) in the network's range; not changed.
            preprocessor: Of the model: its training noise, its range, the stream of the iteration.
        """
        return inputs

    def compared(self, pred: Tensor, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return prediction and target as the losses compare them, (N, C, H, W) each."""
        return pred, inputs['target']


@SCHEMES.register_module()
class Noise2Noise(Supervised):
    """The target gets the training noise too, drawn independently (Lehtinen et al. 2018).

    As E[y' | y] = E[x | y] for noise of zero mean, the squared error has the same minimiser as with
    clean targets (equation 6 of the paper); other losses lead elsewhere: L1 to the median. Clipped
    noise has no zero mean near black and white, and the network learns that shift.

    Two real shots of one scene need no scheme: they are ``source`` and ``target`` of a
    ``PairedFolder``.
    """

    def prepare(self, inputs: Inputs, preprocessor: EditPreprocessor) -> Inputs:
        """Add noise to ``target``; it continues the stream that made ``source`` noisy.

        Raises:
            ConfigError: If the preprocessor has no training noise, or it is not the source's.
        """
        noise = preprocessor.noises.get('train')
        if noise is None or preprocessor.noise_target != 'source' or 'target' not in inputs:
            raise ConfigError(
                "scheme Noise2Noise: expected clean images and noise = dict(where='batch', "
                "target='source', train=...), which is drawn twice. Two real noisy shots need no "
                'scheme: give them as source and target, e.g. with PairedFolder'
            )
        clean = inputs['target'].float()
        with torch.autocast(clean.device.type, enabled=False):
            noisy = noise(preprocessor.restore(clean), generator=preprocessor.generator)
            return {**inputs, 'target': preprocessor.normalise(noisy)}


@SCHEMES.register_module()
class Noise2Void(Supervised):
    """Hide single pixels and predict them from their neighbours (Krull et al. 2019).

    Only noisy images are needed: ``source``, or ``real`` of a set without clean ones; a ``target``
    is not used. One pixel of every cell is hidden (stratified: 64 of a patch of 64 x 64; the
    released code hides 1.5 %): all its channels become those of a pixel drawn uniformly from the
    window around it, without its centre, and the losses see hidden pixels alone. The noise of a
    pixel must be independent of its neighbours' and have zero mean.

    Deviation: a hidden pixel is never the replacement of another, so that no hidden value reaches
    the network; the released code draws from the whole window, the pixel itself included.

    Args:
        cell: Side of a cell in pixels, at least 2; sides that it does not divide have some larger
            cells.
        radius: Of the window: 2 means 5 x 5.

    Raises:
        ConfigError: If one of them is too small.
    """

    def __init__(self, cell: int = 8, radius: int = 2) -> None:
        if cell < MIN_SIDE or radius < 1:
            raise ConfigError(
                f'scheme Noise2Void: expected cell >= 2 and radius >= 1 pixels, '
                f'got cell={cell}, radius={radius}'
            )
        self.cell, self.radius = cell, radius

    def prepare(self, inputs: Inputs, preprocessor: EditPreprocessor) -> Inputs:
        """Return ``source`` with hidden pixels, ``target`` (as it was) and ``spots``, (N, K).

        Raises:
            ConfigError: If there is no noisy image, or it is less than 2 pixels high or wide.
        """
        noisy = inputs.get('source', inputs.get('real'))
        if noisy is None or min(noisy.shape[-2:]) < MIN_SIDE:
            raise ConfigError(
                'scheme Noise2Void: expected noisy images, source or real, of at least 2 x 2 '
                f'pixels, got { ({name: tuple(image.shape) for name, image in inputs.items()}) }'
            )
        height, width = noisy.shape[-2:]
        generator = preprocessor.generator
        spots = blind_spots(len(noisy), (height, width), self.cell, generator)
        others = replacements(spots, (height, width), self.radius, generator)
        spots, others = spots.to(noisy.device), others.to(noisy.device)
        hidden = noisy.flatten(2).scatter(2, _of_channels(spots, noisy), pixels(noisy, others))
        return {**inputs, 'source': hidden.view(noisy.shape), 'target': noisy, 'spots': spots}

    def compared(self, pred: Tensor, inputs: Inputs) -> tuple[Tensor, Tensor]:
        """Return the hidden pixels alone, (N, C, K, 1): for losses of single pixels."""
        spots = inputs['spots']
        return pixels(pred, spots)[..., None], pixels(inputs['target'], spots)[..., None]


def blind_spots(n: int, size: tuple[int, int], cell: int, generator: torch.Generator) -> Tensor:
    """Return the places of hidden pixels, (N, K) int64: one per cell of about cell x cell pixels.

    Args:
        n: Images.
        size: Height H and width W; a place is row * W + column.
        cell: Least side of a cell, where the image is not smaller.
        generator: The result is on its device.
    """
    (top, heights), (left, widths) = (_cells(side, cell, generator.device) for side in size)
    drawn = uniform((n, 2, len(top), len(left)), generator)
    rows = top[:, None] + (drawn[:, 0] * heights[:, None]).long()
    columns = left + (drawn[:, 1] * widths).long()
    return (rows * size[1] + columns).flatten(1)


def _cells(side: int, cell: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return where the cells along one side begin, and how long each is."""
    count = max(1, side // cell)
    edges = torch.arange(count + 1, device=device) * side // count
    return edges[:-1], edges.diff()


def replacements(
    spots: Tensor, size: tuple[int, int], radius: int, generator: torch.Generator
) -> Tensor:
    """Return for every hidden pixel another of its window, (N, K): uniform, none of them hidden.

    Args:
        spots: (N, K) places from :func:`blind_spots`.
        size: Height and width.
        radius: The window has 2 * radius + 1 pixels each way, less what lies outside.
        generator: On the device of ``spots``.
    """
    height, width = size
    steps = torch.arange(-radius, radius + 1, device=spots.device)
    rows = (spots // width)[..., None, None] + steps[:, None]
    columns = (spots % width)[..., None, None] + steps
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    places = (rows.clamp(0, height - 1) * width + columns.clamp(0, width - 1)).flatten(2)
    hidden = torch.zeros(len(spots), height * width, dtype=torch.bool, device=spots.device)
    hidden.scatter_(1, spots, value=True)
    is_hidden = hidden.gather(1, places.flatten(1)).view(places.shape)
    allowed = inside.flatten(2) & ~is_hidden  # the centre is hidden
    chosen = (uniform(places.shape, generator) + allowed).argmax(2, keepdim=True)
    return places.gather(2, chosen)[..., 0]


def pixels(image: Tensor, places: Tensor) -> Tensor:
    """Return the pixels of (N, C, H, W) at places (N, K): (N, C, K)."""
    return image.flatten(2).gather(2, _of_channels(places, image))


def _of_channels(places: Tensor, image: Tensor) -> Tensor:
    return places[:, None].expand(-1, image.shape[1], -1)
