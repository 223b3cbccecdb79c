"""Published sets in miniature, what is refused when a layout differs, and the real CC15."""

import json
import pickle
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import loadmat, savemat
from standard_files import CC15, SIDD, image_of, make_dnd, make_set

from noiseedit.datasets import DND, StandardSet
from noiseedit.datasets.crops import starts, write_crops
from noiseedit.datasets.layouts import LAYOUTS
from noiseedit.datasets.mat_files import MatBlocks
from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.evaluation import DNDSubmission
from noiseedit.evaluation.metrics import AKLD
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS
from noiseedit.structures import EditSample

REPOSITORY = Path(__file__).resolve().parents[2]


def open_set(root, layout, **options):
    return StandardSet(root, layout, check_count=False, **options)


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('cached', [False, True])
def test_every_layout_is_read(tmp_path, layout, cached):
    root = make_set(tmp_path / 'set', layout)
    images = open_set(root, layout, cache=tmp_path / 'cache' if cached else None)
    sides = LAYOUTS[layout]
    for number, item in enumerate(images):
        found = {name: int(image.median()) for name, image in item['inputs'].items()}
        expected = {'source': sides.noisy, 'target': sides.clean}
        assert set(found) == {name for name, side in expected.items() if side is not None}
        assert set(item['data_samples'].paths) == set(found)
        assert all(Path(path).is_file() for path in item['data_samples'].paths.values())
        if len(found) == 2:
            assert found['source'] - found['target'] == 50, number
    assert images.metainfo['layout'] == layout


@pytest.mark.parametrize('layout', LAYOUTS)
def test_a_wrong_folder_says_what_is_expected(tmp_path, layout):
    other = tmp_path / 'other'
    write_image(other / 'a.png', image_of(1))
    with pytest.raises(DataError) as caught:
        StandardSet(other, layout)
    assert LAYOUTS[layout].tree in str(caught.value)
    assert str(other) in str(caught.value)


@pytest.mark.parametrize('layout', [name for name, what in LAYOUTS.items() if what.count])
def test_incomplete_sets_are_refused(tmp_path, layout):
    with pytest.raises(DataError, match=f'expected {LAYOUTS[layout].count} images, found'):
        StandardSet(make_set(tmp_path, layout), layout)


def test_direction_turns_pairs(tmp_path):
    root = make_set(tmp_path, 'cc15')
    there, back = (
        open_set(root, 'cc15', direction=name)[0]['inputs']
        for name in ('noisy2clean', 'clean2noisy')
    )
    assert torch.equal(there['source'], back['target'])
    assert torch.equal(there['target'], back['source'])


def test_names_tell_camera_and_iso(tmp_path):
    item = open_set(make_set(tmp_path / 'a', 'sidd_medium'), 'sidd_medium')[1]['data_samples']
    assert item.key == f'{SIDD[0]}/011'
    facts = (item.instance, item.scene, item.camera, item.iso, item.temperature, item.brightness)
    assert facts == (1, 1, 'S6', 100, 3200, 'L')
    item = open_set(make_set(tmp_path / 'b', 'polyu'), 'polyu')[1]['data_samples']
    assert (item.camera, item.aperture, item.iso, item.scene) == (
        *('Canon600D', '3-5'),
        *(1600, 'waterhouse'),
    )
    crop = open_set(make_set(tmp_path / 'c', 'sidd_crops'), 'sidd_crops')[0]['data_samples']
    assert (crop.camera, crop.iso) == ('S6', 100)


def test_only_some_cameras(tmp_path):
    root = make_set(tmp_path, 'cc15')
    held_out = open_set(root, 'cc15', only={'camera': '5dmark3'})
    others = open_set(root, 'cc15', only={'camera': ['d600', 'd800'], 'iso': [1600, 3200]})
    assert held_out.keys == [CC15[0]]
    assert others.keys == list(CC15[1:])
    assert others[1]['data_samples'].iso == 1600
    with pytest.raises(ConfigError, match='they tell camera, iso, scene'):
        open_set(root, 'cc15', only={'lens': 1})
    with pytest.raises(ConfigError, match=r"no image of cc15 is so.*'5dmark3', 'd600'"):
        open_set(root, 'cc15', only={'camera': 'S6'})


def test_what_arguments_refuse(tmp_path):
    with pytest.raises(UnknownNameError, match='nearest: cc15'):
        StandardSet(tmp_path, 'cc_15')
    with pytest.raises(ConfigError, match='clean2noisy'):
        StandardSet(tmp_path, 'cc15', direction='there')


def test_pairs_by_name_list_what_lacks_a_partner(tmp_path):
    root = make_set(tmp_path, 'cc15')
    (root / f'{CC15[1]}_mean.png').unlink()
    with pytest.raises(DataError, match=rf'Only in .*{CC15[1]}.*Expected in'):
        open_set(root, 'cc15')


def test_pairs_by_order_where_names_differ(tmp_path):
    for folder, start in (('input', 100), ('groundtruth', 50)):
        for number in range(3):
            write_image(tmp_path / folder / f'{folder}{number}.png', image_of(start + number))
    images = open_set(tmp_path, 'sidd_validation')
    assert images.keys == ['input0', 'input1', 'input2']
    gaps = [item['inputs']['source'].int() - item['inputs']['target'] for item in images]
    assert all((gap == 50).all() for gap in gaps)
    (tmp_path / 'input/input1.png').unlink()
    with pytest.raises(DataError, match='2 noisy images'):
        open_set(tmp_path, 'sidd_validation')


def test_pairs_of_different_sizes_are_refused(tmp_path):
    root = make_set(tmp_path, 'cc15')
    write_image(root / f'{CC15[0]}_mean.png', image_of(1, (20, 20)))
    with pytest.raises(DataError, match='sizes differ'):
        open_set(root, 'cc15')[0]


# MATLAB files.


def test_blocks_have_keys_by_their_indices(tmp_path):
    root = make_set(tmp_path, 'sidd_validation')
    blocks = MatBlocks(root / 'ValidationGtBlocksSrgb.mat')
    assert blocks.keys == ['0_0', '0_1', '0_2', '1_0', '1_1', '1_2']
    assert [int(blocks[i][0, 0, 0]) for i in range(6)] == list(range(50, 56))
    copy = pickle.loads(pickle.dumps(blocks))
    assert np.array_equal(copy[5], blocks[5])


def test_damaged_and_other_files_are_refused(tmp_path):
    file = tmp_path / 'a.mat'
    file.write_bytes(b'no such file at all' * 20)
    with pytest.raises(DataError, match='cannot be read as a MATLAB file'):
        MatBlocks(file)
    savemat(file, {'a': np.zeros((2, 4, 4, 3)), 'b': 1})
    with pytest.raises(DataError, match='expected one variable, got a, b'):
        MatBlocks(file)
    with pytest.raises(DataError, match="variable 'c', got a, b"):
        MatBlocks(file, 'c')
    with pytest.raises(DataError, match='as uint8, got float64'):
        MatBlocks(file, 'a')[0]
    with pytest.raises(DataError, match=r'height, width, 3\), got \(1, 1\)'):
        MatBlocks(file, 'b')


# DND.


def test_dnd_gives_the_boxes(tmp_path):
    images = DND(make_dnd(tmp_path, images=2), images=2)
    assert len(images) == 40
    assert (images.keys[0], images.keys[-1]) == ('0001_01', '0002_20')
    item = images[23]
    crop = item['inputs']['source']
    assert crop.shape == (3, 6, 6)
    assert crop.dtype == torch.float32
    assert torch.allclose(crop[1:], torch.tensor(0.031))
    assert (crop[0, 0] == 1).all()
    assert list(item['inputs']) == ['source']


def test_dnd_says_what_is_expected(tmp_path):
    with pytest.raises(DataError, match=r'info.mat: no such file. Expected in .*images_srgb/0001'):
        DND(tmp_path)


def dnd_samples(images=2):
    for image in range(1, images + 1):
        for box in range(1, 21):
            key, value = f'{image:04d}_{box:02d}', image + box / 100
            pred = torch.full((3, 4, 4), value - 1)
            yield EditSample(metainfo={'key': key}, pred=pred)


def test_dnd_submission_files(tmp_path):
    metric = DNDSubmission(tmp_path)
    metric.process(None, [sample.to_dict() for sample in dnd_samples()])
    assert metric.evaluate(40) == {'DNDSubmission/crops': 40}
    assert sorted(path.name for path in (tmp_path / 'bundled').iterdir()) == [
        '0001.mat',
        '0002.mat',
    ]
    content = loadmat(tmp_path / 'bundled/0001.mat')
    assert content['Idenoised'].size == 20
    crop = content['Idenoised'].ravel()[6]
    assert crop.shape == (4, 4, 3)
    assert crop.dtype == np.float32
    assert np.allclose(crop, 0.07)
    assert (bool(content['israw']), str(content['eval_version'][0])) == (False, '1.0')
    assert loadmat(tmp_path / 'bundled/0002.mat')['Idenoised'].ravel()[0].max() == 1  # clipped


def test_dnd_submission_refuses_gaps_and_other_images(tmp_path):
    metric = DNDSubmission(tmp_path)
    metric.process(None, list(dnd_samples(1))[:-2])
    with pytest.raises(DataError, match='no prediction of 0001_19, 0001_20'):
        metric.evaluate(18)
    with pytest.raises(DataError, match="keys as '0001_01'"):
        metric.process(None, [EditSample(metainfo={'key': 'a'}, pred=torch.zeros(3, 4, 4))])


# Crops.


def test_crops_cover_every_pixel():
    for length, size, stride in ((100, 32, 32), (96, 32, 16), (20, 32, 32), (33, 32, 40)):
        places = starts(length, size, stride)
        covered = {row for start in places for row in range(start, min(start + size, length))}
        assert covered == set(range(length)) or stride > size
        assert places[0] == 0
        assert places[-1] + min(size, length) == length


def test_crops_of_a_pair_are_pairs(tmp_path):
    root = make_set(tmp_path / 'set', 'sidd_medium')
    counts = list(write_crops(open_set(root, 'sidd_medium'), tmp_path / 'crops', 32))
    assert counts == [8, 8, 8, 8]  # two sides of 2 x 2 crops
    crops = StandardSet(tmp_path / 'crops', 'sidd_crops', only={'camera': 'GP'})
    assert len(crops) == 8
    assert crops.keys[3] == f'{SIDD[1]}/010/00008_00016'
    assert {item['inputs']['source'].shape for item in crops} == {(3, 32, 32)}
    with pytest.raises(ConfigError, match='size and stride'):
        list(write_crops(open_set(root, 'sidd_medium'), tmp_path, 0))


def test_the_crops_tool(tmp_path, monkeypatch, capsys):
    main = runpy.run_path(str(REPOSITORY / 'tools/cache.py'))['main']
    root, out = make_set(tmp_path / 'set', 'div2k_train'), tmp_path / 'crops'
    command = ['cache.py', 'crops', 'div2k_train', str(root), str(out)]
    monkeypatch.setattr(sys, 'argv', command)
    with pytest.raises(DataError, match='expected 800 images, found 3'):
        main()
    monkeypatch.setattr(sys, 'argv', [*command, '--part', '--size', '24'])
    assert main() == 0
    assert capsys.readouterr().out.strip() == f'3 images, 12 crops -> {out}'
    assert len(list(out.glob('target/*/*.png'))) == 12


# The real set.


def test_the_real_cc15(shared):
    root = shared('real_noise/CC15')
    images = DATASETS.build({'type': 'StandardSet', 'data_root': str(root), 'layout': 'cc15'})
    assert len(images) == 15
    cameras = [item['data_samples'].camera for item in images]
    assert {name: cameras.count(name) for name in cameras} == {'5dmark3': 3, 'd600': 3, 'd800': 9}
    noise = [
        float((item['inputs']['source'].float() - item['inputs']['target'].float()).std())
        for item in images
    ]
    assert all(1 < sigma < 20 for sigma in noise), json.dumps(noise)


def test_the_metric_takes_pairs_of_cc15(shared):
    root = shared('real_noise/CC15')
    item = StandardSet(root, 'cc15', direction='clean2noisy')[0]['inputs']
    clean, noisy = (item[name].float() / 255 for name in ('source', 'target'))
    sample = EditSample(metainfo={'key': 'a'}, input=clean, gt=noisy, pred=noisy)
    assert AKLD().score(sample) == 0
    sigma = float((noisy - clean).std())
    draw = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    sample.set_data({'pred': clean + sigma * draw})
    assert AKLD().score(sample) > 0.1  # camera noise depends on the signal
