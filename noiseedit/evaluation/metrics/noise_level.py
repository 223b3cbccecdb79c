"""How noisy images are, with nothing to compare them with: the noise level estimated from them."""

from __future__ import annotations

import math
from typing import Any, Literal

from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation.metrics.base import ImageMetric
from noiseedit.evaluation.profiles import to_float
from noiseedit.noises.level import UNIT_WIDTH, Unit
from noiseedit.registry import METRICS
from noiseedit.structures import EditSample
from noiseedit.theory.estimate import Method, estimate_noise_variance

Kind = Literal['pred', 'gt', 'input']
KINDS: tuple[Kind, ...] = ('pred', 'gt', 'input')


@METRICS.register_module()
class NoiseLevel(ImageMetric):
    """Standard deviation of white noise in an image, estimated from it alone; lower is better.

    Needs no clean images and no weights. Estimators are those of
    :func:`~noiseedit.theory.estimate.estimate_noise_variance`; values are clamped to [0, 1], not
    rounded. Correlated noise comes out too small, and fine texture counts as noise: clean natural
    images of 32x32 pixels have some 4 grey levels (docs/evaluation.md). So compare with the level
    of clean images of the same kind (``image='gt'``) where there are any; a picture of one colour
    has none, which makes this alone a poor judge of the best checkpoint.

    Args:
        method: ``'wavelet'`` (fast) or ``'eigenvalue'``.
        unit: Of the value: 255, ``'[0,1]'`` or ``'[-1,1]'``.
        image: ``'pred'``, ``'gt'`` (what clean images have) or ``'input'`` (what the data have).

    Raises:
        ConfigError: If an argument is none of these.
    """

    higher_is_better = False

    def __init__(self, method: Method = 'wavelet', unit: Unit = 255, image: Kind = 'pred') -> None:
        super().__init__()
        _check('method', method, ('wavelet', 'eigenvalue'))
        _check('unit', unit, tuple(UNIT_WIDTH))
        _check('image', image, KINDS)
        self.method, self.unit, self.image = method, unit, image
        of = '' if image == 'pred' else f',{image}'
        self.name = f'NoiseLevel({method},unit={unit}{of})'

    def score(self, sample: EditSample) -> float:
        """Return the estimate in ``unit``, of colour the root of the mean variance of channels.

        Raises:
            DataError: If the sample has no such image, or it is smaller than 24x24.
        """
        image = sample.get(self.image)
        if image is None:
            raise DataError(
                f'{self.name}: sample {sample.get("key", "?")!r} has no {self.image!r}; it has '
                f'{", ".join(sample.keys()) or "no images"}'
            )
        if not bool(image.isfinite().all()):
            return math.nan
        try:
            variance = estimate_noise_variance(to_float(image.detach()), self.method, '[0,1]')
        except DataError as error:
            raise DataError(f'{self.name}: {sample.get("key", "?")!r}: {error}') from error
        return UNIT_WIDTH[self.unit] * math.sqrt(variance)


def _check(name: str, value: Any, known: tuple[Any, ...]) -> None:
    if value not in known:
        raise ConfigError(
            f'NoiseLevel {name}: expected one of {", ".join(map(repr, known))}, got {value!r}'
        )
