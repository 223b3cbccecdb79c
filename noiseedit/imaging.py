"""The one place where image files are read and written.

Arrays are RGB or grey, (H, W, C): ``uint8`` from 8-bit files, ``float32`` in [0, 1] from files with
more bits. What is not pixels is settled here: EXIF orientation is applied, palettes are resolved,
alpha is composited over white, colour profiles (ICC) are ignored, and of animations and multi-page
files the first picture counts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, TypeAlias

import cv2
import numpy as np
from PIL import Image

from noiseedit.errors import DataError
from noiseedit.files import atomic_file

PathLike: TypeAlias = str | os.PathLike[str]

MAX_PIXELS = 64_000_000
"""Largest image that is decoded unless the caller says otherwise."""

FORMATS = ('PNG', 'JPEG', 'MPO', 'BMP', 'PPM', 'TIFF', 'WEBP', 'GIF')
IMAGE_SUFFIXES = (
    '.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm', '.pbm', '.gif',
)  # fmt: skip
WRITABLE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp')
DEEP_SUFFIXES = ('.png', '.tif', '.tiff')

GREY_WEIGHTS = (0.299, 0.587, 0.114)
"""Luma of R, G, B after ITU-R BT.601: the grey of OpenCV, Pillow and MATLAB's rgb2gray."""

_ORIENTATION_TAG = 0x0112
_BITS_PER_SAMPLE_TAG = 258
_ORIENT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image[::-1].swapaxes(0, 1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image[:, ::-1].swapaxes(0, 1),
}


# Reading.


def read_image(
    path: PathLike, *, channels: Literal[1, 3] | None = 3, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Return the picture in a file as (H, W, C), RGB or grey.

    Args:
        path: A PNG, JPEG, BMP, PPM/PGM, TIFF, WebP or GIF file.
        channels: 3: grey is repeated; 1: colour becomes grey; ``None``: as stored.
        max_pixels: Limit on height x width, checked from the header before anything is decoded.

    Returns:
        A fresh contiguous array: uint8, or float32 in [0, 1] if the file has more than 8 bits.

    Raises:
        DataError: If the file is missing, empty, no image, too large, truncated or corrupt; the
            message holds path and cause.
    """
    return decode_image(_read_bytes(Path(path)), path, channels=channels, max_pixels=max_pixels)


def decode_image(
    data: bytes,
    path: PathLike,
    *,
    channels: Literal[1, 3] | None = 3,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Return the picture in the bytes of a file, see :func:`read_image`; ``path`` is its name."""
    header = _open_header(path, data)
    width, height = header.size
    if width * height > max_pixels:
        raise DataError(
            f'{path}: {width} x {height} = {width * height:,} pixels is over the limit of '
            f'{max_pixels:,}; nothing was decoded. Raise max_pixels if the file is to be trusted'
        )
    try:
        image = _decode(header, data)
    except Exception as error:
        raise DataError(
            f'{path}: truncated, corrupt or unsupported {header.format} file: {error}'
        ) from error
    image = with_channels(image, channels)
    if min(image.strides) < 0:  # which NumPy calls contiguous along axes of length 1
        return image.copy()
    return np.require(image, requirements=['C', 'W'])


def has_transparency(path: PathLike) -> bool:
    """Tell whether the picture of a file has transparent parts; readers put it on white.

    Raises:
        DataError: If the file cannot be read, or is no image.
    """
    return bool(_open_header(path, _read_bytes(Path(path))).has_transparency_data)


def _read_bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f'{path}: cannot be read: {error.strerror or error}') from error
    if not data:
        raise DataError(f'{path}: the file is empty (0 bytes)')
    return data


def _open_header(path: PathLike, data: bytes) -> Image.Image:
    """Parse the header alone; our own pixel limit replaces the one of ``Image.open``."""
    Image.init()
    for name in FORMATS:
        factory, accept = Image.OPEN.get(name, (None, None))
        if factory is None or (accept is not None and accept(data[:16]) is not True):
            continue
        try:
            return factory(BytesIO(data), '')
        except Exception as error:
            raise DataError(f'{path}: broken or unsupported {name} header: {error}') from error
    raise DataError(
        f'{path}: not an image file (it begins with {data[:8]!r}); '
        f'readable formats: {", ".join(FORMATS)}'
    )


def _decode(header: Image.Image, data: bytes) -> np.ndarray:
    if _is_plain_png(header, data):
        return _decode_png(data, header.size, header.mode)
    full_scale = _full_scale(header, data)
    header.load()
    image = _decode_8bit(header) if full_scale == 255 else _decode_deep(data, full_scale)
    return _ORIENT.get(_orientation(header), lambda upright: upright)(image)


def _full_scale(header: Image.Image, data: bytes) -> int:
    """Return the stored value that means white: 255, or more for deep files.

    Raises:
        ValueError: For samples of more than 16 bits.
    """
    if header.format == 'PNG':
        return 65535 if data[24] == 16 else 255
    if header.format == 'PPM':
        return _ppm_maximum(header)
    bits = 8
    if header.format == 'TIFF':
        bits = max(header.tag_v2.get(_BITS_PER_SAMPLE_TAG, (8,)))  # type: ignore[attr-defined]
    if bits > 16 or header.mode in ('F', 'I'):
        raise ValueError(f'{bits} bits per sample; expected 8 or 16 bits of unsigned integers')
    return 255 if bits <= 8 else 65535


def _ppm_maximum(header: Image.Image) -> int:
    options = header.tile[0][3]
    if isinstance(options, tuple) and isinstance(options[-1], int):
        return max(255, options[-1])  # Pillow scales smaller maxima to 255
    return 65535 if header.mode.startswith('I') else 255


def _decode_8bit(header: Image.Image) -> np.ndarray:
    if header.has_transparency_data:
        grey = header.mode in ('L', 'LA')
        white = Image.new('RGBA', header.size, 'white')
        flat = Image.alpha_composite(white, header.convert('RGBA'))
        header = flat.convert('RGB').getchannel('R') if grey else flat
    if header.mode in ('1', 'L'):
        return np.asarray(header.convert('L'))[:, :, None]
    return np.asarray(header.convert('RGB'))


def _decode_deep(data: bytes, full_scale: int) -> np.ndarray:
    """Decode more than 8 bits through OpenCV (Pillow cuts 16-bit colour to 8 bits silently)."""
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise ValueError('this kind of 16-bit file is not supported; save it as 16-bit PNG')
    stored = stored[:, :, None] if stored.ndim == 2 else stored
    image = stored.astype(np.float32) / full_scale
    if image.shape[2] == 4:
        alpha = image[:, :, 3:]
        image = image[:, :, :3] * alpha + (1 - alpha)
    return image[:, :, ::-1]


def _orientation(header: Image.Image) -> int:
    try:
        return int(header.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # damaged EXIF says nothing about the pixels
        return 1


def _is_plain_png(header: Image.Image, data: bytes) -> bool:
    """Tell whether the file needs decoding and nothing else."""
    return (
        header.format == 'PNG'
        and header.mode in ('RGB', 'L')
        and data[24] == 8
        and not header.has_transparency_data
        and not {b'eXIf', b'acTL'} & _png_chunks(data)
    )


def _png_chunks(data: bytes) -> set[bytes]:
    """Return the names of the chunks of a PNG file."""
    names, at = set(), 8
    while at + 8 <= len(data):
        names.add(data[at + 4 : at + 8])
        at += 12 + int.from_bytes(data[at : at + 4], 'big')
    return names


def _decode_png(data: bytes, size: tuple[int, int], mode: str) -> np.ndarray:
    """Decode a plain 8-bit PNG; faster where ``kornia_rs`` is installed, bit for bit equal."""
    width, height = size
    if mode == 'RGB' and (decode := _rust_png_decoder()) is not None:
        return np.asarray(decode(data, (height, width), 'rgb'))
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise ValueError('the compressed data ends early or fails its checksum')
    return stored[:, :, None] if stored.ndim == 2 else cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)


@cache
def _rust_png_decoder() -> Callable[..., Any] | None:
    try:
        from kornia_rs.io import decode_image_png_u8
    except ImportError:
        return None
    decoder: Callable[..., Any] = decode_image_png_u8
    return decoder


# Channels and values.


def to_grey(image: np.ndarray) -> np.ndarray:
    """Return (H, W, 1): 0.299 R + 0.587 G + 0.114 B (:data:`GREY_WEIGHTS`), rounded for uint8."""
    if image.shape[2] == 1:
        return image
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[:, :, None]


def with_channels(image: np.ndarray, channels: Literal[1, 3] | None) -> np.ndarray:
    """Return ``image`` (H, W, 1 or 3) with 1 or 3 channels; ``None`` leaves it as it is."""
    if channels is None or image.shape[2] == channels:
        return image
    return to_grey(image) if channels == 1 else np.repeat(image, 3, axis=2)


def to_float(image: np.ndarray) -> np.ndarray:
    """Return float32 in [0, 1]; a float array passes through."""
    if image.dtype == np.uint8:
        return image.astype(np.float32) / np.float32(255)
    return image.astype(np.float32, copy=False)


def to_integers(image: np.ndarray, bits: Literal[8, 16] = 8) -> np.ndarray:
    """Return uint8 or uint16: [0, 1] clipped, scaled, rounded half to even.

    Raises:
        DataError: If a value is NaN or infinite.
    """
    if image.dtype in (np.uint8, np.uint16):
        return image
    if not np.isfinite(image).all():
        raise DataError('image: expected finite values in [0, 1], got NaN or infinity')
    scaled = np.rint(np.clip(image, 0, 1) * (2**bits - 1))
    return scaled.astype(np.uint8 if bits == 8 else np.uint16)


# Writing.


def write_image(path: PathLike, image: np.ndarray, *, bits: Literal[8, 16] = 8) -> None:
    """Write a picture: whole or not at all, never half a file. Folders are made.

    Args:
        path: The suffix chooses the format; one of :data:`WRITABLE_SUFFIXES`.
        image: (H, W), (H, W, 1) or (H, W, 3) RGB: uint8, uint16, or float in [0, 1] (clipped).
        bits: Depth that float images are written with; 16 needs PNG or TIFF.

    Raises:
        DataError: On an unknown suffix, shape or depth, or on NaN; the message holds the path.
    """
    path = Path(path)
    image = image[:, :, None] if image.ndim == 2 else image
    if image.ndim != 3 or image.shape[2] not in (1, 3) or not image.size:
        raise DataError(f'{path}: expected (H, W), (H, W, 1) or (H, W, 3), got {image.shape}')
    try:
        stored = to_integers(image, bits)
    except DataError as error:
        raise DataError(f'{path}: {error}') from error
    _check_suffix(path, WRITABLE_SUFFIXES if stored.dtype == np.uint8 else DEEP_SUFFIXES)
    done, data = cv2.imencode(path.suffix.lower(), np.ascontiguousarray(stored[:, :, ::-1]))
    if not done:
        raise DataError(f'{path}: could not encode {image.shape} as {path.suffix}')
    with atomic_file(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _check_suffix(path: Path, known: tuple[str, ...]) -> None:
    if path.suffix.lower() not in known:
        raise DataError(f'{path}: expected one of the suffixes {", ".join(known)}')


# Folders.


def list_images(folder: PathLike) -> list[Path]:
    """Return the image files below ``folder``, recursive, sorted by relative path, no hidden ones.

    Raises:
        DataError: If the folder is missing, is a file, or holds no image.
    """
    folder = Path(folder)
    if not folder.is_dir():
        wanted = 'file' if folder.suffix.lower() in IMAGE_SUFFIXES else 'folder'
        state = 'is a file, not a folder' if folder.exists() else f'no such {wanted}'
        raise DataError(f'{folder}: {state} (seen from {Path.cwd()})')
    files = [path for path in folder.rglob('*') if path.is_file()]
    images = [path for path in files if _is_image(path.relative_to(folder))]
    if not images:
        raise DataError(
            f'{folder}: no images in it ({len(files)} other files); '
            f'known suffixes: {", ".join(IMAGE_SUFFIXES)}'
        )
    return sorted(images, key=lambda path: path.relative_to(folder).as_posix())


def _is_image(path: Path) -> bool:
    hidden = any(part.startswith('.') for part in path.parts)
    return path.suffix.lower() in IMAGE_SUFFIXES and not hidden
