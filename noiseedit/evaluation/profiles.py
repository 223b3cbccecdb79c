"""Under which protocol two images are compared: channels, rounding, border.

Libraries disagree by up to 1.3 dB because they disagree here, so the protocol is part of every
metric's name: ``PSNR(rgb,uint8,border=0)``. Effects: rounding lowers a PSNR by
``10 log10(1 + 1 / (12 MSE))`` dB (MSE in 8-bit units): 0.003 dB at 28 dB, 0.34 dB at 48 dB.
The Y of BT.601 spans 219 of 255 steps: 1.32 dB above the luma of YIQ.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from torch import Tensor

from noiseedit.errors import ConfigError, DataError, UnknownNameError, nearest
from noiseedit.evaluation.saving import Saving, bilateral, to_uint8

Channels = Literal['rgb', 'gray', 'y', 'L']
Rounding = Literal['uint8', 'float']
Window = Literal['gaussian', 'uniform7']
Smooth = Literal['none', 'bilateral']
Array: TypeAlias = np.ndarray

# Y = (65.481 R + 128.553 G + 24.966 B) + 16 for R, G, B in [0, 1] (BT.601, as MATLAB's rgb2ycbcr).
Y_WEIGHTS = np.array([65.481, 128.553, 24.966])
Y_OFFSET = 16.0


@dataclass(frozen=True)
class Protocol:
    """How predictions and targets become the two arrays that a metric compares.

    Args:
        channels: ``'rgb'`` (three channels), ``'gray'`` (one channel), ``'y'`` (luma of BT.601
            computed from RGB, in [16, 235], not rounded) or ``'L'`` (grey of one or three channels,
            0.299 R + 0.587 G + 0.114 B, rounded again if 8-bit: a sketch as it is scored).
        rounding: ``'uint8'``: clamp to [0, 1], times 255, round half to even; ``'float'``: clamp
            only.
        border: Pixels cut off at each side.
        window: Of SSIM: ``'gaussian'`` (11x11, sigma 1.5) or ``'uniform7'`` (7x7 mean with sample
            covariance, the default of scikit-image).
        smooth: ``'bilateral'``: the prediction alone passes a bilateral filter (7 pixels, sigmas
            75) first, which hides noise from the metric.
        saving: How the prediction alone becomes 8-bit, see :mod:`noiseedit.evaluation.saving`.

    Raises:
        ConfigError: On any other value, or where ``smooth`` or ``saving`` need 8-bit images.
    """

    channels: Channels = 'rgb'
    rounding: Rounding = 'uint8'
    border: int = 0
    window: Window = 'gaussian'
    smooth: Smooth = 'none'
    saving: Saving = 'round'

    def __post_init__(self) -> None:
        """Check every field; see the class."""
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f'metric {name}: expected one of {", ".join(choices)}, '
                    f'got {getattr(self, name)!r}'
                )
        eight_bit = self.rounding == 'uint8' and (self.smooth == 'none' or self.channels != 'y')
        if not eight_bit and (self.smooth, self.saving) != ('none', 'round'):
            raise ConfigError(
                f'metric: smooth={self.smooth!r} and saving={self.saving!r} need 8-bit images, got '
                f'channels={self.channels!r}, rounding={self.rounding!r}'
            )
        if not isinstance(self.border, int) or self.border < 0:
            raise ConfigError(f'metric border: expected a whole number >= 0, got {self.border!r}')

    @property
    def peak(self) -> float:
        """Width of the value range of :meth:`prepare`: 1 or 255."""
        return 1.0 if self.rounding == 'float' and self.channels != 'y' else 255.0

    def __str__(self) -> str:
        """Return what stands in the brackets of a metric's name."""
        text = f'{self.channels},{self.rounding},border={self.border}'
        rare = (('window', 'gaussian'), ('smooth', 'none'), ('saving', 'round'))
        changed = [name for name, usual in rare if getattr(self, name) != usual]
        return ','.join([text, *(f'{name}={getattr(self, name)}' for name in changed)])

    def prepare(self, image: Tensor) -> Array | None:
        """Convert one image for comparison.

        Args:
            image: (C, H, W) float, nominally in [0, 1]; values outside are clamped.

        Returns:
            (H, W, C) array: uint8, float32 in [0, 1], or for ``'y'`` float64 in [16, 235];
            ``None`` if the image holds NaN or infinity (its score is NaN).

        Raises:
            DataError: On another shape, type or channel count, or if the border leaves nothing.
        """
        return self._prepare(image, 'round', 'none')

    def prepare_pred(self, image: Tensor) -> Array | None:
        """Convert a prediction: :meth:`prepare`, with the protocol's saving and smoothing."""
        return self._prepare(image, self.saving, self.smooth)

    def _prepare(self, image: Tensor, saving: Saving, smooth: Smooth) -> Array | None:
        self._check(image)
        image = image.detach()
        if not bool(image.isfinite().all()):
            return None
        array = to_uint8(image, saving) if self.rounding == 'uint8' else to_float(image)
        if self.channels in ('y', 'L'):
            array = luma(array) if self.channels == 'y' else grey(array)
        array = bilateral(array) if smooth == 'bilateral' else array
        return self._crop(array)

    def _check(self, image: Tensor) -> None:
        wanted = {'gray': (1,), 'L': (1, 3)}.get(self.channels, (3,))
        if image.ndim != 3 or not image.is_floating_point():
            raise DataError(
                f'metric: expected (C, H, W) float in [0, 1], got shape {tuple(image.shape)} '
                f'of {image.dtype}'
            )
        if len(image) not in wanted:
            fitting = 'gray' if len(image) == 1 else 'rgb' if len(image) == 3 else 'none'
            raise DataError(
                f'metric: channels={self.channels!r} needs images of {wanted[0]} channel(s), got '
                f'{len(image)}; fitting choice: channels={fitting!r}'
            )
        if min(image.shape[1:]) <= 2 * self.border:
            raise DataError(
                f'metric: border={self.border} leaves nothing of an image of '
                f'{image.shape[1]}x{image.shape[2]} pixels'
            )

    def _crop(self, image: Array) -> Array:
        cut = self.border
        return np.ascontiguousarray(image[cut:-cut, cut:-cut]) if cut else image


CHOICES = {
    name: get_args(choices)
    for name, choices in (
        ('channels', Channels),
        ('rounding', Rounding),
        ('window', Window),
        ('smooth', Smooth),
        ('saving', Saving),
    )
}
"""Of every field with a name as its value: the names."""


PROFILES: dict[str, dict[str, Any]] = {
    'uint8': {},  # the default: restoration papers, BasicSR, KAIR
    'float': {'rounding': 'float'},  # unrounded RGB
    'gray': {'channels': 'gray'},  # saved grey images
    'gray-float': {'channels': 'gray', 'rounding': 'float'},  # tables of the DnCNN papers
    'y': {'channels': 'y'},  # super-resolution; add border=scale
    'skimage': {'rounding': 'float', 'window': 'uniform7'},  # scikit-image's defaults
    'sketch': {'channels': 'L'},  # face sketches: grey, 8-bit
    'sketch-smooth': {'channels': 'L', 'smooth': 'bilateral'},  # beside it, never instead
}
"""What ``profile='name'`` of a metric stands for: what differs from the default protocol."""


def protocol(profile: str = 'uint8', **changes: Any) -> Protocol:
    """Return the protocol of ``profile`` with the given ``changes`` (those not ``None``).

    Raises:
        UnknownNameError: If there is no such profile or field; lists the nearest.
        ConfigError: On values that :class:`Protocol` refuses.
    """
    known = [field.name for field in fields(Protocol)]
    for name, table in ((profile, list(PROFILES)), *((key, known) for key in changes)):
        if name not in table:
            raise UnknownNameError(
                f'metric: {name!r} is unknown; nearest: {", ".join(nearest(name, table))}'
            )
    given = {key: value for key, value in changes.items() if value is not None}
    return Protocol(**{**PROFILES[profile], **given})


def luma(image: Array) -> Array:
    """Return the Y of BT.601, float64 in [16, 235], of an RGB image (H, W, 3) uint8 or [0, 1]."""
    scale = 255.0 if image.dtype == np.uint8 else 1.0
    return (image @ (Y_WEIGHTS / scale) + Y_OFFSET)[..., None]


def grey(image: Array) -> Array:
    """Return (H, W, 1) of an image (H, W, 1 or 3), see :func:`noiseedit.imaging.to_grey`."""
    from noiseedit.imaging import to_grey

    return to_grey(image)


def to_float(image: Tensor) -> Array:
    """Return (H, W, C) float32 in [0, 1] of (C, H, W), clamped."""
    array: Array = image.clamp(0, 1).permute(1, 2, 0).float().contiguous().cpu().numpy()
    return array
