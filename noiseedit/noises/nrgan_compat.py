"""NR-GAN's noises with the random numbers of its released code, pixel for pixel."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from noiseedit.errors import ConfigError
from noiseedit.noises.base import BaseNoise, Gradient, Params
from noiseedit.noises.correlated import opencv_taps
from noiseedit.noises.random import Generator, SampleStreams
from noiseedit.registry import NOISES

Scale: TypeAlias = float | tuple[float, float]
Draw: TypeAlias = Callable[[np.random.RandomState, np.ndarray], np.ndarray]


@NOISES.register_module()
class NRGANCompatNoise(BaseNoise):
    """NR-GAN noise A..P replayed: image i uses ``RandomState(data_seed * length + i)``, float64.

    The noise belongs to the index of the image alone: seeds and visits change nothing. The index is
    the key of the image: an integer, or text whose last part (after '/') is one, as in
    ``'train/00012'``. So call ``per_sample(x, keys=indices)``, or pass ``SampleStreams(seeds,
    keys=indices)``; a plain ``torch.Generator`` holds no index and is refused.

    Args:
        letter: 'A' to 'P'.
        data_seed: Which of several data sets of noises.
        length: Number of images of the data set (50,000: CIFAR-10's training part).
        kwargs: ``clip``, ``quantize``, ``name``.

    Raises:
        ConfigError: If ``letter`` is unknown, ``data_seed`` or ``length`` negative, an index not in
            0..length - 1, or missing.
    """

    gradient: Gradient = 'none'
    example: ClassVar[dict[str, Any]] = {'letter': 'G'}
    shown = ('letter', 'data_seed', 'length')

    def __init__(
        self, letter: str, *, data_seed: int = 0, length: int = 50000, **kwargs: Any
    ) -> None:
        if letter not in REPLAYS:
            raise ConfigError(f'letter: expected one of {", ".join(REPLAYS)}, got {letter!r}')
        if data_seed < 0 or length < 1:
            raise ConfigError(f'expected data_seed >= 0 and length >= 1, got {data_seed}, {length}')
        super().__init__(**kwargs)
        self.letter, self.data_seed, self.length = letter, data_seed, length
        self._stream = np.random.RandomState(0)  # seeded for every image: cheaper than a new one

    def apply(self, x: Tensor, params: Params, generator: Generator) -> Tensor:
        """Return the noisy images of the indices that ``generator.keys`` names."""
        keys = generator.keys if isinstance(generator, SampleStreams) else None
        if keys is None:
            raise ConfigError(
                f'{self.name}: needs the index of every image: call per_sample(x, keys=indices) '
                "or use noise.where='pipeline' on float images (after ToFloat)"
            )
        images = eight_bit(x.detach().cpu().double().permute(0, 2, 3, 1).numpy())
        noisy = [self._replay(image, key) for image, key in zip(images, keys, strict=True)]
        stack = torch.from_numpy(np.stack(noisy)).permute(0, 3, 1, 2)
        return stack.to(x.device, torch.float32).contiguous()

    def _replay(self, image: np.ndarray, key: Hashable) -> np.ndarray:
        index = _index(key)
        if not 0 <= index < self.length:
            raise ConfigError(f'{self.name}: index {index} is not in 0..{self.length - 1}')
        self._stream.seed(self.data_seed * self.length + index)
        return REPLAYS[self.letter](self._stream, image)


def _index(key: Hashable) -> int:
    text = str(key).rsplit('/', 1)[-1]
    if not text.isdigit():
        raise ConfigError(f'NRGANCompatNoise: expected an image index as key, got {key!r}')
    return int(text)


def eight_bit(image: np.ndarray) -> np.ndarray:
    """Return float64 values v / 255 exactly where ``image`` holds them up to float32 rounding."""
    exact = np.rint(image * 255) / 255
    return np.where(np.abs(exact - image) < 1e-6, exact, image)


# One function per family of noises: stream and clean image to noisy image, in the draw order of
# the released code. Scales are in 8-bit units; a pair is drawn from uniformly.


def _scale(stream: np.random.RandomState, scale: Scale) -> float:
    return stream.uniform(*scale) if isinstance(scale, tuple) else scale


def _gaussian(scale: Scale) -> Draw:
    def draw(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
        sigma = _scale(stream, scale)
        return x + sigma / 255 * stream.randn(*x.shape)

    return draw


def _local(low: int, high: int) -> Draw:
    def draw(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
        width, height = (
            (low, low) if low == high else (stream.randint(low, high + 1) for _ in range(2))
        )
        left = stream.randint(0, x.shape[1] - width + 1)
        top = stream.randint(0, x.shape[0] - height + 1)
        mask = np.zeros_like(x)
        mask[top : top + height, left : left + width] = 1
        return x + mask * (25 / 255) * stream.randn(*x.shape)

    return draw


def _uniform(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
    return x + 50 / 255 * stream.uniform(-1, 1, x.shape)


def _mixture(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
    count = x.shape[0] * x.shape[1]
    order, u = stream.permutation(count), stream.rand(count)
    parts = [order[u < 0.7], order[(u >= 0.7) & (u < 0.9)], order[u >= 0.9]]
    noise = np.empty((count, x.shape[2]))
    for pixels, sigma in zip(parts[:2], (15, 25), strict=True):
        noise[pixels] = sigma / 255 * stream.randn(len(pixels), x.shape[2])
    noise[parts[2]] = 50 / 255 * stream.uniform(-1, 1, (len(parts[2]), x.shape[2]))
    return x + noise.reshape(x.shape)


def _brown(white: Literal[0, 1]) -> Draw:
    def draw(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
        eps = stream.randn(*x.shape)
        return x + 25 / 255 * (white * eps + _blur(eps))

    return draw


def _blur(eps: np.ndarray) -> np.ndarray:
    taps = np.array(opencv_taps(5))
    padded = np.pad(eps, ((2, 2), (2, 2), (0, 0)))
    rows = sum(tap * padded[k : k + eps.shape[0]] for k, tap in enumerate(taps))
    both = sum(tap * rows[:, k : k + eps.shape[1]] for k, tap in enumerate(taps))
    return both / (taps**2).sum()


def _multiplicative(scale: Scale, additive: float = 0) -> Draw:
    def draw(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
        y = x + _scale(stream, scale) / 255 * x * stream.randn(*x.shape)
        return y + additive / 255 * stream.randn(*x.shape) if additive else y

    return draw


def _poisson(peak: Scale, additive: float = 0) -> Draw:
    def draw(stream: np.random.RandomState, x: np.ndarray) -> np.ndarray:
        count = _scale(stream, peak)
        y = stream.poisson(count * x) / count
        return y + additive / 255 * stream.randn(*x.shape) if additive else y

    return draw


REPLAYS: dict[str, Draw] = {
    'A': _gaussian(25),
    'B': _gaussian((5, 50)),
    'C': _local(16, 16),
    'D': _local(8, 24),
    'E': _uniform,
    'F': _mixture,
    'G': _brown(white=0),
    'H': _brown(white=1),
    'I': _multiplicative(25),
    'J': _multiplicative((5, 50)),
    'K': _multiplicative(25, additive=5),
    'L': _multiplicative(25, additive=25),
    'M': _poisson(30),
    'N': _poisson((10, 50)),
    'O': _poisson(30, additive=5),
    'P': _poisson(30, additive=25),
}
