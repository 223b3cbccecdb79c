"""Blurs, weather and digital corruptions against SciPy, scikit-image, OpenCV and Pillow."""

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from skimage import color, filters
from skimage.data import coffee

from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image
from noiseedit.noises import build, list_presets, resample
from noiseedit.noises.blur import line_kernel, scattered
from noiseedit.noises.build import build_named
from noiseedit.noises.random import SampleStreams
from noiseedit.noises.textures import ICE_BLUE, ICE_CONTRAST, ice, plasma

OURS = (
    'GaussianBlur', 'DefocusBlur', 'MotionBlur', 'ZoomBlur', 'GlassBlur', 'Snow', 'Frost', 'Fog',
    'Spatter', 'Brightness', 'Contrast', 'Saturate', 'Pixelate', 'ElasticTransform',
)  # fmt: skip


@pytest.fixture(scope='module')
def photo() -> np.ndarray:
    """Return (60, 84, 3) float64 in [0, 1]: not square."""
    return coffee()[20:380:6, 40:544:6] / 255


def apply(spec, image: np.ndarray, seed: int = 0) -> np.ndarray:
    x = torch.from_numpy(image).permute(2, 0, 1)[None]
    noise = spec if isinstance(spec, torch.nn.Module) else build(spec)
    return noise(x, generator=SampleStreams([seed]))[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize('width', [0, 0.4, 1, 6, 30])
def test_gaussian_blur_is_that_of_scikit_image(width, photo):
    theirs = filters.gaussian(photo, sigma=width, channel_axis=-1)
    ours = apply({'type': 'GaussianBlur', 'width': width}, photo)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize(('radius', 'alias_blur'), [(0.4, 0.5), (3, 0.1), (8, 0.5), (10, 0.5)])
def test_defocus_blur_is_that_of_opencv(radius, alias_blur, photo):
    side = max(8, int(radius))
    rows, columns = np.mgrid[-side : side + 1, -side : side + 1]
    disk = (rows**2 + columns**2 <= radius**2).astype(float)
    taps = 3 if radius <= 8 else 5
    kernel = cv2.GaussianBlur(disk / disk.sum(), (taps, taps), sigmaX=alias_blur)
    ours = apply({'type': 'DefocusBlur', 'radius': radius, 'alias_blur': alias_blur}, photo)
    np.testing.assert_allclose(ours, cv2.filter2D(photo, -1, kernel), atol=1e-12)


@pytest.mark.parametrize('zoom', [1, 1.11, 1.5])
def test_zoom_blur_is_that_of_scipy(zoom, photo):
    total = photo.copy()
    for factor in np.linspace(1, zoom, 5):
        sides = [int(np.ceil(side / factor)) for side in photo.shape[:2]]
        top, left = ((a - b) // 2 for a, b in zip(photo.shape, sides, strict=False))
        middle = photo[top : top + sides[0], left : left + sides[1]]
        wide = ndimage.zoom(middle, (factor, factor, 1), order=1)
        top, left, _ = ((a - b) // 2 for a, b in zip(wide.shape, photo.shape, strict=True))
        total += wide[top : top + photo.shape[0], left : left + photo.shape[1]]
    ours = apply({'type': 'ZoomBlur', 'zoom': zoom, 'steps': 5}, photo)
    np.testing.assert_allclose(ours, total / 6, atol=1e-12)


# ImageMagick 6.9, radius 10, sigma 3: where a white pixel goes (rows, columns), how bright it is.
TAPS = [59, 56, 47, 36, 24, 14, 8, 3, 1]
LINES = {
    0: [(0, -k) for k in range(9)],
    30: [(0, 0), (0, -1), (-1, -2), (-1, -3), (-2, -3), (-2, -4), (-3, -5), (-3, -6), (-4, -7)],
}


@pytest.mark.parametrize('angle', LINES)
def test_motion_blur_is_that_of_imagemagick(angle):
    kernel = 255 * line_kernel(3, 10, angle)
    centre = len(kernel) // 2
    found = [kernel[centre - row, centre - column] for row, column in LINES[angle]]
    np.testing.assert_allclose(found, TAPS, atol=1)
    assert kernel.sum() == pytest.approx(255)


def test_glass_copies_pixel_by_pixel():
    shift, height, width = 2, 11, 13
    seed = torch.Generator().manual_seed(0)
    offsets = torch.randint(-shift, shift, (1, 2, height, width), generator=seed)
    image = np.arange(height * width).reshape(height, width)
    expected = image.copy()
    for row in range(height - shift, shift, -1):
        for column in range(width - shift, shift, -1):
            down, across = offsets[0, :, row, column].tolist()
            expected[row, column] = expected[row + down, column + across]
    assert np.array_equal(scattered(offsets, shift).reshape(height, width).numpy(), expected)
    assert (expected != image).any()


def test_plasma_is_built_point_by_point(monkeypatch):
    side, decay = 8, 1.7
    draws = []

    def recorded(shape, generator):
        draws.append(torch.rand(tuple(shape), generator=generator))
        return draws[-1]

    monkeypatch.setattr('noiseedit.noises.textures.uniform', recorded)
    ours = plasma(1, side, decay, torch.Generator().manual_seed(3))[0].numpy()
    field, step, amplitude, todo = np.zeros((side, side)), side, 100.0, iter(draws)
    while step >= 2:
        half = step // 2
        for first_row, first_column, around in (
            (half, half, [(-half, -half), (-half, half), (half, -half), (half, half)]),
            (0, half, [(-half, 0), (half, 0), (0, -half), (0, half)]),
            (half, 0, [(-half, 0), (half, 0), (0, -half), (0, half)]),
        ):
            draw = next(todo)[0].numpy()
            for i, row in enumerate(range(first_row, side, step)):
                for j, column in enumerate(range(first_column, side, step)):
                    near = [field[(row + a) % side, (column + b) % side] for a, b in around]
                    field[row, column] = sum(near) / 4 + amplitude**2 * (2 * draw[i, j] - 1)
        step, amplitude = half, amplitude / decay
    field -= field.min()
    np.testing.assert_allclose(ours, field / field.max(), atol=1e-5)


@pytest.mark.parametrize('shift', [0.1, 0.5])
def test_brightness_is_that_of_scikit_image(shift, photo):
    hsv = color.rgb2hsv(photo)
    hsv[..., 2] = np.clip(hsv[..., 2] + shift, 0, 1)
    ours = apply({'type': 'Brightness', 'shift': shift}, photo)
    np.testing.assert_allclose(ours, color.hsv2rgb(hsv), atol=1e-12)


@pytest.mark.parametrize(('factor', 'shift'), [(0.3, 0), (2, 0), (5, 0.1), (20, 0.2)])
def test_saturation_is_that_of_scikit_image(factor, shift, photo):
    photo = photo.copy()
    photo[:4], photo[4:8] = 0.5, 0  # grey turns red, black stays
    hsv = color.rgb2hsv(photo)
    hsv[..., 1] = np.clip(hsv[..., 1] * factor + shift, 0, 1)
    ours = apply({'type': 'Saturate', 'factor': factor, 'shift': shift}, photo)
    np.testing.assert_allclose(ours, color.hsv2rgb(hsv), atol=1e-12)


def test_contrast_keeps_the_mean_of_every_channel(photo):
    ours = apply({'type': 'Contrast', 'factor': 0.3}, photo)
    np.testing.assert_allclose(ours.mean((0, 1)), photo.mean((0, 1)))
    np.testing.assert_allclose(ours.std((0, 1)), 0.3 * photo.std((0, 1)))


@pytest.mark.parametrize('factor', [0.95, 0.6, 0.25, 0.02])
def test_pixelation_is_that_of_pillow(factor, photo):
    image = Image.fromarray((photo * 255).round().astype(np.uint8))
    width, height = image.size
    small = image.resize((max(1, int(width * factor)), int(height * factor)), Image.Resampling.BOX)
    theirs = np.asarray(small.resize(image.size, Image.Resampling.BOX)) / 255
    ours = apply({'type': 'Pixelate', 'factor': factor}, np.asarray(image) / 255)
    np.testing.assert_allclose(ours, theirs, atol=1.01 / 255)


def test_wide_smoothing_is_that_of_scipy():
    field = np.random.default_rng(0).uniform(-1, 1, (20, 33))
    for width in (0, 0.7, 5, 40):
        theirs = ndimage.gaussian_filter(field, width, mode='reflect', truncate=3)
        np.testing.assert_allclose(resample.smooth_reflecting(field, width), theirs, atol=1e-12)


@pytest.mark.parametrize('border', ['mirror', 'reflect', 'nearest'])
def test_interpolation_is_that_of_scipy(border, photo):
    positions = np.random.default_rng(0).uniform(-90, 170, (2, 10, 12))
    image = torch.from_numpy(photo[..., 0])[None]
    ours = resample.bilinear(image, torch.from_numpy(positions), border)[0].numpy()
    theirs = ndimage.map_coordinates(photo[..., 0], positions, order=1, mode=border)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize('name', OURS)
@pytest.mark.parametrize('shape', [(2, 3, 5, 40), (1, 1, 33, 9), (1, 3, 2, 2), (1, 4, 40, 50)])
def test_any_size_and_number_of_channels_works(name, shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    noisy = build_named(name).per_sample(x, range(len(x)))
    assert noisy.shape == shape
    assert torch.isfinite(noisy).all()


@pytest.mark.parametrize('family', ['imagenet_c', 'cifar_c'])
def test_every_severity_of_every_corruption_runs(family, images):
    names = [name for name in list_presets() if name.startswith(family)]
    assert len(names) == 19 * 6
    for name in names:
        noisy = build(name).per_sample(images[:1], [0])
        assert torch.isfinite(noisy).all(), name
        assert 0 <= noisy.min() <= noisy.max() <= 1, name


def test_severity_zero_is_the_image_and_six_is_refused(images):
    fog = build({'preset': 'imagenet_c/fog', 'level': 0})
    assert torch.equal(fog.per_sample(images[:1], [0]), images[:1])
    assert (fog.level.name, fog.with_level(5).level.high) == ('severity', 5)
    with pytest.raises(ConfigError, match=r'severity in 0\.\.5, got 6'):
        fog.with_level(6)


def test_a_severity_draws_what_the_fixed_one_draws(images):
    family = build('imagenet_c/snow').with_level(4)
    fixed = build('imagenet_c/snow/4')
    streams = SampleStreams([5])
    ours = family(images[:1], generator=streams)
    assert torch.equal(ours, fixed(images[:1], generator=SampleStreams([5])))


def test_frost_takes_parts_of_the_pictures_in_a_folder(tmp_path):
    colours = {'a': (200, 10, 10), 'b': (10, 10, 200)}
    for name, colour in colours.items():
        write_image(tmp_path / f'{name}.png', np.full((40, 30, 3), colour, np.uint8))
    spec = {'type': 'Frost', 'opacity': 0.5, 'keep': 0.8, 'textures': str(tmp_path)}
    x = torch.full((20, 3, 64, 48), 0.5)
    frost = (build(spec).per_sample(x, range(20)) - 0.4) / 0.5 * 255
    found = {tuple(pixel) for pixel in frost.mean((2, 3)).round().int().tolist()}
    assert found == set(colours.values())
    family = build({'preset': 'imagenet_c/frost', 'arguments': {'textures': str(tmp_path)}})
    assert family.with_level(3).noise.textures == str(tmp_path)


def test_frost_crops_anywhere(tmp_path):
    ramp = np.arange(48)[:, None, None] + np.zeros((48, 70, 3))
    write_image(tmp_path / 'ramp.png', ramp.astype(np.uint8))
    frost = build({'type': 'Frost', 'opacity': 1, 'keep': 0, 'textures': str(tmp_path)})
    tops = 255 * frost.per_sample(torch.zeros(300, 3, 32, 32), range(300))[:, 0, 0, 0]
    assert {*tops.round().int().tolist()} == {*range(17)}


def test_frost_needs_pictures(tmp_path):
    with pytest.raises(DataError, match='expected a folder with pictures'):
        build({'type': 'Frost', 'opacity': 1, 'textures': str(tmp_path)})


def test_own_frost_has_the_colour_and_contrast_of_the_photographs():
    texture = ice(4, 224, 224, 1.0, SampleStreams([1, 2, 3, 4]))
    assert texture.mean((0, 2, 3)).tolist() == pytest.approx(ICE_BLUE, abs=0.01)
    assert texture.mean(1).std((1, 2)).tolist() == pytest.approx([ICE_CONTRAST] * 4, rel=0.05)
    assert 0 <= texture.min() < texture.max() <= 1


def test_nothing_spatters_where_there_is_no_drop(images):
    dry = build({'type': 'Spatter', 'density': 0, 'spread': 0.01})
    assert torch.equal(dry.per_sample(images, range(4)), images)


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'type': 'ZoomBlur', 'zoom': 0.9}, r'zoom: expected 1\.\.inf'),
        ({'type': 'ZoomBlur', 'zoom': 1.1, 'steps': 1}, 'steps: expected an integer >= 2, got 1'),
        ({'type': 'Pixelate', 'factor': 1.2}, r'factor: expected 0\.001\.\.1'),
        (
            {'type': 'DefocusBlur', 'radius': 3, 'alias_blur': 0},
            'alias_blur: expected a number > 0',
        ),
        ({'type': 'GlassBlur', 'width': 1, 'shift': 0}, 'shift: expected an integer >= 1'),
        ({'type': 'Fog', 'thickness': 1, 'decay': 0}, 'decay: expected a number > 0'),
        ({'type': 'Snow', 'density': 0.1, 'zoom': 0.5}, 'zoom: expected a number >= 1'),
        ({'type': 'ElasticTransform', 'shift': 1, 'jitter': -1}, 'jitter: expected a number >= 0'),
        ({'type': 'Brightness', 'shift': -0.1}, 'shift: expected a finite number >= 0'),
    ],
)
def test_senseless_arguments_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build(arguments)


def test_levels_stay_in_bounds():
    with pytest.raises(ConfigError, match='factor: expected'):
        build({'type': 'Pixelate', 'factor': 0.5}).with_level(2)
    with pytest.raises(NotImplementedError, match='Fog has no closed-form mean'):
        build_named('Fog').mean(torch.rand(1, 3, 4, 4), {})
