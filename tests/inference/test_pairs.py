"""Generated pairs: decided by their position, made in whole batches, trained on from a config."""

import pytest
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from noiseedit.config import load_config
from noiseedit.datasets import edit_collate
from noiseedit.engine import build_runner
from noiseedit.errors import CheckpointError, ConfigError
from noiseedit.inference import GeneratedPairs, load_model
from noiseedit.registry import DATASETS

NOISY_KINDS = ['sinrgan1', 'sinrgan2', 'sdnrgan2', 'ambientgan']


@pytest.fixture
def pairs(trained):
    def build(kind='sinrgan1', **settings):
        config, checkpoint = trained(kind)
        settings = {'length': 10, 'device': 'cpu', **settings}
        return GeneratedPairs(config, checkpoint, **settings)

    return build


@pytest.mark.parametrize('kind', NOISY_KINDS)
def test_a_pair_depends_on_its_position_alone(pairs, kind):
    images = pairs(kind).__getitems__([0, 7, 3, 12])['inputs']
    for place, position in enumerate([0, 7, 3, 12]):
        alone = pairs(kind)[position]['inputs']
        for name in ('source', 'target'):
            torch.testing.assert_close(alone[name], images[name][place], rtol=0, atol=1e-5)


def test_pairs_are_noisy_and_clean_images(pairs):
    batch = pairs().__getitems__(range(8))
    source, target = batch['inputs']['source'], batch['inputs']['target']
    assert source.shape == target.shape == (8, 3, 16, 16)
    for images in (source, target):
        assert not images.requires_grad
        assert images.dtype is torch.float32
        assert 0 <= images.min() < images.max() <= 1
    assert (source - target).std() > 0.001
    assert len({image.sum().item() for image in target}) == 8


def test_every_visit_and_seed_has_pairs_of_its_own(pairs):
    first, visited, other = pairs()[3], pairs()[13], pairs(seed=1)[3]
    assert (first['data_samples'].key, first['data_samples'].visit) == ('generated/0000003', 0)
    assert (visited['data_samples'].key, visited['data_samples'].visit) == ('generated/0000003', 1)
    for name in ('source', 'target'):
        assert not torch.equal(first['inputs'][name], visited['inputs'][name])
        assert not torch.equal(first['inputs'][name], other['inputs'][name])


def test_moving_average_is_used_unless_refused(pairs, trained):
    average, plain = pairs(), pairs(ema='off')
    weight = 'generator.linear1.weight'
    torch.testing.assert_close(
        average.model.get_parameter(weight), plain.model.get_parameter(weight) / 2
    )
    assert not average.model.training
    config, checkpoint = trained()
    assert torch.equal(
        load_model(config, checkpoint, ema='on').get_parameter(weight).cpu(),
        average.model.get_parameter(weight),
    )


def test_loaders_fetch_whole_batches(pairs):
    dataset = pairs()
    loader = DataLoader(dataset, batch_size=4, collate_fn=edit_collate)
    batches = list(loader)
    assert [len(batch['data_samples']) for batch in batches] == [4, 4, 2]
    expected = dataset.__getitems__([4, 5, 6, 7])['inputs']['source']
    assert torch.equal(batches[1]['inputs']['source'], expected)


def test_worker_processes_are_refused(pairs):
    loader = DataLoader(pairs(), batch_size=4, num_workers=1, collate_fn=edit_collate)
    with pytest.raises(ConfigError, match='num_workers=0'):
        next(iter(loader))


def test_global_random_state_is_left_alone(pairs):
    before = torch.random.get_rng_state()
    pairs()[0]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_models_without_noise_or_without_images_are_refused(pairs, trained, tmp_path):
    with pytest.raises(ConfigError, match='learns no noise'):
        pairs('gan')
    with pytest.raises(ConfigError, match='length'):
        pairs(length=0)
    config, _ = trained()
    with pytest.raises(CheckpointError, match='no checkpoint in this folder'):
        GeneratedPairs(config, tmp_path)


def test_a_denoiser_is_no_generative_model(tmp_path):
    from noiseedit.engine.checkpoint import save_checkpoint
    from noiseedit.registry import MODELS

    config = tmp_path / 'denoiser.py'
    config.write_text(
        "model = dict(type='RestorationModel', generator=dict(type='DnCNN', depth=3, width=4))"
    )
    state = MODELS.build(load_config(config).model).state_dict()
    save_checkpoint({'state_dict': state}, tmp_path / 'denoiser.pth')
    with pytest.raises(ConfigError, match='generates no images from latents'):
        GeneratedPairs(config, tmp_path / 'denoiser.pth')


# From a config.

DENOISER = """
_base_ = ['noiseedit::_base_/default_runtime.py', 'noiseedit::_base_/schemes/{scheme}.py']
model = dict(
    type='RestorationModel',
    generator=dict(type='DnCNN', in_channels=3, depth=3, width=4),
    losses=dict(pixel=dict(type='MSELoss')),
)
noise = dict(
    where='batch',
    target='source',
    train=dict(type='GaussianNoise', sigma=25, unit=255),
    test=dict(type='GaussianNoise', sigma=25, unit=255),
)
train_dataloader = dict(
    batch_size=4, num_workers=2, persistent_workers=True,
    sampler=dict(type='CounterSampler', shuffle=True),
    dataset=dict(type='ToyShapes', length=8, size=16, pipeline=[dict(type='NoiseSlot')]),
)
test_dataloader = dict(
    batch_size=4, num_workers=0,
    dataset=dict(type='ToyShapes', length=8, size=16, pipeline=[dict(type='NoiseSlot')]),
)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
train_cfg = dict(type='IterTrainLoop', max_iters=3, val_interval=10)
test_cfg = dict()
test_evaluator = [dict(type='PSNR', profile='float')]
"""


def denoiser(tmp_path, scheme, *overrides):
    file = tmp_path / f'{scheme}.py'
    file.write_text(DENOISER.format(scheme=scheme))
    return load_config(file, overrides)


def test_gn2gc_replaces_the_training_data_and_their_noise(tmp_path):
    config = denoiser(tmp_path, 'gn2gc', 'scheme.checkpoint=here.pth', 'scheme.seed=3')
    assert config.train_dataloader.dataset.type == 'GeneratedPairs'
    assert config.train_dataloader.dataset.type in DATASETS
    assert set(config.train_dataloader.dataset) == {
        'type', 'config', 'checkpoint', 'length', 'seed'
    }  # fmt: skip
    assert config.train_dataloader.dataset.checkpoint == 'here.pth'
    assert config.train_dataloader.num_workers == 0
    assert 'train' not in config.model.data_preprocessor.noise
    assert config.model.data_preprocessor.noise.test.sigma == 25
    assert 'scheme' not in config.model


@pytest.mark.parametrize('noise', ['nrgan/G', 'awgn50'])
def test_noise_for_gn2gc_is_that_of_the_test_and_says_so(tmp_path, noise):
    file = tmp_path / 'gn2gc.py'
    file.write_text(DENOISER.format(scheme='gn2gc'))
    with pytest.warns(UserWarning, match=f'{noise} becomes the noise of the test alone'):
        config = load_config(file, noise=noise)
    assert set(config.model.data_preprocessor.noise) == {'test', 'target', 'seed'}
    expected = load_config(file, noise=noise, noise_for='test')
    assert config.model.data_preprocessor.noise == expected.model.data_preprocessor.noise
    assert config.model.data_preprocessor.noise.test.get('sigma') != 25


@pytest.mark.parametrize('scheme', ['noise2noise', 'noise2void'])
def test_other_schemes_go_into_the_model(tmp_path, scheme):
    config = denoiser(tmp_path, scheme)
    assert config.model.scheme.type.lower() == scheme
    assert config.train_dataloader.dataset.type == 'ToyShapes'
    assert config.model.data_preprocessor.noise.train.sigma == 25


@pytest.mark.parametrize(
    'scheme', ["dict(type='Noise2Void')", "dict(where='model')", "dict(where='moon', type='X')"]
)
def test_a_scheme_without_place_or_class_is_refused(tmp_path, scheme):
    file = tmp_path / 'broken.py'
    file.write_text(f"model = dict(type='RestorationModel')\nscheme = {scheme}")
    with pytest.raises(ConfigError, match='scheme: expected where'):
        load_config(file)


@pytest.mark.parametrize('scheme', ['noise2noise', 'noise2void', 'gn2gc'])
def test_training_and_test_run(tmp_path, trained, scheme):
    config, checkpoint = trained()
    where = [f'scheme.config={config}', f'scheme.checkpoint={checkpoint}', 'scheme.device=cpu']
    options = where if scheme == 'gn2gc' else []
    settings = denoiser(tmp_path, scheme, 'train_dataloader.num_workers=0', *options)
    settings.work_dir, settings.log_level = str(tmp_path / 'work'), 'WARNING'
    settings = Config({**settings.to_dict(), 'experiment_name': f'{scheme}-training'})
    runner = build_runner(settings)
    runner.train()
    assert runner.iter == 3
    scores = runner.test()
    assert 5 < scores['PSNR(rgb,float,border=0)'] < 60
