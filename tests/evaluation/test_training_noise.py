"""What a sweep records of the training: the noise's spec, and its variance where it is white."""

import json

import pytest
from mmengine.config import Config

from noiseedit.config import load_config
from noiseedit.evaluation.training_noise import training_noise
from noiseedit.noises import build
from noiseedit.noises.white import level_variance, white_law, white_variance

WHITE = [
    ({'type': 'GaussianNoise', 'variance': 0.04, 'unit': '[-1,1]'}, 0.01),
    ({'type': 'GaussianNoise', 'sigma': 51, 'unit': 255}, 0.04),
    ({'type': 'LaplaceNoise', 'sigma': 0.2, 'unit': '[0,1]'}, 0.04),
    ({'type': 'UniformNoise', 'amplitude': 51, 'unit': 255}, 0.04 / 3),
    ({'type': 'UniformNoise', 'variance': 0.16, 'unit': '[-1,1]'}, 0.04),
    ({'preset': 'gni/gaussian', 'level': 0.16}, 0.04),
]
OTHERS = [
    {'type': 'GaussianNoise', 'variance': (0, 0.16), 'unit': '[-1,1]'},
    {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255, 'mono': True},
    {'type': 'PowerLawNoise', 'sigma': 25, 'unit': 255},
    {'type': 'MultiplicativeNoise', 'sigma': 25, 'unit': 255},
    {'type': 'SaltPepperNoise', 'variance': 0.04, 'unit': '[-1,1]'},
    {'type': 'PoissonNoise', 'peak': 30},
    {'preset': 'nrgan/K'},
]


def config_with(spec, **noise):
    return Config({'model': {}, 'noise': {'target': 'source', 'train': spec, **noise}})


@pytest.mark.parametrize(('spec', 'variance'), WHITE)
def test_variance_of_white_noise(spec, variance):
    assert white_variance(build(dict(spec))) == pytest.approx(variance, rel=1e-12)
    found = training_noise(config_with(spec))
    assert found['train_noise'] == spec
    assert found['train_variance_01'] == pytest.approx(variance, rel=1e-12)


@pytest.mark.parametrize('spec', OTHERS)
def test_other_noise_has_a_spec_but_no_variance(spec):
    found = training_noise(config_with(spec))
    assert found['train_variance_01'] is None
    assert found['train_noise']['preset' if 'preset' in spec else 'type'] in spec.values()
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize('spec', [spec for spec, _ in WHITE])
def test_recorded_variance_is_that_of_the_noise(spec):
    """The closed form of the noise itself, through float32 parameters."""
    import torch

    noise = build(dict(spec))
    x = torch.full((1, 1, 2, 2), 0.5)
    params = noise.sample_params(1, torch.Generator().manual_seed(0))
    assert white_variance(noise) == pytest.approx(float(noise.variance(x, params)), rel=1e-6)


def test_without_noise_the_variance_is_zero():
    assert training_noise(Config({'model': {}})) == {'train_noise': None, 'train_variance_01': 0.0}


@pytest.mark.parametrize('place', [{'where': 'measurement'}, {'target': 'target'}])
def test_noise_that_is_not_on_the_source_has_no_variance(place):
    found = training_noise(config_with(WHITE[0][0], **place))
    assert found == {'train_noise': WHITE[0][0], 'train_variance_01': None}


def test_noise_of_preprocessor_and_pipeline_is_found():
    spec = WHITE[0][0]
    inside = {'model': {'data_preprocessor': {'noise': {'train': spec, 'target': 'source'}}}}
    assert training_noise(Config(inside))['train_variance_01'] == pytest.approx(0.01)
    step = {'type': 'AddNoise', 'noise': spec}
    loader = {'dataset': {'pipeline': [{'type': 'ToFloat'}, step]}}
    found = training_noise(Config({'model': {}, 'train_dataloader': loader}))
    assert found == {'train_noise': spec, 'train_variance_01': pytest.approx(0.01)}
    loader['dataset']['pipeline'].append(step)
    found = training_noise(Config({'model': {}, 'train_dataloader': loader}))
    assert found['train_noise']['noises'] == [spec, spec]
    assert found['train_variance_01'] is None


def test_pipeline_noise_on_another_input_has_no_variance():
    step = {'type': 'AddNoise', 'noise': 'gni/gaussian', 'key': 'target'}
    loader = {'dataset': {'pipeline': [step]}}
    found = training_noise(Config({'model': {}, 'train_dataloader': loader}))
    assert found == {'train_noise': {'preset': 'gni/gaussian'}, 'train_variance_01': None}


@pytest.mark.parametrize(
    ('recipe', 'variance'),
    [
        ('pix2pix/pix2pix_resnet_toy-pencil.py', 0.0),
        ('pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py', 0.02),
    ],
)
def test_shipped_recipes(recipe, variance):
    assert training_noise(load_config(recipe))['train_variance_01'] == pytest.approx(variance)


def test_laws_and_levels():
    assert white_law(build({'type': 'LaplaceNoise', 'sigma': 1, 'unit': 255})) == 'laplace'
    assert white_law(build({'type': 'KernelNoise', 'sigma': 1, 'unit': 255})) is None
    assert level_variance('sigma', 127.5, 255) == pytest.approx(0.25)


def test_generated_pairs_have_a_noise_of_unknown_variance():
    scheme = {'where': 'data', 'type': 'GeneratedPairs', 'checkpoint': 'gan.pth'}
    found = training_noise(Config({'model': {}, 'scheme': scheme}))
    assert found == {'train_noise': scheme, 'train_variance_01': None}
