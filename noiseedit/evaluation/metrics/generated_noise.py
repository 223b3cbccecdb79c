"""What metrics of generated noise have in common: which images, clipped and rounded how.

A model that makes noise takes a clean image and gives a noisy one. Of a sample, ``input`` is the
clean image, ``gt`` the noisy photograph of it, ``pred`` the generated noisy image: the real noise
is ``gt - input``, the generated noise ``pred - input``. So the data set has the clean image as
``source`` and the noisy one as ``target``.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import ImageMetric
from noiseedit.evaluation.profiles import Array
from noiseedit.structures import EditSample

NEEDED = {
    'input': 'the clean image',
    'gt': 'the real noisy one',
    'pred': 'the generated noisy one',
}
STEP_TOLERANCE = 1e-3
"""How far, in 8-bit steps, a float may be from a whole step and still be one."""

PROBE = 1024
"""Values that decide at once, in most cases, that an image is no 8-bit one."""


class GeneratedNoiseMetric(ImageMetric):
    """Base: compares generated noise with real noise of the same clean image; lower is better.

    Args:
        num_samples: Generated images per clean one whose values are averaged. 1: of ``pred``. K:
            of the first K of ``draws``, (K or more, C, H, W), which a model puts beside ``pred``.
        quantize_fake: Round generated images to 8 bits first, as the real ones were; False: only
            clipped to [0, 1].
        protocol: What else the name says.

    Raises:
        ConfigError: If ``num_samples`` is no whole number above 0.
    """

    higher_is_better = False

    def __init__(
        self, num_samples: int = 1, quantize_fake: bool = False, protocol: str = ''
    ) -> None:
        super().__init__()
        if not isinstance(num_samples, int) or num_samples < 1:
            raise ConfigError(
                f'{type(self).__name__} num_samples: expected a whole number >= 1, got '
                f'{num_samples!r}'
            )
        self.num_samples, self.quantize_fake = num_samples, quantize_fake
        parts = [protocol] if protocol else []
        parts += [f'samples={num_samples}', f'fake={"uint8" if quantize_fake else "float"}']
        self.name = f'{type(self).__name__}({",".join(parts)})'

    @abstractmethod
    def distance(self, fakes: Tensor, real: Tensor, clean: Tensor) -> float:
        """Return the mean value over the generated images.

        Args:
            fakes: (K, C, H, W) float32 in [0, 1], finite.
            real: (C, H, W) float32.
            clean: Likewise.
        """

    def score(self, sample: EditSample) -> float:
        """Return :meth:`distance` of the sample; NaN if a generated image is not finite.

        Raises:
            DataError: If an image or draws are missing, or images differ in shape.
        """
        clean, real = (self._image(sample, name).detach().float() for name in ('input', 'gt'))
        fakes = self._fakes(sample).detach().float()
        if fakes.shape[1:] != clean.shape or real.shape != clean.shape:
            raise DataError(
                f'{self.name}: {sample.get("key", "?")!r}: expected images of one shape, got input '
                f'{tuple(clean.shape)}, gt {tuple(real.shape)}, pred {tuple(fakes.shape[1:])}'
            )
        if not bool(fakes.isfinite().all()):
            return float('nan')
        fakes = fakes.clamp(0, 1)
        fakes = (fakes * 255).round() / 255 if self.quantize_fake else fakes
        return self.distance(fakes, real.to(fakes.device), clean.to(fakes.device))

    def _fakes(self, sample: EditSample) -> Tensor:
        if self.num_samples == 1:
            return self._image(sample, 'pred')[None]
        draws = sample.get('draws')
        if draws is None or len(draws) < self.num_samples:
            raise DataError(
                f'{self.name}: sample {sample.get("key", "?")!r} needs draws, ({self.num_samples} '
                f'or more, C, H, W), got {None if draws is None else tuple(draws.shape)}; let the '
                'model draw as many, or set num_samples=1 (a sweep averages its repetitions, too)'
            )
        return draws[: self.num_samples]

    def _image(self, sample: EditSample, name: str) -> Tensor:
        image: Tensor | None = sample.get(name)
        if image is None:
            raise DataError(
                f'{self.name}: sample {sample.get("key", "?")!r} has no {name!r}, '
                f'{NEEDED[name]}; it has {", ".join(sample.keys()) or "no images"}. Expected '
                'source = clean and target = noisy images in the data set'
            )
        return image


def as_steps(image: Tensor) -> Array:
    """Return an image of the CPU as uint8 if it loses nothing by it, else as it is, float32.

    Args:
        image: Float of any shape, nominally in [0, 1].
    """
    if not _are_steps(image.flatten()[:PROBE]) or not _are_steps(image):
        return np.ascontiguousarray(image.numpy())
    return (image * 255).round_().to(torch.uint8).contiguous().numpy()


def _are_steps(image: Tensor) -> bool:
    """Whether every value is one of 0, 1/255, ..., 1, but for rounding."""
    steps = image * 255
    whole = steps.round()
    low, high = whole.aminmax()
    near = torch.linalg.vector_norm(steps.sub_(whole), torch.inf) < STEP_TOLERANCE
    return bool(near & (low >= 0) & (high <= 255))
