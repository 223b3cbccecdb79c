"""The data of NoiseTransfer's recipes, in miniature: they load, and give what they say."""

import numpy as np
import pytest
from mmengine.config import ConfigDict
from standard_files import make_set
from torch.utils.data import DataLoader

from noiseedit.config import load_config
from noiseedit.datasets import edit_collate
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS

SIZE = (288, 272)


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Go to a folder with every data set that the recipes name."""
    for layout, folder in (
        ('div2k_train', 'DIV2K'),
        ('sidd_medium', 'SIDD_Medium_Srgb'),
        ('sidd_validation', 'SIDD_Validation_sRGB'),
        ('cc15', 'CC15'),
    ):
        size = (40, 48) if 'validation' in layout else SIZE
        make_set(tmp_path / 'data' / folder, layout, size)
    for folder in ('train/clean', 'train/noisy', 'test/clean', 'test/noisy', 'CBSD68'):
        for number in range(2):
            image = np.random.default_rng(number).integers(0, 255, (*SIZE, 3), dtype=np.uint8)
            write_image(tmp_path / f'data/{folder}/phone_iso200_{number}.png', image)
    monkeypatch.chdir(tmp_path)


def incomplete(node):
    """Return a config whose published sets need not be complete."""
    if isinstance(node, dict):
        changed = {key: incomplete(value) for key, value in node.items()}
        return changed | ({'check_count': False} if node.get('type') == 'StandardSet' else {})
    return [incomplete(part) for part in node] if isinstance(node, list) else node


@pytest.mark.parametrize(
    ('name', 'side', 'test_names'),
    [
        ('div2k-sidd', 96, {'source', 'target'}),
        ('synthetic-folder', 96, {'source', 'target', 'reference'}),
        ('paired-folder', 96, {'source', 'target'}),
        ('small_cc15', 48, {'source', 'target'}),
    ],
)
def test_recipes_give_triplets(data, name, side, test_names):
    config = load_config(f'noise_transfer/noise_transfer_{name}.py').to_dict()
    train, test = (
        DATASETS.build(ConfigDict(incomplete(config[f'{part}_dataloader']['dataset'])))
        for part in ('train', 'test')
    )
    batch = next(iter(DataLoader(train, batch_size=6, collate_fn=edit_collate)))
    assert set(batch['inputs']) == {'source', 'target', 'reference'}
    assert all(image.shape[1:] == (3, side, side) for image in batch['inputs'].values())
    shown = next(iter(DataLoader(test, collate_fn=edit_collate)))
    assert set(shown['inputs']) == test_names


def test_the_published_mixture(data):
    config = load_config('noise_transfer/noise_transfer_div2k-sidd.py').to_dict()
    mixed = DATASETS.build(ConfigDict(incomplete(config['train_dataloader']['dataset'])))
    synthetic, real = mixed.parts.sets
    assert len(synthetic) == 800  # of 320 real pairs: 71.43 % and 28.57 %
    assert synthetic.shares == [0.8, 0.2]
    assert synthetic.noise.probs == [0.2, 0.2, 0.6]
    assert (real.attenuate, real.alpha, real.dequantise) == (0.5, (0.8, 1.0), True)
    clean = synthetic.parts.sets[1]
    assert len(clean) == 4  # of the 8 files of SIDD in miniature: the clean ones
    assert all('GT' in key for key in clean.keys)
