"""Image files: every kind against Pillow, and every kind of bad input with its message."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from noiseedit import imaging
from noiseedit.errors import DataError
from noiseedit.files import atomic_file
from noiseedit.imaging import list_images, read_image, to_grey, write_image

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)
GREY = RGB[:, :, 0]
ALPHA = RNG.integers(0, 256, (37, 53), dtype=np.uint8)
DEEP = RNG.integers(0, 65536, (37, 53, 4), dtype=np.uint16)


def png_bytes(width, height, depth, colour, rows):
    """Return a PNG file built by hand; ``rows``: filter byte and samples of every row."""

    def chunk(tag, data):
        crc = struct.pack('>I', zlib.crc32(tag + data))
        return struct.pack('>I', len(data)) + tag + data + crc

    header = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, 0, 0, 0))
    body = chunk(b'IDAT', zlib.compress(rows, 9))
    return b'\x89PNG\r\n\x1a\n' + header + body + chunk(b'IEND', b'')


@pytest.fixture(params=['rust', 'opencv'])
def png_decoder(request, monkeypatch):
    """Run with and without the optional PNG decoder."""
    if request.param == 'rust':
        pytest.importorskip('kornia_rs')
    else:
        monkeypatch.setattr(imaging, '_rust_png_decoder', lambda: None)


@pytest.mark.parametrize('suffix', ['png', 'bmp', 'tif', 'ppm', 'webp', 'jpg'])
@pytest.mark.parametrize('mode', ['RGB', 'L'])
def test_eight_bit_files_equal_pillow(tmp_path, suffix, mode, png_decoder):
    file = tmp_path / f'image.{suffix}'
    options = {'lossless': True} if suffix == 'webp' else {}
    Image.fromarray(RGB).convert(mode).save(file, **options)
    image = read_image(file)
    with Image.open(file) as expected:
        np.testing.assert_array_equal(image, np.asarray(expected.convert('RGB')))
    assert image.dtype == np.uint8
    assert image.flags.writeable
    assert image.flags.c_contiguous


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGB', 'CMYK'])
def test_unusual_modes_equal_pillow(tmp_path, mode):
    file = tmp_path / 'image.tif'
    stored = Image.fromarray(RGB).convert(mode)
    stored.save(file)
    expected = np.asarray(stored.convert('RGB'))
    np.testing.assert_array_equal(read_image(file), expected)


def test_channels_none_keeps_what_is_stored(tmp_path):
    Image.fromarray(GREY).save(tmp_path / 'grey.png')
    Image.fromarray(RGB).save(tmp_path / 'rgb.png')
    assert read_image(tmp_path / 'grey.png', channels=None).shape == (37, 53, 1)
    assert read_image(tmp_path / 'rgb.png', channels=None).shape == (37, 53, 3)


def test_palette_with_transparent_colour_becomes_white(tmp_path):
    palette = Image.new('P', (4, 2), 0)
    palette.putpalette([10, 20, 30, 200, 100, 50])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / 'p.png', transparency=1)
    image = read_image(tmp_path / 'p.png')
    assert image[0, 0].tolist() == [10, 20, 30]
    assert image[0, 1].tolist() == [255, 255, 255]


@pytest.mark.parametrize('colour', [RGB, GREY[:, :, None]])
def test_alpha_is_composited_over_white(tmp_path, colour):
    Image.fromarray(np.dstack([colour, ALPHA])).save(tmp_path / 'a.png')
    image = read_image(tmp_path / 'a.png', channels=None)
    weight = ALPHA[:, :, None] / 255
    expected = colour * weight + 255 * (1 - weight)
    assert image.shape == colour.shape
    assert np.abs(image - expected).max() <= 0.51


@pytest.mark.parametrize('suffix', ['png', 'tif', 'ppm'])
def test_sixteen_bit_colour_keeps_all_bits(tmp_path, suffix):
    file = tmp_path / f'deep.{suffix}'
    cv2.imwrite(str(file), DEEP[:, :, 2::-1])
    image = read_image(file)
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, DEEP[:, :, :3].astype(np.float32) / 65535)


@pytest.mark.parametrize('suffix', ['png', 'tif', 'pgm'])
def test_sixteen_bit_grey_keeps_all_bits(tmp_path, suffix):
    file = tmp_path / f'deep.{suffix}'
    cv2.imwrite(str(file), DEEP[:, :, 0])
    expected = DEEP[:, :, :1].astype(np.float32) / 65535
    np.testing.assert_array_equal(read_image(file, channels=None), expected)
    np.testing.assert_array_equal(read_image(file), np.repeat(expected, 3, axis=2))


def test_arrays_of_one_channel_or_one_column_have_no_negative_strides(tmp_path):
    cv2.imwrite(str(tmp_path / 'grey.png'), DEEP[..., 0])
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    Image.fromarray(RGB[:, :1]).save(tmp_path / 'column.png', exif=exif)
    for name in ('grey', 'column'):
        image = read_image(tmp_path / f'{name}.png', channels=None)
        assert min(image.strides) > 0


def test_ten_bit_ppm_is_scaled_by_its_own_maximum(tmp_path):
    values = np.array([[0, 511, 1023]], dtype='>u2')
    (tmp_path / 'ten.pgm').write_bytes(b'P5 3 1 1023\n' + values.tobytes())
    image = read_image(tmp_path / 'ten.pgm', channels=1)
    np.testing.assert_allclose(image.ravel(), [0, 511 / 1023, 1], atol=1e-7)


def test_sixteen_bit_alpha_is_composited(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), DEEP[:, :, [2, 1, 0, 3]])
    weight = DEEP[:, :, 3:] / 65535
    expected = DEEP[:, :, :3] / 65535 * weight + 1 - weight
    np.testing.assert_allclose(read_image(tmp_path / 'a.png'), expected, atol=1e-6)


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('suffix', ['jpg', 'png', 'tif', 'webp'])
def test_exif_orientation_is_applied(tmp_path, orientation, suffix):
    file = tmp_path / f'turned.{suffix}'
    image = Image.fromarray(RGB)
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(file, exif=exif)
    with Image.open(file) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored).convert('RGB'))
    np.testing.assert_array_equal(read_image(file), expected)


def test_exif_orientation_of_sixteen_bit_png(tmp_path):
    grey = Image.fromarray(DEEP[:, :, 0])
    exif = Image.Exif()
    exif[0x0112] = 6
    grey.save(tmp_path / 'deep.png', exif=exif)
    expected = np.rot90(DEEP[:, :, :1], -1).astype(np.float32) / 65535
    np.testing.assert_array_equal(read_image(tmp_path / 'deep.png', channels=1), expected)


def test_names_beyond_ascii_are_read_and_written(tmp_path):
    file = tmp_path / 'größe 图像.png'
    write_image(file, RGB)
    np.testing.assert_array_equal(read_image(str(file)), RGB)


def test_grey_is_bt601_luma():
    weights = np.array(imaging.GREY_WEIGHTS)
    assert np.abs(to_grey(RGB)[:, :, 0] - RGB @ weights).max() <= 0.51
    floats = (RGB / 255).astype(np.float32)
    np.testing.assert_allclose(to_grey(floats)[:, :, 0], floats @ weights, atol=1e-6)
    assert to_grey(RGB[:, :, :1]).shape == (37, 53, 1)


# Bad input.


def truncated(data):
    return data[: len(data) // 2]


def corrupted(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


def encoded(suffix):
    return cv2.imencode(suffix, RGB)[1].tobytes()


@pytest.mark.parametrize(
    ('name', 'data', 'cause'),
    [
        ('cut.png', truncated(encoded('.png')), 'truncated, corrupt or unsupported PNG file'),
        ('flipped.png', corrupted(encoded('.png')), 'truncated, corrupt or unsupported PNG file'),
        ('cut.jpg', truncated(encoded('.jpg')), 'JPEG file: image file is truncated'),
        ('cut.tif', encoded('.tif')[:-2000], 'TIFF'),
        ('cut.bmp', truncated(encoded('.bmp')), 'BMP file'),
        ('header.png', encoded('.png')[:20], 'broken or unsupported PNG header'),
        ('text.png', b'hello world', r"not an image file \(it begins with b'hello wo'\)"),
        ('empty.png', b'', r'the file is empty \(0 bytes\)'),
    ],
)
def test_bad_files_name_path_and_cause(tmp_path, name, data, cause, png_decoder):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError, match=f'{name}: .*{cause}'):
        read_image(tmp_path / name)


def test_huge_png_is_refused_before_decoding(tmp_path, monkeypatch):
    row = b'\0' + bytes(20000 // 8)
    data = png_bytes(20000, 20000, 1, 0, row * 20000)
    assert len(data) < 50_000
    (tmp_path / 'bomb.png').write_bytes(data)
    monkeypatch.setattr(imaging, '_decode', lambda *args: pytest.fail('it was decoded'))
    with pytest.raises(DataError, match=r'bomb\.png: 20000 x 20000 = 400,000,000 pixels is over'):
        read_image(tmp_path / 'bomb.png')


def test_the_pixel_limit_is_the_callers(tmp_path):
    write_image(tmp_path / 'a.png', RGB)
    assert read_image(tmp_path / 'a.png', max_pixels=37 * 53).shape == RGB.shape
    with pytest.raises(DataError, match='over the limit of 1,960'):
        read_image(tmp_path / 'a.png', max_pixels=37 * 53 - 1)


@pytest.mark.parametrize(
    ('image', 'message'),
    [(GREY, '32 bits per sample; expected 8 or 16'), (RGB, 'unsupported TIFF header')],
)
def test_float_tiff_is_refused(tmp_path, image, message):
    cv2.imwrite(str(tmp_path / 'f.tif'), image.astype(np.float32))
    with pytest.raises(DataError, match=message):
        read_image(tmp_path / 'f.tif')


def test_missing_file_and_folder_in_its_place(tmp_path):
    with pytest.raises(DataError, match=r'no\.png: cannot be read: No such file'):
        read_image(tmp_path / 'no.png')
    with pytest.raises(DataError, match='cannot be read: Is a directory'):
        read_image(tmp_path)


# Writing.


@pytest.mark.parametrize('suffix', ['.png', '.tif', '.bmp'])
@pytest.mark.parametrize('image', [RGB, GREY, GREY[:, :, None]])
def test_eight_bit_round_trip(tmp_path, suffix, image):
    file = tmp_path / 'deeper' / f'a{suffix}'
    write_image(file, image)
    expected = image[:, :, None] if image.ndim == 2 else image
    stored = read_image(file, channels=expected.shape[2])
    np.testing.assert_array_equal(stored, expected)


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
def test_sixteen_bit_round_trip(tmp_path, suffix):
    image = DEEP[:, :, :3].astype(np.float32) / 65535
    write_image(tmp_path / f'a{suffix}', image, bits=16)
    np.testing.assert_array_equal(read_image(tmp_path / f'a{suffix}'), image)
    write_image(tmp_path / f'b{suffix}', DEEP[:, :, :3])
    np.testing.assert_array_equal(read_image(tmp_path / f'b{suffix}'), image)


def test_floats_are_clipped_and_rounded_half_to_even(tmp_path):
    values = np.array([[-1, 0.5 / 255, 1.5 / 255, 2.5 / 255, 2]])
    write_image(tmp_path / 'a.png', values)
    assert read_image(tmp_path / 'a.png', channels=1).ravel().tolist() == [0, 0, 2, 2, 255]


@pytest.mark.parametrize(
    ('name', 'image', 'message'),
    [
        ('a.xyz', RGB, 'expected one of the suffixes .png'),
        ('a.jpg', DEEP[:, :, :3], 'expected one of the suffixes .png, .tif'),
        ('a.png', np.zeros((2, 2, 4)), r'expected \(H, W\).*got \(2, 2, 4\)'),
        ('a.png', np.full((2, 2), np.nan), 'a.png: image: expected finite values'),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, name, image, message):
    with pytest.raises(DataError, match=message):
        write_image(tmp_path / name, image)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    file = tmp_path / 'a.txt'
    file.write_text('old')

    def fail():
        with atomic_file(file) as temporary:
            temporary.write_text('half of the n')
            raise RuntimeError('disk full')

    with pytest.raises(RuntimeError, match='disk full'):
        fail()
    assert file.read_text() == 'old'
    assert list(tmp_path.iterdir()) == [file]


# Folders.


def test_list_images_is_recursive_sorted_and_skips_the_rest(tmp_path):
    for name in ('b/2.png', 'a.JPG', 'b/1.tiff', '.hidden/x.png', 'b/._1.png', 'notes.txt'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    names = [path.relative_to(tmp_path).as_posix() for path in list_images(tmp_path)]
    assert names == ['a.JPG', 'b/1.tiff', 'b/2.png']


def test_empty_missing_and_wrong_folders(tmp_path):
    (tmp_path / 'notes.txt').touch()
    with pytest.raises(DataError, match=r'no images in it \(1 other files\); known suffixes: .png'):
        list_images(tmp_path)
    with pytest.raises(DataError, match=r'a\.png: no such file \(seen from '):
        list_images(tmp_path / 'a.png')
    with pytest.raises(DataError, match='nothing: no such folder'):
        list_images(tmp_path / 'nothing')
    with pytest.raises(DataError, match='is a file, not a folder'):
        list_images(tmp_path / 'notes.txt')
