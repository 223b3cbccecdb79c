"""The canvas around a picture: where it stands, what surrounds it, and the way back."""

import numpy as np
import pytest
import torch

from noiseedit.datasets.base import build_pipeline, pack
from noiseedit.datasets.transforms.drawing import pencil
from noiseedit.errors import ConfigError, DataError
from noiseedit.models import EditPreprocessor
from noiseedit.models.base import EditModel
from noiseedit.noises import build

GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}
TRAINING = [
    {'type': 'PadTo', 'size': 286},
    {'type': 'RandomCrop', 'size': 256},
    {'type': 'RandomFlip'},
]


class Identity(EditModel):
    def translate(self, inputs):
        return inputs['source']


def results(size=(250, 200), seed=5, dtype=np.uint8, names=('source', 'target')):
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 255, (*size, 3)).astype(np.uint8) for name in names}
    if dtype == np.float32:
        images = {name: (image / 255).astype(np.float32) for name, image in images.items()}
    return {'key': 'k', 'visit': 0, 'seed': seed, **images}


def run(pipeline, start):
    for step in build_pipeline(pipeline):
        start = step(start)
    return start


def batch(pipeline, seeds=(5,), **kwargs):
    items = [pack(run(pipeline, results(seed=seed, **kwargs))) for seed in seeds]
    inputs = {
        name: torch.stack([item['inputs'][name] for item in items]) for name in items[0]['inputs']
    }
    return {'inputs': inputs, 'data_samples': [item['data_samples'] for item in items]}


@pytest.mark.parametrize(('size', 'top', 'left'), [(256, 3, 28), (286, 18, 43)])
def test_the_published_places(size, top, left):
    start = results()
    out = pack(run([{'type': 'PadTo', 'size': size}], dict(start)))
    image = out['inputs']['source'].permute(1, 2, 0).numpy()
    assert image.shape == (size, size, 3)
    bottom, right = top + 250, left + 200
    np.testing.assert_array_equal(image[top:bottom, left:right], start['source'])
    image[top:bottom, left:right] = 255
    assert (image == 255).all()
    assert out['data_samples'].window == (top, left, 250, 200)
    assert list(out['inputs']) == ['source', 'target']


@pytest.mark.parametrize('size', [(5, 4), (4, 5), (6, 7)])
@pytest.mark.parametrize('canvas', [7, (8, 9)])
def test_padding_and_cropping_back_is_the_identity(size, canvas):
    data = batch([{'type': 'PadTo', 'size': canvas}], size=size)
    (sample,) = Identity({'value_range': '[-1,1]', 'pad_multiple': 4}).test_step(data)
    expected = torch.from_numpy(results(size=size)['source'].transpose(2, 0, 1) / 255).float()
    for name in ('input', 'pred'):
        torch.testing.assert_close(sample.get(name), expected, atol=1e-6, rtol=0)
    assert sample.gt.shape == sample.pred.shape


@pytest.mark.parametrize('seed', range(12))
def test_the_window_follows_crops_and_mirrors(seed):
    pipeline = [*TRAINING, {'type': 'RandomDihedral'}]
    (sample,), inputs = batch(pipeline, [seed])['data_samples'], batch(pipeline, [seed])['inputs']
    top, left, height, width = sample.window
    inside = torch.zeros(256, 256, dtype=torch.bool)
    inside[top : top + height, left : left + width] = True
    for image in inputs.values():
        assert ((image < 255).any(dim=0) == inside).all()


def test_crops_and_mirrors_are_joint_and_reach_every_place():
    start = results()
    start['target'] = 255 - start['source']
    corners, mirrored = set(), set()
    for seed in range(300):
        out = pack(run(TRAINING, {**start, 'seed': seed}))
        source, target = (out['inputs'][name].int() for name in ('source', 'target'))
        top, left, height, width = out['data_samples'].window
        inside = np.s_[:, top : top + height, left : left + width]
        assert (source[inside] + target[inside] == 255).all()
        corners.add((top, left))
        whole = torch.from_numpy(start['source'].transpose(2, 0, 1)).int()
        straight = height == 250 and width == 200 and (source[inside] == whole).all()
        mirrored.add(bool(straight))
    assert mirrored == {True, False}
    tops, lefts = zip(*corners, strict=True)
    assert (min(tops), max(tops)) == (0, 18)
    assert (min(lefts), max(lefts)) == (13, 43)


@pytest.mark.parametrize(
    ('value', 'source', 'target'),
    [
        (255, 255, 255),
        (0, 0, 0),
        ({'source': 127.5, 'target': 0}, 0.5, 0),
        ({'source': 255, 'target': 3}, 255, 3),
    ],
)
@pytest.mark.parametrize('dtype', [np.uint8, np.float32])
def test_values_around_the_picture(value, source, target, dtype):
    out = pack(run([{'type': 'PadTo', 'size': 256, 'value': value}], results(dtype=dtype)))[
        'inputs'
    ]
    for name, expected in (('source', source), ('target', target)):
        corner = out[name][:, 0, 0]
        deep = dtype == np.float32 or expected == 0.5
        assert corner.dtype == (torch.float32 if deep else torch.uint8)
        expected = expected / 255 if deep and expected != 0.5 else expected
        assert corner.tolist() == [pytest.approx(expected)] * 3


def test_half_grey_is_zero_for_a_network_of_minus_one_to_one():
    data = batch([{'type': 'PadTo', 'size': 256, 'value': {'source': 127.5, 'target': 0}}])
    inputs = EditPreprocessor(value_range='[-1,1]')(data)['inputs']
    assert inputs['source'][0, :, 0, 0].tolist() == [0, 0, 0]
    assert inputs['target'][0, :, 0, 0].tolist() == [-1, -1, -1]


# Noise on the canvas.


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('noise_pad', [True, False])
def test_noise_covers_the_canvas_or_the_picture_alone(training, noise_pad):
    data = batch(TRAINING, seeds=range(4))
    noise = {'train': GAUSSIAN, 'test': GAUSSIAN}
    noisy, clean = EditPreprocessor(noise=noise, noise_pad=noise_pad), EditPreprocessor()
    noisy.seed_iteration(3)
    change = noisy(data, training)['inputs']['source'] - clean(data)['inputs']['source']
    for image, sample in zip(change, data['data_samples'], strict=True):
        top, left, height, width = sample.window
        inside = image[:, top : top + height, left : left + width].clone()
        assert inside.std().item() == pytest.approx(25 / 255, rel=0.05)
        image[:, top : top + height, left : left + width] = 0
        border = image[:, (image != 0).any(dim=0)]
        assert (border.numel() > 0) == noise_pad
        if noise_pad:
            assert border.std().item() == pytest.approx(25 / 255, rel=0.05)


def test_the_picture_has_the_same_noise_either_way():
    data, noise = batch([{'type': 'PadTo', 'size': 256}]), build(GAUSSIAN)
    samples = []
    for noise_pad in (True, False):
        preprocessor = EditPreprocessor(noise_pad=noise_pad)
        (sample,) = preprocessor.test_batch(preprocessor.load(data), noise)['data_samples']
        samples.append(sample)
    assert samples[0].input.shape == (3, 250, 200)
    assert torch.equal(samples[0].input, samples[1].input)


def test_without_a_canvas_noise_pad_means_nothing():
    data = batch([])
    images = []
    for noise_pad in (True, False):
        preprocessor = EditPreprocessor(noise_pad=noise_pad)
        images.append(preprocessor.test_batch(preprocessor.load(data), build(GAUSSIAN))['inputs'])
    assert torch.equal(images[0]['source'], images[1]['source'])


def test_the_loaded_batch_is_not_changed_without_noise_pad():
    data = batch([{'type': 'PadTo', 'size': 256}])
    preprocessor = EditPreprocessor(noise_pad=False)
    loaded = preprocessor.load(data)
    before = loaded['inputs']['source'].clone()
    preprocessor.test_batch(loaded, build(GAUSSIAN))
    assert torch.equal(loaded['inputs']['source'], before)


# What is refused.


def test_a_picture_larger_than_the_canvas_is_named():
    message = r"'k': PadTo: source is \(250, 200\) .* larger than the canvas \(256, 199\)"
    with pytest.raises(DataError, match=message):
        run([{'type': 'PadTo', 'size': (256, 199)}], results())


def test_images_of_two_sizes_are_named():
    start = {**results(), 'target': results((20, 20))['target']}
    with pytest.raises(DataError, match=r"'k': PadTo: expected images of one size.*\(20, 20\)"):
        run([{'type': 'PadTo', 'size': 256}], start)


@pytest.mark.parametrize('value', [-1, 256, {'source': 300}])
def test_values_out_of_range_are_refused(value):
    with pytest.raises(ConfigError, match='PadTo: value: expected 0'):
        build_pipeline([{'type': 'PadTo', 'size': 256, 'value': value}])


def test_a_value_is_needed_for_every_input():
    with pytest.raises(ConfigError, match=r"nothing for the input 'target', only for source"):
        run([{'type': 'PadTo', 'size': 256, 'value': {'source': 0}}], results())


def test_crops_that_leave_no_picture_are_refused():
    pipeline = [{'type': 'PadTo', 'size': 300}, lambda r: {k: _corner(v) for k, v in r.items()}]
    with pytest.raises(DataError, match=r"'k': nothing but padding is left"):
        pack(run(pipeline, results()))


def _corner(value):
    return value[:20, :20] if isinstance(value, np.ndarray) else value


# Drawings of photographs.


@pytest.mark.parametrize('direction', ['photo2sketch', 'sketch2photo'])
def test_a_drawing_makes_the_pair(direction):
    start = results(names=('target',))
    photo = start['target']
    out = run([{'type': 'DrawPencil', 'direction': direction}], dict(start))
    names = ('source', 'target') if direction == 'photo2sketch' else ('target', 'source')
    np.testing.assert_array_equal(out[names[0]], photo)
    np.testing.assert_array_equal(out[names[1]], pencil(photo))


def test_drawings_need_the_photograph_alone():
    with pytest.raises(ConfigError, match='expected the image target alone, got source, target'):
        run([{'type': 'DrawPencil'}], results())
    with pytest.raises(ConfigError, match="direction: expected 'photo2sketch'"):
        build_pipeline([{'type': 'DrawPencil', 'direction': 'up'}])


def test_drawings_of_real_photographs(shared):
    from noiseedit.datasets import CleanFolder

    pipeline = [
        {'type': 'Resize', 'size': 250},
        {'type': 'CenterCrop', 'size': (250, 200)},
        {'type': 'DrawPencil'},
        {'type': 'PadTo', 'size': 256},
    ]
    dataset = CleanFolder(shared('afhq_mini'), pattern='cat/(.*)', pipeline=pipeline)
    assert len(dataset) == 17
    item = dataset[3]
    assert item['data_samples'].window == (3, 28, 250, 200)
    assert item['inputs']['source'].shape == item['inputs']['target'].shape == (3, 256, 256)
    assert item['inputs']['target'].float().std() > 10
