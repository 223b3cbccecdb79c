"""The registered noise that transfers: references, promises of every noise, training on it."""

import copy
import pickle

import numpy as np
import pytest
import torch
from saved_networks import pixels, random_images, write_checkpoint, write_images

from noiseedit.datasets.transforms import AddNoise
from noiseedit.errors import ConfigError, DataError, MissingWeightsError
from noiseedit.imaging import GREY_WEIGHTS, write_image
from noiseedit.inference import transferred_noise
from noiseedit.inference.noise_transfer import embed, load_networks, transfer
from noiseedit.inference.references import References
from noiseedit.models import EditPreprocessor
from noiseedit.noises import SampleStreams, build
from noiseedit.registry import MODELS, NOISES, SCHEMES

GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'clip': True}


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp('transferred') / 'transfer.pth')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    sizes = {'a': (40, 50), 'sub/b': (33, 32), 'c_NOISY': (36, 36)}
    return write_images(tmp_path_factory.mktemp('references'), sizes)


def noise_of(checkpoint, reference, **options):
    named = None if checkpoint is None else str(checkpoint)
    spec = {'type': 'TransferredNoise', 'checkpoint': named, 'reference': reference}
    return build({**spec, **options})


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


# Paired references.


def test_the_reference_is_the_image_with_the_noise(checkpoint):
    clean, noise = random_images(), noise_of(checkpoint, GAUSSIAN, clip=True)
    made = noise(clean, generator=stream())
    generator = stream()
    reference, networks = build(GAUSSIAN)(clean, generator=generator), load_networks(checkpoint)
    expected = transfer(networks, clean, embed(networks, reference), generator).clamp(0, 1)
    assert torch.equal(made, expected)
    assert (made - clean).std() > 0.01


def test_its_level_is_that_of_the_reference_noise(checkpoint):
    noise = noise_of(checkpoint, {**GAUSSIAN, 'sigma': (5, 50)})
    assert noise.name == 'TransferredNoise(GaussianNoise)'
    strong = noise.with_level(50)
    params = strong.sample_params(3, stream())
    torch.testing.assert_close(params['sigma'], torch.full((3, 1, 1, 1), 50 / 255))
    assert (noise.level.high, strong.name) == (50, noise.name)
    assert noise.sample_params(3, stream())['sigma'].unique().numel() == 3
    assert 'GaussianNoise' in repr(noise)
    assert str(checkpoint) in repr(noise)


def test_grey_images_get_the_luma_of_colour_noise(checkpoint):
    grey, noise = random_images(channels=1), noise_of(checkpoint, GAUSSIAN)
    made = noise(grey, generator=stream())
    colour = noise(grey.expand(-1, 3, -1, -1).contiguous(), generator=stream())
    weights = torch.tensor(GREY_WEIGHTS).view(1, 3, 1, 1)
    torch.testing.assert_close(made, (colour * weights).sum(1, keepdim=True))
    with pytest.raises(ValueError, match='expected 1 or 3 channels'):
        noise(random_images(channels=2), generator=stream())


# Unpaired references.


def test_crops_are_parts_of_files(folder):
    references = References(folder, crop=16)
    assert [file.stem for file in references.files] == ['a', 'c_NOISY', 'b']
    draws = torch.rand(40, 3, generator=stream())
    crops = references.crops(*draws.T.reshape(3, -1, 1, 1, 1))
    found = set()
    for crop, which in zip(crops, references.chosen(draws[:, 0]), strict=True):
        image = torch.from_numpy(references.folder[which].copy()).permute(2, 0, 1) / 255
        windows = image.unfold(1, 16, 1).unfold(2, 16, 1).permute(1, 2, 0, 3, 4)
        same = (windows == crop).flatten(2).all(2).nonzero()
        found.add((which, *same[0].tolist()))
    assert {place[0] for place in found} == {0, 1, 2}
    assert len(found) > 30


def test_the_ends_of_the_draws_stay_inside(folder):
    almost = torch.full((1, 1, 1, 1), 1 - 2**-24)
    crops = References(folder, crop=32).crops(*[almost] * 3)
    image = References(folder).folder[2]
    assert np.array_equal((crops[0] * 255).round().permute(1, 2, 0).numpy(), image[1:33, :32])


def test_folder_references_are_drawn_from_the_stream(checkpoint, folder):
    noise, clean = noise_of(checkpoint, str(folder), crop=16), random_images(3)
    together = noise.per_sample(clean, ['x', 'y', 'z'])
    alone = [noise.per_sample(clean[i : i + 1], [k]) for i, k in enumerate('xyz')]
    assert torch.equal(together, torch.cat(alone))
    assert not torch.equal(together, noise.per_sample(clean, ['x', 'y', 'z'], repetition=1))
    params = noise.sample_params(3, SampleStreams([1, 2, 3]))
    crops = noise.references.crops(params['image'], params['top'], params['left'])
    networks = load_networks(checkpoint)
    made = noise.apply(clean, params, stream())
    assert torch.equal(made, transfer(networks, clean, embed(networks, crops), stream()))


def test_whole_references_of_any_size(checkpoint, folder):
    noise, clean = noise_of(checkpoint, str(folder), crop=None), random_images(2)
    params = noise.sample_params(2, SampleStreams([1, 2]))
    networks = load_networks(checkpoint)
    condition = torch.cat(
        [
            embed(networks, noise.references.whole(i))
            for i in noise.references.chosen(params['image'])
        ]
    )
    made = noise.apply(clean, params, stream())
    assert torch.equal(made, transfer(networks, clean, condition, stream()))


def test_large_references_are_cut_to_their_centre(tmp_path):
    image = pixels(600, 530)
    write_image(tmp_path / 'large.png', image)
    whole = References(tmp_path / 'large.png').whole(0)
    expected = image[44 : 44 + 512, 9 : 9 + 512].transpose(2, 0, 1)
    assert np.array_equal((whole[0] * 255).round().numpy(), expected)


def test_a_pattern_and_a_cache_choose_files(folder, tmp_path):
    references = References(folder, 16, pattern='.*NOISY', cache=tmp_path)
    assert [file.stem for file in references.files] == ['c_NOISY']
    assert len(list(tmp_path.glob('*.images'))) == 1


def test_mistakes_name_what_is_wrong(checkpoint, folder, tmp_path):
    clean = random_images(30, 8, 8)
    for options, error, message in (
        ({'reference': str(tmp_path / 'none')}, DataError, 'no such file or folder'),
        ({'reference': str(folder), 'crop': 33}, DataError, 'too small: expected at least 33 x 33'),
        ({'reference': GAUSSIAN, 'checkpoint': 'none.pth'}, MissingWeightsError, 'none.pth'),
    ):
        noise = noise_of(**{'checkpoint': checkpoint, **options})  # says nothing yet
        with pytest.raises(error, match=message):
            noise(clean, generator=stream())
    with pytest.raises(ConfigError, match='at least 8 pixels, got 4'):
        noise_of(checkpoint, str(folder), crop=4)
    with pytest.raises(ConfigError, match='has no level'):
        noise_of(checkpoint, str(folder)).with_level(3)


@pytest.mark.parametrize('mode', ['train', 'test'])
@pytest.mark.parametrize('nested', [False, True])
def test_missing_files_are_named_before_the_first_image(checkpoint, folder, mode, nested):
    def check(**options):
        spec = {'type': 'TransferredNoise', 'checkpoint': str(checkpoint), **options}
        spec = {'type': 'OneOf', 'noises': [GAUSSIAN, spec]} if nested else spec
        EditPreprocessor(noise={mode: spec}).check_noise_files()

    check(reference=GAUSSIAN)
    check(reference=str(folder))
    check(reference=GAUSSIAN, checkpoint=None)
    with pytest.raises(MissingWeightsError, match=r'none\.pth'):
        check(reference=GAUSSIAN, checkpoint='none.pth')
    with pytest.raises(DataError, match='none: no such file or folder'):
        check(reference='none')


def test_untrained_networks_say_so(monkeypatch):
    said = []
    monkeypatch.setattr(transferred_noise, 'print_log', lambda text, *_: said.append(text))
    transferred_noise.shared_networks.cache_clear()
    for _ in range(2):
        noise_of(None, GAUSSIAN)(random_images(1, 8, 8), generator=stream())
    assert len(said) == 1
    assert 'random weights' in said[0]


# Wherever noises act.


def test_networks_are_no_part_of_the_noise(checkpoint):
    noise = noise_of(checkpoint, GAUSSIAN)
    noise(random_images(), generator=stream())
    assert noise.state_dict() == {}
    assert list(noise.parameters()) == []
    for again in (pickle.loads(pickle.dumps(noise)), copy.deepcopy(noise)):
        made = [n(random_images(), generator=stream()) for n in (noise, again)]
        assert torch.equal(*made)


def test_gradients_pass_as_if_the_noise_were_constant(checkpoint):
    x = random_images().requires_grad_()
    noisy = noise_of(checkpoint, GAUSSIAN)(x, generator=stream())
    assert torch.equal(torch.autograd.grad(noisy.sum(), x)[0], torch.ones_like(x))


def test_a_pipeline_step_takes_it(checkpoint):
    step = AddNoise({'type': 'TransferredNoise', 'checkpoint': checkpoint, 'reference': GAUSSIAN})
    results = [
        step({'key': 'a', 'visit': 0, 'seed': 3, 'target': pixels(16, 20)})['source']
        for _ in range(2)
    ]
    assert results[0].dtype == np.uint8
    assert np.array_equal(*results)
    assert not np.array_equal(results[0], pixels(16, 20))


def denoiser(checkpoint, **options):
    spec = {'type': 'TransferredNoise', 'checkpoint': str(checkpoint), 'reference': GAUSSIAN}
    return MODELS.build({
        'type': 'RestorationModel',
        'generator': {'type': 'DnCNN', 'in_channels': 3, 'width': 4, 'depth': 3},
        'losses': {'pixel': {'type': 'L1Loss'}},
        **options,
        'data_preprocessor': {'noise': {'train': spec}, **options.pop('data_preprocessor', {})},
    })  # fmt: skip


def test_a_denoiser_trains_on_it_and_the_border_is_cut(checkpoint):
    preprocessor = denoiser(checkpoint, data_preprocessor={'crop_border': 4}).data_preprocessor
    clean = random_images(2, 24, 24)
    preprocessor.seed_iteration(5)
    batch = preprocessor({'inputs': {'target': clean}, 'data_samples': None}, training=True)
    inputs = batch['inputs']
    assert torch.equal(inputs['target'], clean[..., 4:-4, 4:-4])
    expected = preprocessor.noises['train'](clean, generator=stream(5))
    assert torch.equal(inputs['source'], expected[..., 4:-4, 4:-4])
    preprocessor.crop_border = 12
    with pytest.raises(ConfigError, match='border of 12 pixels'):
        preprocessor({'inputs': {'target': clean}, 'data_samples': None}, training=True)


def test_the_state_of_a_denoiser_holds_no_noise_network(checkpoint):
    model, bare = denoiser(checkpoint), denoiser(checkpoint, data_preprocessor={'noise': {}})
    model.data_preprocessor.seed_iteration(0)
    model.data_preprocessor({'inputs': {'target': random_images()}, 'data_samples': None}, True)
    assert set(model.state_dict()) == set(bare.state_dict())


# The scheme.


def scheme_of(checkpoint, **options):
    return SCHEMES.build({'type': 'TransferredReference', 'checkpoint': checkpoint, **options})


def test_the_scheme_takes_references_of_the_batch(checkpoint):
    model = denoiser(checkpoint, data_preprocessor={'noise': {}, 'value_range': '[-1,1]'})
    preprocessor = model.data_preprocessor
    clean, reference = random_images(2, 20, 20), random_images(2, 20, 20, seed=1)
    preprocessor.seed_iteration(5)
    inputs = {'source': 2 * clean - 1, 'target': -clean, 'reference': 2 * reference - 1}
    made = scheme_of(checkpoint, border=2).prepare(inputs, preprocessor)
    networks = load_networks(checkpoint)
    noisy = transfer(networks, clean, embed(networks, reference), stream(5)).clamp(0, 1)
    inner = (..., slice(2, -2), slice(2, -2))
    torch.testing.assert_close(made['source'], (2 * noisy - 1)[inner], rtol=0, atol=1e-5)
    assert torch.equal(made['target'], (2 * clean - 1)[inner])
    assert set(made) == {'source', 'target'}


def test_the_scheme_says_what_the_batch_lacks(checkpoint):
    preprocessor = denoiser(checkpoint).data_preprocessor
    with pytest.raises(ConfigError, match='lacks reference'):
        scheme_of(checkpoint).prepare({'source': random_images()}, preprocessor)


def test_a_model_with_the_scheme_trains(checkpoint):
    scheme = {'type': 'TransferredReference', 'checkpoint': checkpoint}
    model = denoiser(checkpoint, data_preprocessor={'noise': {}}, scheme=scheme)
    model.data_preprocessor.seed_iteration(0)
    inputs = {
        name: random_images(2, 20, 20, seed=s) for s, name in enumerate(['source', 'reference'])
    }
    batch = model.data_preprocessor({'inputs': inputs, 'data_samples': None}, training=True)
    losses = model.loss(model.prepare(batch['inputs']))
    assert losses['pixel'] > 0


def test_it_is_found_by_name_alone():
    assert 'TransferredNoise' in NOISES.names()
    assert NOISES.get('TransferredNoise').__module__.startswith('noiseedit.inference')
