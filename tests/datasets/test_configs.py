"""The shipped data set configs: they build, given images, and load batches."""

import pytest
from mmengine.config import Config
from torch.utils.data import DataLoader

from noiseedit.config import shipped_root
from noiseedit.datasets import edit_collate
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS

CONFIGS = sorted((shipped_root() / '_base_/datasets').glob('*.py'))
ROOTS = ('data_root', 'source_root', 'target_root')


def images_for(kind, name, folder, make_folder):
    """Return a folder of images that a data set of type ``kind`` accepts."""
    if kind != 'CIFAR10':
        return make_folder(name, size=(300, 300), count=2)
    picture = DATASETS.get('ToyShapes')(1)[0]['inputs']['target'].permute(1, 2, 0).numpy()
    write_image(folder / 'cifar/cat/0.png', picture)
    return folder / 'cifar'


@pytest.mark.parametrize('loader', ['train_dataloader', 'val_dataloader', 'test_dataloader'])
@pytest.mark.parametrize('file', CONFIGS, ids=lambda file: file.stem)
def test_loader_gives_batches(file, loader, tmp_path, make_folder, monkeypatch):
    monkeypatch.chdir(tmp_path)  # caches go to work_dirs/cache
    config = Config.fromfile(str(file))[loader]
    assert config.collate_fn.type == 'edit_collate'
    assert config.sampler == {'type': 'CounterSampler', 'shuffle': loader == 'train_dataloader'}
    assert bool(config.num_workers) == bool(config.get('persistent_workers'))
    settings = config.dataset.to_dict()
    for name in set(ROOTS) & set(settings):
        settings[name] = images_for(settings['type'], name, tmp_path, make_folder)
    batch = next(iter(DataLoader(DATASETS.build(settings), collate_fn=edit_collate)))
    assert all(image.ndim == 4 for image in batch['inputs'].values())
