"""Weather of ImageNet-C: fog, frost, snow, and spatter on the lens."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from noiseedit.noises.base import Params
from noiseedit.noises.blur import motion_blur
from noiseedit.noises.corruption import Corruption, drawn_angles, require
from noiseedit.noises.level import Number, make_level
from noiseedit.noises.random import Generator, normal
from noiseedit.noises.resample import central_zoom, smooth
from noiseedit.noises.textures import crops, ice, pictures, plasma_for
from noiseedit.registry import NOISES

WATER = (175 / 255, 238 / 255, 238 / 255)
MUD = (63 / 255, 42 / 255, 20 / 255)


def grey(x: Tensor) -> Tensor:
    """Return the luma of RGB images (N, 3, H, W), the mean of other channels: (N, 1, H, W)."""
    from noiseedit.imaging import GREY_WEIGHTS

    if x.shape[1] != 3:
        return x.mean(1, keepdim=True)
    red, green, blue = (x[:, k : k + 1] * weight for k, weight in enumerate(GREY_WEIGHTS))
    return red + green + blue


def like_channels(colours: Tensor, x: Tensor) -> Tensor:
    """Return RGB ``colours`` (N, 3, ...) for the channels of ``x``: grey unless it has three."""
    return (colours if x.shape[1] == 3 else grey(colours)).to(x)


@NOISES.register_module()
class Fog(Corruption):
    """Fog (ImageNet-C): ``y = (x + t f) m / (m + t)``, f a plasma fractal, m the maximum of x.

    The fractal is the upper left of a square whose side is the next power of 2: its largest clouds
    grow with the image.

    Args:
        thickness: t, or a range; 1 is the range of the image.
        decay: How fast the fractal's amplitude falls from scale to scale; smaller is rougher.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``decay`` is not positive.
    """

    example: ClassVar[dict[str, Any]] = {'thickness': 2, 'decay': 1.7}
    shown = ('decay',)

    def __init__(self, thickness: Number, *, decay: float = 2.0, **kwargs: Any) -> None:
        require(decay > 0, 'decay', 'a number > 0', decay)
        super().__init__(make_level('thickness', thickness), **kwargs)
        self.decay = decay

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Add the fog; keep the brightest value."""
        most = x.amax((1, 2, 3), keepdim=True)
        thickness = params['thickness'].to(x)
        return (x + thickness * plasma_for(x, self.decay, generator)) * most / (most + thickness)


@NOISES.register_module()
class Frost(Corruption):
    """Frost (ImageNet-C): ``y = keep x + opacity f``, f a random part of a picture of frost.

    The published photographs cannot be shipped. Without ``textures`` f is drawn by a procedure of
    our own (:func:`~noiseedit.noises.textures.ice`) with their mean colour and contrast: results
    are then not those of the published set.

    Args:
        opacity: Weight of the frost, or a range.
        keep: Weight of the image.
        textures: Folder with pictures of frost, e.g. the published ones (their code draws from
            five: ``frost1`` ... ``frost5``); every one is equally likely.
        scale: Size of the frost: 1 for images of 224 pixels, 0.2 for 32.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``scale`` is not positive.
        DataError: If there is no picture in ``textures``.
    """

    example: ClassVar[dict[str, Any]] = {'opacity': 0.7, 'keep': 0.7}
    shown = ('keep', 'textures')

    def __init__(
        self,
        opacity: Number,
        *,
        keep: float = 1.0,
        textures: str | None = None,
        scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        require(scale > 0, 'scale', 'a number > 0', scale)
        super().__init__(make_level('opacity', opacity), **kwargs)
        self.keep = keep
        self.scale = scale
        self.textures = textures
        self.files = pictures(Path(textures)) if textures is not None else None

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Lay the frost over the image."""
        size = (len(x), *x.shape[-2:], self.scale, generator)
        frost = ice(*size) if self.files is None else crops(self.files, *size)
        return self.keep * x + params['opacity'].to(x) * like_channels(frost, x)


@NOISES.register_module()
class Snow(Corruption):
    """Snow (ImageNet-C): ``y = k x + (1 - k) max(x, 1.5 grey(x) + 0.5) + s + turn(s)``.

    The flakes s are Gaussian noise of mean ``density``, enlarged, set to 0 below ``threshold``,
    clipped to [0, 1] and motion-blurred at an angle; turn is by 180 degrees. The published code
    rounds s to 8 bits; here nothing is rounded.

    Args:
        density: Mean of the noise, or a range.
        spread: Its standard deviation.
        zoom: How much it is enlarged, >= 1.
        threshold: What is cut away.
        width: Of the motion blur, pixels; see :class:`~noiseedit.noises.blur.MotionBlur`.
        radius: Of the motion blur, pixels.
        keep: k; the rest is whitened.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``zoom`` is below 1.
    """

    example: ClassVar[dict[str, Any]] = {'density': 0.2, 'zoom': 2}
    shown = ('spread', 'zoom', 'threshold', 'width', 'radius', 'keep')

    def __init__(
        self,
        density: Number,
        *,
        spread: float = 0.3,
        zoom: float = 3.0,
        threshold: float = 0.5,
        width: float = 4.0,
        radius: float = 10,
        keep: float = 0.8,
        **kwargs: Any,
    ) -> None:
        require(zoom >= 1, 'zoom', 'a number >= 1', zoom)
        super().__init__(make_level('density', density), **kwargs)
        self.spread = spread
        self.zoom = zoom
        self.threshold = threshold
        self.width = width
        self.radius = radius
        self.keep = keep

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the level, and ``angle`` (n, 1, 1, 1): degrees, -135 to -45."""
        level = super().sample_params(n, generator)
        return {**level, 'angle': drawn_angles(n, (-135, -45), generator)}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Whiten the image, let it snow."""
        noise = normal((len(x), 1, *x.shape[-2:]), generator).to(x.device)
        layer = central_zoom(params['density'] + self.spread * noise, self.zoom)
        layer = torch.where(layer < self.threshold, 0, layer).clamp(0, 1)
        widths = torch.full_like(params['angle'], self.width)
        flakes = motion_blur(layer, widths, self.radius, params['angle']).to(x)
        white = torch.maximum(x, 1.5 * grey(x) + 0.5)
        return self.keep * x + (1 - self.keep) * white + flakes + flakes.flip(-2, -1)


@NOISES.register_module()
class Spatter(Corruption):
    """Spatter (ImageNet-C): drops of water, ``y = x + m c``, or mud, ``y = (1 - m) x + m c``.

    The mask m comes from blurred Gaussian noise of mean ``density`` where it is above
    ``threshold``: mud smooths that region and keeps what is above 0.8, water shades it by the
    distance to its edge. c is pale turquoise or brown, grey for grey images. No drop at all, as may
    happen in small images, leaves the image as it is.

    Args:
        density: Mean of the noise, or a range.
        spread: Its standard deviation.
        width: Standard deviation of its blur, pixels.
        threshold: What is cut away, in (0, 1).
        opacity: Of the brightest drop of water; for mud: standard deviation of its smoothing, in
            pixels.
        mud: Mud instead of water.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    example: ClassVar[dict[str, Any]] = {'density': 0.65, 'width': 2, 'threshold': 0.68}
    shown = ('spread', 'width', 'threshold', 'opacity', 'mud')

    def __init__(
        self,
        density: Number,
        *,
        spread: float = 0.3,
        width: float = 2.0,
        threshold: float = 0.68,
        opacity: float = 0.6,
        mud: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(make_level('density', density), **kwargs)
        self.spread = spread
        self.width = width
        self.threshold = threshold
        self.opacity = opacity
        self.mud = mud

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Throw water or mud at the lens."""
        noise = normal((len(x), 1, *x.shape[-2:]), generator).to(x.device)
        noise = params['density'] + self.spread * noise
        liquid = torch.stack([smooth(image, self.width) for image in noise])
        if self.mud:
            region = (liquid > self.threshold).float()
            mask = torch.stack([smooth(image, self.opacity) for image in region])
            mask = torch.where(mask < 0.8, 0, mask).to(x)
            return x * (1 - mask) + mask * self._colour(MUD, x)
        liquid = torch.where(liquid < self.threshold, 0, liquid)
        mask = np.stack([drops(image[0].numpy()) for image in liquid.cpu()])
        mask = self.opacity * torch.from_numpy(mask)[:, None].to(x)
        return x + mask * self._colour(WATER, x)

    def _colour(self, colour: tuple[float, ...], x: Tensor) -> Tensor:
        return like_channels(torch.tensor(colour).reshape(1, 3, 1, 1), x)


def drops(liquid: np.ndarray) -> np.ndarray:
    """Return the shading of water drops, (H, W) float32, at most 1; steps as published.

    Distance to the nearest edge (Canny), at most 20 pixels, smoothed, equalised, embossed, smoothed
    again, times the liquid.

    Args:
        liquid: (H, W) in [0, 1], 0 where there is none.
    """
    import cv2

    level = (liquid * 255).clip(0, 255).astype(np.uint8)
    distance = cv2.distanceTransform(255 - cv2.Canny(level, 50, 150), cv2.DIST_L2, 5)
    even = cv2.equalizeHist(cv2.blur(distance.clip(max=20), (3, 3)).astype(np.uint8))
    emboss = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    shape = cv2.blur(cv2.filter2D(even, cv2.CV_8U, emboss), (3, 3))
    mask = level * shape.astype(np.float32)
    return mask / max(float(mask.max()), 1.0)
