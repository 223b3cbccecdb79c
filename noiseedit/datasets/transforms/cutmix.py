"""Patches of noisy photographs as NoiseTransfer takes them: turned, and mixed with themselves."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from noiseedit.datasets.transforms.base import Transform, images_of
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import to_float
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import derive_seed

SMALLEST = 4


class _Piece(NamedTuple):
    """A rectangle of an image: where it is cut out, and how it is turned and mirrored."""

    top: int
    left: int
    height: int
    width: int
    turns: int
    mirror: bool

    def of(self, image: np.ndarray) -> np.ndarray:
        """Return the piece of (H, W, C), turned."""
        rows = slice(self.top, self.top + self.height)
        piece = image[rows, self.left : self.left + self.width]
        piece = piece[:, ::-1] if self.mirror else piece
        return np.rot90(piece, self.turns)


@TRANSFORMS.register_module()
class CutMixCrop(Transform):
    """Cut out a patch, turn and mirror it, and perhaps paste a rectangle of elsewhere into it.

    All images of a sample, which are of one size, get the same. The place is uniform, the symmetry
    one of the eight of the square. The rectangle's height and width are uniform integers of
    [size // 4, 3 size // 4), its source is another uniform place of the same image with a symmetry
    of its own, its place in the patch uniform.

    Args:
        size: Side of the patch in pixels.
        mix: Probability of the rectangle, in [0, 1].
        published: Do as the released code where it turns a rectangle by 90 or 270 degrees: inside a
            frame that keeps height and width, black where the turned content does not reach. False:
            the rectangle is cut such that it fits when turned.

    Raises:
        ConfigError: If ``mix`` is no probability, or the patch too small for a rectangle.
        DataError: If an image is smaller than the patch, or the images differ in size.
    """

    def __init__(self, size: int, mix: float = 0.5, published: bool = False) -> None:
        if not 0 <= mix <= 1 or size < SMALLEST:
            raise ConfigError(
                f'CutMixCrop: expected mix in [0, 1] and size >= {SMALLEST}, got {mix} and {size}'
            )
        self.size, self.mix, self.published = size, mix, published

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return ``results`` with the patch of every image."""
        images = images_of(results)
        shape = self._one_shape(images, results['key'])
        name = self.stream or type(self).__name__
        rng = np.random.default_rng(derive_seed(results['seed'], 'data', name))
        patch = _piece(rng, shape, (self.size, self.size))
        mixes = rng.random() < self.mix
        other, corner = self._rectangle(rng, shape)
        for name, image in images.items():
            whole = patch.of(image)
            results[name] = self._pasted(whole, other.of(image), corner) if mixes else whole
        return results

    def _one_shape(self, images: dict[str, np.ndarray], key: str) -> tuple[int, int]:
        shapes = {image.shape[:2] for image in images.values()}
        if len(shapes) > 1 or min(next(iter(shapes))) < self.size:
            raise DataError(
                f'{key!r}: CutMixCrop: expected images of one size, at least {self.size} pixels '
                f'high and wide, got {sorted(shapes)}'
            )
        height, width = shapes.pop()
        return height, width

    def _rectangle(
        self, rng: np.random.Generator, shape: tuple[int, int]
    ) -> tuple[_Piece, tuple[int, int, int, int]]:
        """Return a piece, and top, left, height and width of where it goes in the patch."""
        low, high = self.size // 4, 3 * self.size // 4
        height, width = (int(side) for side in rng.integers(low, high, 2))
        other = _piece(rng, shape, (height, width), fits=not self.published)
        top, left = (int(rng.integers(self.size - side + 1)) for side in (height, width))
        return other, (top, left, height, width)

    def _pasted(
        self, patch: np.ndarray, piece: np.ndarray, place: tuple[int, int, int, int]
    ) -> np.ndarray:
        top, left, height, width = place
        patch = patch.copy()
        patch[top : top + height, left : left + width] = _framed(piece, height, width)
        return patch


def _piece(
    rng: np.random.Generator, shape: tuple[int, int], size: tuple[int, int], fits: bool = True
) -> _Piece:
    """Draw a piece that has ``size`` after it was turned (``fits``) or before."""
    turns, mirror = int(rng.integers(4)), bool(rng.integers(2))
    height, width = size[::-1] if fits and turns % 2 else size
    top, left = (int(rng.integers(n - m + 1)) for n, m in zip(shape, (height, width), strict=True))
    return _Piece(top, left, height, width, turns, mirror)


def _framed(piece: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return ``piece`` centred in a black frame of (height, width), what is beyond cut off."""
    if piece.shape[:2] == (height, width):
        return piece
    frame = np.zeros((height, width, piece.shape[2]), piece.dtype)
    rows, columns = (min(a, b) for a, b in zip(piece.shape, (height, width), strict=False))
    frame[_middle(height, rows), _middle(width, columns)] = piece[
        _middle(piece.shape[0], rows), _middle(piece.shape[1], columns)
    ]
    return frame


def _middle(length: int, part: int) -> slice:
    start = (length - part) // 2
    return slice(start, start + part)


@TRANSFORMS.register_module()
class Smooth(Transform):
    """Blur all images by a Gaussian, borders mirrored; they become float32 in [0, 1].

    What NoiseTransfer does to photographs that are clean but for a rest of noise.

    Args:
        size: Side of the kernel in pixels, odd.
        sigma: Standard deviation in pixels.

    Raises:
        ConfigError: If ``size`` is even, or a number not positive.
    """

    def __init__(self, size: int = 21, sigma: float = 3.5) -> None:
        if size < 1 or size % 2 == 0 or sigma <= 0:
            raise ConfigError(f'Smooth: expected an odd size and sigma > 0, got {size} and {sigma}')
        self.size, self.sigma = size, sigma

    def transform(self, image: np.ndarray, results: dict[str, Any]) -> np.ndarray:
        """Blur the image."""
        import cv2

        image = np.ascontiguousarray(to_float(image))
        kernel = (self.size, self.size)
        smooth = cv2.GaussianBlur(image, kernel, self.sigma, borderType=cv2.BORDER_REFLECT_101)
        return smooth.reshape(image.shape)
