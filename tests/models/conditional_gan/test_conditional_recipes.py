"""The recipes of rGAN and CP-GAN train from labelled images on disk to predictions."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import ConfigDict

from noiseedit.binding import bind_label_noise
from noiseedit.config import load_config
from noiseedit.datasets.cifar import CIFAR10, CLASSES
from noiseedit.engine.runner import NoiseRunner
from noiseedit.errors import ConfigError
from noiseedit.imaging import write_image

RECIPES = (  # one of each kind; tests/test_recipes.py builds all
    'rgan/racgan_wgan-gp_cifar10_asymmetric0.7.py',
    'rgan/rcgan_sngan_cifar10_symmetric0.7.py',
    'cp_gan/cp_gan_cifar7to3.py',
)


@pytest.fixture(scope='module')
def cifar(tmp_path_factory) -> Path:
    """A small CIFAR-10: four images of each class."""
    root, draws = tmp_path_factory.mktemp('cifar'), np.random.default_rng(0)
    for name in CLASSES:
        for number in range(4):
            write_image(root / 'train' / name / f'{number}.png', draws.random((32, 32, 3)))
    return root


def small(recipe: str, cifar: Path, work_dir: Path) -> ConfigDict:
    loaders = ('train_dataloader.dataset', 'val_dataloader', 'test_dataloader')
    config = load_config(
        recipe,
        {
            **{f'{loader}.dataset.data_root': str(cifar) for loader in loaders},
            **{f'{loader}.dataset.cache': 'memory' for loader in loaders},
            'train_dataloader.dataset.cache': None,
            'model.generator.channels': 8,
            'model.discriminator.channels': 8,
            'model.d_steps': 2,
            'train_dataloader.batch_size': 8,
            'train_cfg.max_iters': 2,
            'train_cfg.val_interval': 2,
            'val_dataloader.batch_size': 4,
        },
    )
    config.custom_hooks[0].interval = 2
    config.work_dir = str(work_dir)
    config.log_level = 'ERROR'
    return config


@pytest.mark.parametrize('recipe', RECIPES)
def test_a_recipe_trains_and_predicts(recipe, cifar, tmp_path):
    runner = NoiseRunner.from_cfg(small(recipe, cifar, tmp_path))
    runner.train()
    model, inner = runner.model, runner.train_dataloader.dataset.dataset
    labels = [inner[index]['data_samples'].label for index in range(len(inner))]
    assert set(labels) <= set(range(model.num_classes))
    changed = sum(inner[i]['data_samples'].clean_label != label for i, label in enumerate(labels))
    assert changed > len(labels) / 5
    assert (tmp_path / 'samples' / 'iter_0000002.png').is_file()
    rates = [wrapper.get_lr()['lr'][0] for wrapper in runner.optim_wrapper.values()]
    assert all(0 < rate < 2e-4 for rate in rates)


def test_cifar10_can_be_limited_to_classes(cifar):
    data = CIFAR10(cifar, classes=(2, 7))
    assert {data[i]['data_samples'].label for i in range(len(data))} == {2, 7}
    assert data.keys == [f'train/{number:05d}' for number in (8, 9, 10, 11, 28, 29, 30, 31)]
    assert len(CIFAR10(cifar, classes=(2, 7), length=5)) == 5
    whole = CIFAR10(cifar)
    assert (data.images[0] == whole.images[8]).all()


@pytest.mark.parametrize(
    ('recipe', 'known'), [('racgan_wgan-gp', True), ('acgan_wgan-gp', False), ('cgan_sngan', False)]
)
def test_label_noise_stands_once_and_reaches_data_and_model(recipe, known):
    name = f'rgan/{recipe}_cifar10_symmetric0.7.py'
    config = load_config(name, {'label_noise.transition.rate': 0.3, 'label_noise.seed': 7})
    step = config.train_dataloader.dataset.dataset.pipeline[0]
    assert step == {
        'type': 'NoisyLabel',
        'transition': {'name': 'symmetric', 'rate': 0.3},
        'seed': 7,
    }
    assert config.model.get('transition') == (step.transition if known else None)
    assert bind_label_noise(config) == config
    assert 'pipeline' not in config.test_dataloader.dataset  # true labels in tests


def test_labels_stay_without_label_noise(cifar):
    step = {'type': 'NoisyLabel'}
    plain, stepped = CIFAR10(cifar), CIFAR10(cifar, pipeline=[step])
    for index in (0, 39):
        assert stepped[index]['data_samples'].label == plain[index]['data_samples'].label


def test_label_noise_that_nothing_would_use_is_refused():
    rgan = 'rgan/racgan_wgan-gp_cifar10_symmetric0.7.py'
    with pytest.raises(ConfigError, match="no dict\\(type='NoisyLabel'\\)"):
        load_config(rgan, {'train_dataloader.dataset.dataset.pipeline': []})
    with pytest.raises(ConfigError, match=r"label_noise: expected .*, got \['rate'\]"):
        load_config(rgan, {'+label_noise.rate': 0.5})
