"""What noise injection promises: the same noise for every model, and clean targets."""

import copy

import pytest
import torch
from torch.utils.data import DataLoader

from noiseedit.config import load_config
from noiseedit.datasets import edit_collate
from noiseedit.noises import build
from noiseedit.registry import DATASETS, MODELS

RECIPES = [
    'pix2pix/pix2pix_resnet_toy-pencil.py',
    'pix2pix/pix2pix_resnet_toy-pencil_gaussian-v0.08.py',
]
NOISES = ['gni/gaussian', 'gni/uniform', 'gni/laplace', 'gni/color', 'gni/salt_pepper']


def batches_of(config, batch_size, workers):
    """Return what the model sees: inputs in [-1, 1] by key, under every noise."""
    dataset = DATASETS.build(copy.deepcopy(config.test_dataloader.dataset))
    indices = range(6)
    loader = DataLoader(
        dataset, batch_size, sampler=indices, num_workers=workers, collate_fn=edit_collate
    )
    preprocessor = MODELS.build(copy.deepcopy(config.model)).data_preprocessor
    seen = {}
    for batch in loader:
        for name in NOISES:
            noisy = preprocessor.test_batch(preprocessor.load(batch), build(name), seed=1)
            for index, sample in enumerate(noisy['data_samples']):
                images = noisy['inputs']
                seen[name, sample.key] = images['source'][index], images['target'][index]
    return seen


@pytest.fixture(scope='module')
def reference():
    return batches_of(load_config(RECIPES[0]), 1, 0)


@pytest.mark.parametrize('recipe', RECIPES)
@pytest.mark.parametrize(('batch_size', 'workers'), [(4, 0), (3, 2)])
def test_t9_every_model_batch_and_worker_sees_the_same_noise(
    reference, recipe, batch_size, workers
):
    seen = batches_of(load_config(recipe), batch_size, workers)
    assert len(seen) == 6 * len(NOISES)
    assert set(seen) == set(reference)
    for key, (source, target) in seen.items():
        assert torch.equal(source, reference[key][0]), key
        assert torch.equal(target, reference[key][1]), key


def test_t11_targets_are_untouched_in_training_and_test():
    config = load_config(RECIPES[1])
    model = MODELS.build(copy.deepcopy(config.model))
    dataset = DATASETS.build(copy.deepcopy(config.train_dataloader.dataset))
    batch = edit_collate([dataset[index] for index in range(4)])
    clean = {name: image.clone() for name, image in batch['inputs'].items()}
    preprocessor = model.data_preprocessor
    preprocessor.seed_iteration(0)
    seen = preprocessor(batch, training=True)['inputs']
    assert torch.equal(batch['inputs']['target'], clean['target'])
    expected = {name: preprocessor.normalise(image.float() / 255) for name, image in clean.items()}
    assert torch.equal(seen['target'], expected['target'])
    variance = (seen['source'] - expected['source']).square().mean()
    assert variance.item() == pytest.approx(0.08, rel=0.02)
