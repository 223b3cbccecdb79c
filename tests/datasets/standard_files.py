"""Published sets in miniature: the same layout, a few small images."""

import numpy as np
import pytest
from scipy.io import savemat

from noiseedit.imaging import write_image

SIDD = ('0001_001_S6_00100_00060_3200_L', '0002_001_GP_00800_00350_5500_N')
CC15 = ('5dmark3_iso3200_1', 'd600_iso3200_1', 'd800_iso1600_2')
POLYU = ('Canon5D2_5_160_3200_chair_11', 'Canon600D_3-5_125_1600_waterhouse_10')


def image_of(value, size=(40, 48)):
    """Return a grey image; its value tells which it is."""
    return np.full((*size, 3), value, np.uint8)


def _pairs(root, names, noisy='{}', clean='{}', size=(40, 48)):
    for number, name in enumerate(names):
        write_image(root / noisy.format(name), image_of(100 + number, size))
        write_image(root / clean.format(name), image_of(50 + number, size))


def _mat(root, name, value, shape):
    blocks = np.zeros((*shape, 3), np.uint8)
    count = int(np.prod(shape[:-2]))
    blocks.reshape(count, -1)[:] = value + np.arange(count)[:, None]
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / f'{name}.mat', {name: blocks}, do_compression=True)


def make_set(root, layout, size=(40, 48)):
    """Write the set called ``layout``; return its folder."""
    numbers = ['0001', '0002', '0003']
    if layout == 'sidd_medium':
        names = [f'{folder}/{folder[:4]}' for folder in SIDD]
        for end in ('010.PNG', '011.PNG'):
            _pairs(root / 'Data', names, f'{{}}_NOISY_SRGB_{end}', f'{{}}_GT_SRGB_{end}', size)
    elif layout == 'sidd_crops':
        _pairs(root, [f'{SIDD[0]}/010/00000_00000.png'], 'source/{}', 'target/{}', size)
    elif layout == 'sidd_validation':
        _mat(root, 'ValidationNoisyBlocksSrgb', 100, (2, 3, *size))
        _mat(root, 'ValidationGtBlocksSrgb', 50, (2, 3, *size))
    elif layout == 'sidd_benchmark':
        _mat(root, 'BenchmarkNoisyBlocksSrgb', 100, (2, 3, *size))
    elif layout == 'sidd_plus':
        _mat(root, 'siddplus_valid_noisy_srgb', 100, (4, *size))
        _mat(root, 'siddplus_valid_gt_srgb', 50, (4, *size))
    elif layout == 'cc60':
        _pairs(root, numbers, 'CC_60NoisyImage/{}.png', 'CC_60MeanImage/{}.png', size)
    elif layout in ('cc15', 'polyu'):
        end = 'png' if layout == 'cc15' else 'JPG'
        names = CC15 if layout == 'cc15' else POLYU
        _pairs(root, names, f'{{}}_real.{end}', f'{{}}_mean.{end}', size)
    else:
        folder = {'bsds500': 'data/images/val', 'div2k_train': 'DIV2K_train_HR'}
        place = root / folder.get(layout, 'DIV2K_valid_HR')
        for number, name in enumerate(numbers):
            write_image(place / f'{name}.png', image_of(50 + number, size))
    return root


def make_dnd(root, images=50, side=6):
    """Write DND in miniature: 20 boxes of ``side`` pixels in one row per image."""
    h5py = pytest.importorskip('h5py', reason='h5py is not installed')
    width = 20 * side
    (root / 'images_srgb').mkdir(parents=True)
    corners = np.arange(20) * side
    boxes = np.stack([np.full(20, 2), corners + 1, np.full(20, side + 1), corners + side], -1)
    with h5py.File(root / 'info.mat', 'w') as file:
        references = file.create_dataset('info/boundingboxes', (1, 50), h5py.ref_dtype)
        for image in range(50):
            stored = file.create_dataset(f'boxes/{image}', data=boxes.T.astype(float))
            references[0, image] = stored.ref
    for image in range(images):
        rows = np.zeros((side + 3, width, 3), np.float32)
        rows[1 : side + 1] = (np.arange(width) // side)[:, None] / 100 + image / 1000
        rows[1, :, 0] = 1
        with h5py.File(root / 'images_srgb' / f'{image + 1:04d}.mat', 'w') as file:
            file['InoisySRGB'] = rows.T
    return root
