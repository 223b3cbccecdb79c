"""Data of GANs that learn from noisy images: where the noise comes from, and how often."""

import pytest
import torch
from mmengine.config import Config

from noiseedit.config import load_config, shipped_root
from noiseedit.datasets import ToyShapes
from noiseedit.models import EditPreprocessor
from noiseedit.noises import build
from noiseedit.registry import DATASETS

BASES = shipped_root() / '_base_'
LETTERS = 'ABCDEFGHIJKLMNOP'


@pytest.fixture
def recipe(tmp_path):
    """Return a function that writes a recipe: toy images and one noise."""

    def write(noise='nrgan_A_fixed'):
        path = tmp_path / 'recipe.py'
        bases = [str(BASES / 'datasets/toy_gan.py'), str(BASES / f'noise/{noise}.py')]
        path.write_text(f"_base_ = {bases}\nmodel = dict(type='NRGAN')\n")
        return path

    return write


def slot(config):
    return config.train_dataloader.dataset.dataset.pipeline[-1]


def real(config):
    """Return one image of the first two visits, and the clean one."""
    settings = config.train_dataloader.dataset.to_dict()
    settings['dataset']['length'] = 6
    whole = DATASETS.build(settings)
    images = whole.__getitems__([3, 6 + 3])['inputs']['real']
    return images, ToyShapes(6)[3]['inputs']['target'].float() / 255


@pytest.mark.parametrize('letter', LETTERS)
def test_fixed_noise_is_the_preset_on_the_images_to_imitate(letter):
    noise = Config.fromfile(str(BASES / f'noise/nrgan_{letter}_fixed.py')).noise
    assert noise == {'where': 'pipeline', 'target': 'real', 'train': {'preset': f'nrgan/{letter}'}}
    assert build(noise.train).clip


def test_noise_is_the_same_at_every_visit(recipe):
    images, clean = real(load_config(recipe()))
    assert torch.equal(images[0], images[1])
    assert 0.03 < (images[0] - clean).std() < 0.11


@pytest.mark.parametrize('base', ['nrgan_A_fixed', 'nrgan_clean_fixed'])
@pytest.mark.parametrize('name', ['nrgan/G', 'nrgan/G:compat', 'nrgan_G_fixed'])
def test_noise_by_name_keeps_place_and_input(recipe, base, name):
    config = load_config(recipe(base), noise=name)
    assert (config.noise.where, config.noise.target) == ('pipeline', 'real')
    preset = name if '/' in name else 'nrgan/G'
    assert slot(config) == {
        'type': 'NoiseSlot',
        'key': 'real',
        'fixed': True,
        'noise': {'preset': preset},
    }
    images, clean = real(config)
    assert torch.equal(images[0], images[1])
    if name == 'nrgan/G:compat':
        expected = build(name).per_sample(clean[None], ['3'])
        torch.testing.assert_close(images[:1], expected)


def test_clean_data_have_no_noise(recipe):
    images, clean = real(load_config(recipe('nrgan_clean_fixed')))
    assert torch.equal(images[0], clean)


@pytest.mark.parametrize('name', [None, 'nrgan/G'])
def test_noise_drawn_anew_is_one_override_away(recipe, name):
    config = load_config(recipe(), ['noise.where=batch'], noise=name)
    assert 'noise' not in slot(config)
    preprocessor = EditPreprocessor(noise=config.model.data_preprocessor.noise.to_dict())
    images, clean = real(config)
    assert torch.equal(images[0], clean)
    preprocessor.seed_iteration(0)
    noisy = preprocessor({'inputs': {'real': images}}, training=True)['inputs']['real']
    assert not torch.equal(noisy[0], noisy[1])


@pytest.mark.parametrize('name', ['cifar10_gan', 'toy_gan', 'noisy_folder_gan'])
def test_evaluation_names_its_images_and_training_is_whole(name):
    config = Config.fromfile(str(BASES / f'datasets/{name}.py'))
    assert config.train_dataloader.dataset.type == 'WholeSet'
    assert config.train_dataloader.num_workers == 0
    assert config.train_dataloader.batch_size == 64
    for loader in (config.val_dataloader, config.test_dataloader):
        assert loader.dataset.type != 'WholeSet'  # whose batches leave the keys out


def test_a_folder_of_noisy_images_alone_can_be_validated(make_folder):
    config = Config.fromfile(str(BASES / 'datasets/noisy_folder_gan.py'))
    settings = config.val_dataloader.dataset.to_dict()
    settings.update(data_root=make_folder(size=(40, 36), count=3), cache=None)
    item = DATASETS.build(settings)[1]
    preprocessor = EditPreprocessor(value_range='[-1,1]', dequantise=True)
    (sample,) = preprocessor(
        {'inputs': {'real': item['inputs']['real'][None]}, 'data_samples': [item['data_samples']]}
    )['data_samples']
    assert sample.key == '01'
    assert sample.input.shape == (3, 32, 32)
    assert 'gt' not in sample
