"""Losses of storage: JPEG by libjpeg, and quantisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.base import Gradient, Params
from noiseedit.noises.corruption import Filter
from noiseedit.noises.level import Level, Number, make_level
from noiseedit.noises.random import Generator
from noiseedit.registry import NOISES

Subsampling: TypeAlias = Literal['4:2:0', '4:4:4']


class IntegerLevel(Filter):
    """Base of noises whose level is a whole number and the only thing that is random.

    Args:
        level: A range (low, high) is drawn from {low, ..., high}.
        kwargs: See :class:`~noiseedit.noises.base.BaseNoise`.

    Raises:
        ConfigError: If the level is not whole or out of bounds.
    """

    def _checked(self, level: Level) -> Level:
        low, high = self.bounds
        whole = level.low == int(level.low) and level.high == int(level.high)
        if not (whole and low <= level.low <= level.high <= high):
            raise ConfigError(
                f'{level.name}: expected whole numbers in {low:g}..{high:g}, got {level}'
            )
        return level

    def sample_params(self, n: int, generator: Generator) -> Params:
        """Draw the level, (n, 1, 1, 1), a whole number."""
        low, high = self.level.low, self.level.high
        if low == high or self.level.log:
            return {self.level.name: self.level.sample(n, generator).round()}
        values = self.level.at((low - 0.5, high + 0.5)).sample(n, generator)
        return {self.level.name: values.round().clamp(low, high)}


class JPEGBase(IntegerLevel):
    """Base of the JPEG noises.

    Args:
        quality: libjpeg's quality 1..100, or (low, high): a uniform integer per image.
        subsampling: ``'4:2:0'`` halves the chroma planes, ``'4:4:4'`` keeps them.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``quality`` or ``subsampling`` is out of range.
    """

    bounds = (1, 100)
    shown: ClassVar[tuple[str, ...]] = ('subsampling',)

    def __init__(
        self, quality: Number, *, subsampling: Subsampling = '4:2:0', **kwargs: Any
    ) -> None:
        if subsampling not in ('4:2:0', '4:4:4'):
            raise ConfigError(f"subsampling: expected '4:2:0' or '4:4:4', got {subsampling!r}")
        super().__init__(make_level('quality', quality), **kwargs)
        self.subsampling: Subsampling = subsampling


@NOISES.register_module()
class JPEGNoise(JPEGBase):
    """JPEG round trip by libjpeg (OpenCV's): 8-bit RGB to file bytes and back.

    The image is clipped to [0, 1] and rounded to 8 bits first. Gradient: straight-through.

    Args:
        quality: See :class:`JPEGBase`.
        kwargs: ``subsampling``, ``clip``, ``quantize``, ``gradient``, ``name``.
    """

    gradient: Gradient = 'ste'
    example: ClassVar[dict[str, Any]] = {'quality': (5, 20)}

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Compress every image at its own quality."""
        result = torch.empty(x.shape, dtype=torch.float32)
        qualities = params['quality'].flatten().tolist()
        for image, target, quality in zip(x.detach().cpu(), result, qualities, strict=True):
            planes = image.float().mul(255).round_().clamp_(0, 255).to(torch.uint8).numpy()
            decoded = _jpeg_planes(planes, int(quality), self.subsampling)
            for channel, plane in zip(target, decoded, strict=True):
                channel.copy_(torch.from_numpy(plane)).div_(255)
        return result.to(x)

    def fast_uint8(self, image: np.ndarray, seed: int) -> np.ndarray:
        """Compress one 8-bit image."""
        return jpeg(image, int(self.drawn(seed)['quality']), self.subsampling)


def jpeg(image: np.ndarray, quality: int, subsampling: Subsampling = '4:2:0') -> np.ndarray:
    """Return ``image`` (H, W, 1 or 3) uint8, RGB, after a JPEG round trip through libjpeg.

    Raises:
        ValueError: If the image has another number of channels.
    """
    import cv2

    image = np.ascontiguousarray(image)
    if image.shape[2] != 3:
        return _round_trip(image, quality, subsampling).reshape(image.shape)
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    if hasattr(cv2, 'IMREAD_COLOR_RGB'):  # OpenCV >= 4.11
        return _round_trip(bgr, quality, subsampling, cv2.IMREAD_COLOR_RGB)
    return cv2.cvtColor(_round_trip(bgr, quality, subsampling), cv2.COLOR_BGR2RGB)


def _jpeg_planes(planes: np.ndarray, quality: int, subsampling: Subsampling) -> Sequence[Any]:
    """Do the same to planes (1 or 3, H, W)."""
    import cv2

    decoded = _round_trip(cv2.merge(tuple(planes[::-1])), quality, subsampling)
    return cv2.split(decoded)[::-1]


def _round_trip(
    bgr: np.ndarray, quality: int, subsampling: Subsampling, read_as: int = -1
) -> np.ndarray:
    """Encode (H, W, 3) in OpenCV's channel order, or grey (H, W[, 1]), and decode it.

    ``read_as`` is OpenCV's flag for the decoder; -1: as stored (BGR or grey).
    """
    import cv2

    if bgr.ndim == 3 and bgr.shape[2] not in (1, 3):
        raise ValueError(f'JPEG: expected 1 or 3 channels, got {bgr.shape[2]}')
    factor = {
        '4:2:0': cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        '4:4:4': cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    }
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor[subsampling]]
    data = cv2.imencode('.jpg', bgr, options)[1]
    return np.asarray(cv2.imdecode(data, read_as))


@NOISES.register_module()
class QuantizeNoise(IntegerLevel):
    """Uniform quantisation: ``y = round(x * (2^bits - 1)) / (2^bits - 1)``, half to even.

    Values outside [0, 1] are rounded too, not clipped. Gradient: straight-through.

    Args:
        bits: 1..16, or (low, high): a uniform integer per image.
        kwargs: ``clip``, ``quantize``, ``gradient``, ``name``.

    Raises:
        ConfigError: If ``bits`` is out of range.
    """

    gradient: Gradient = 'ste'
    bounds = (1, 16)
    example: ClassVar[dict[str, Any]] = {'bits': (2, 4)}

    def __init__(self, bits: Number = 8, **kwargs: Any) -> None:
        super().__init__(make_level('bits', bits), **kwargs)

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Round every image to its number of bits."""
        steps = 2 ** params['bits'].to(x) - 1
        return (x * steps).round() / steps
