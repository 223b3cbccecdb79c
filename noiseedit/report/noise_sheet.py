"""One labelled picture of all noises on one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noiseedit.imaging import PathLike, to_integers, write_image
from noiseedit.noises import NoiseSpec, build
from noiseedit.noises.build import build_named
from noiseedit.noises.files import corrupt_image
from noiseedit.registry import NOISES

Tile = tuple[str, str, np.ndarray]

GAP = 10
TEXT_HEIGHT = 36
INK = (32, 32, 32)
GREY_INK = (110, 110, 110)

# What stands under each tile; strong enough to be seen at native resolution.
GALLERY: dict[str, tuple[str, NoiseSpec]] = {
    'Gaussian': ('sigma 25', {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}),
    'Gaussian, mono': (
        'sigma 25, one field',
        {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'mono': True},
    ),
    'Uniform': ('-50 to 50', {'type': 'UniformNoise', 'amplitude': 50, 'unit': 255}),
    'Laplace': ('sigma 25', {'type': 'LaplaceNoise', 'sigma': 25, 'unit': 255}),
    'Salt and pepper': ('amount 0.06', {'type': 'SaltPepperNoise', 'amount': 0.06}),
    'Speckle': ('sigma 64 at white', {'type': 'MultiplicativeNoise', 'sigma': 64, 'unit': 255}),
    'Poisson': ('peak 30', {'type': 'PoissonNoise', 'peak': 30}),
    'Poisson-Gaussian': (
        'peak 30, sigma 15',
        {'type': 'PoissonGaussianNoise', 'peak': 30, 'sigma': 15, 'unit': 255},
    ),
    'Heteroscedastic': (
        'sigma 40 at white, 5',
        {'type': 'HeteroscedasticNoise', 'sigma_signal': 40, 'sigma_read': 5, 'unit': 255},
    ),
    'Pink (power law)': (
        'sigma 25, alpha 1',
        {'type': 'PowerLawNoise', 'sigma': 25, 'unit': 255, 'alpha': 1.0},
    ),
    'Colour kernel': ('sigma 25, 5x5', {'type': 'KernelNoise', 'sigma': 25, 'unit': 255}),
    'Brown': ('sigma 25, 5x5', {'type': 'BrownNoise', 'sigma': 25, 'unit': 255}),
    'White + brown': ('sigma 25', {'type': 'AdditiveBrownNoise', 'sigma': 25, 'unit': 255}),
    'Local Gaussian': (
        'sigma 50, 64x64',
        {'type': 'PatchGaussianNoise', 'sigma': 50, 'unit': 255, 'size': 64},
    ),
    'Mixture': ('per pixel, NR-GAN F', 'nrgan/F'),
    'Sequential': ('NR-GAN L', 'nrgan/L'),
    'JPEG': ('libjpeg, quality 10', {'type': 'JPEGNoise', 'quality': 10}),
    'Differentiable JPEG': ('quality 10', {'type': 'DifferentiableJPEG', 'quality': 10}),
    'Quantised': ('3 bits per channel', {'type': 'QuantizeNoise', 'bits': 3}),
    'Gaussian blur': ('width 2', {'type': 'GaussianBlur', 'width': 2}),
    'Defocus blur': ('radius 4', {'type': 'DefocusBlur', 'radius': 4}),
    'Motion blur': ('ImageNet-C, 2', 'imagenet_c/motion_blur/2'),
    'Zoom blur': ('ImageNet-C, 1', 'imagenet_c/zoom_blur/1'),
    'Glass blur': ('ImageNet-C, 3', 'imagenet_c/glass_blur/3'),
    'Snow': ('ImageNet-C, 2', 'imagenet_c/snow/2'),
    'Frost (ours)': ('ImageNet-C, 3', 'imagenet_c/frost/3'),
    'Fog': ('ImageNet-C, 3', 'imagenet_c/fog/3'),
    'Spatter, water': ('ImageNet-C, 3', 'imagenet_c/spatter/3'),
    'Spatter, mud': ('ImageNet-C, 4', 'imagenet_c/spatter/4'),
    'Brightness': ('shift 0.3', {'type': 'Brightness', 'shift': 0.3}),
    'Contrast': ('factor 0.3', {'type': 'Contrast', 'factor': 0.3}),
    'Saturation': ('factor 2', {'type': 'Saturate', 'factor': 2}),
    'Pixelated': ('factor 0.3', {'type': 'Pixelate', 'factor': 0.3}),
    'Elastic': ('ImageNet-C, 5', 'imagenet_c/elastic_transform/5'),
    'Blocked pixels': ('30 %, rest rescaled', {'type': 'BlockNoise', 'amount': 0.3}),
    'Blocked patch': ('64x64', {'type': 'BlockPatch', 'size': 64}),
    'Kept patch': ('64x64', {'type': 'KeepPatch', 'size': 64}),
    'Extracted patch': ('64x64', {'type': 'ExtractPatch', 'size': 64}),
    'Kernel blur': ('width 1.5, zero padding', {'type': 'KernelBlur', 'width': 1.5}),
}


def noise_sheet(
    image: np.ndarray,
    noises: Mapping[str, tuple[str, NoiseSpec]] | None = None,
    *,
    crop: int = 144,
    columns: int = 5,
    seed: int = 0,
) -> np.ndarray:
    """Draw a grid: the clean crop, then the same crop under every noise, at native resolution.

    Args:
        image: (H, W, 3) uint8, or float in [0, 1]; its centre is shown.
        noises: Title -> (subtitle, spec); ``None``: the gallery of :func:`gallery`.
        crop: Side of a tile in pixels; smaller images are shown whole.
        columns: Tiles per row.
        seed: Base seed; all noises see their own stream of it.

    Returns:
        (H', W', 3) uint8.
    """
    clean = centre(image, crop)
    tiles: list[Tile] = [('Clean', f'{clean.shape[1]}x{clean.shape[0]} crop', to_integers(clean))]
    for title, (subtitle, spec) in (gallery() if noises is None else noises).items():
        tiles.append((title, subtitle, noisy_tile(clean, spec, seed)))
    return grid(tiles, columns)


def gallery() -> dict[str, tuple[str, NoiseSpec]]:
    """Return :data:`GALLERY` and every other registered noise that has an ``example``."""
    shown = {type(build(spec)) for _, spec in GALLERY.values()}
    tiles = dict(GALLERY)
    for name in NOISES.names():
        noise = NOISES.get(name)
        if noise not in shown and noise.example and not _made_of_others(noise.example):
            tiles[name.removesuffix('Noise')] = (
                _caption(noise.example),
                {'type': name, **noise.example},
            )
            shown.add(noise)
    return tiles


def _made_of_others(example: Mapping[str, Any]) -> bool:
    return bool({'noise', 'noises', 'letter', 'checkpoint'} & set(example))


def _caption(example: Mapping[str, Any]) -> str:
    return ', '.join(f'{key} {value}' for key, value in example.items() if key != 'unit')


def specs_by_name(names: Sequence[str]) -> dict[str, tuple[str, NoiseSpec]]:
    """Return the tiles of presets and class names (a class shows its ``example``).

    Raises:
        UnknownNameError: If a name is neither; lists the nearest.
    """
    noises = {name: build_named(name) for name in names}
    return {
        name: ('' if noise.level is None else str(noise.level).split(' (')[0], noise)
        for name, noise in noises.items()
    }


def noisy_tile(image: np.ndarray, spec: NoiseSpec, seed: int) -> np.ndarray:
    """Return the noisy image as 8 bit, what evaluation of image ``'0'`` would see."""
    return to_integers(corrupt_image(build(spec), image, '0', seed))


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """Return the square of ``side`` pixels in the middle, or as much of it as there is."""
    top, left = (max(0, (length - side) // 2) for length in image.shape[:2])
    return image[top : top + side, left : left + side]


def grid(tiles: Sequence[Tile], columns: int) -> np.ndarray:
    """Arrange tiles of one size with title and subtitle below each."""
    from PIL import Image, ImageDraw, ImageFont

    height, width = tiles[0][2].shape[:2]
    rows = -(-len(tiles) // columns)
    step_x, step_y = width + GAP, height + TEXT_HEIGHT + GAP
    sheet = Image.new(
        'RGB', (min(columns, len(tiles)) * step_x + GAP, rows * step_y + GAP), 'white'
    )
    draw = ImageDraw.Draw(sheet)
    title_font, small_font = ImageFont.load_default(15), ImageFont.load_default(12)
    for index, (title, subtitle, picture) in enumerate(tiles):
        x, y = GAP + index % columns * step_x, GAP + index // columns * step_y
        sheet.paste(Image.fromarray(picture), (x, y))
        draw.text((x, y + height + 3), title, fill=INK, font=title_font)
        draw.text((x, y + height + 21), subtitle, fill=GREY_INK, font=small_font)
    return np.asarray(sheet)


def write_sheet(path: PathLike, sheet: np.ndarray, colors: int | None = None) -> None:
    """Write the sheet; ``colors`` (e.g. 256) makes a small palette PNG for documentation."""
    if colors is None:
        write_image(path, sheet)
        return
    from PIL import Image

    palette = Image.fromarray(sheet).quantize(colors, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)


def demo_image() -> np.ndarray:
    """Return a photograph that ships with scikit-image, (200, 230, 3) uint8."""
    from skimage.data import astronaut

    return astronaut()[20:220, 110:340]
