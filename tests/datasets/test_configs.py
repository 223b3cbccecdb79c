"""The shipped data set configs: they build, given images, and load batches."""

from pathlib import Path

import pytest
from mmengine.config import Config
from standard_files import make_dnd, make_set
from torch.utils.data import DataLoader

from noiseedit.config import shipped_root
from noiseedit.datasets import edit_collate
from noiseedit.datasets.face_sketch import CUFS_DATABASES
from noiseedit.imaging import write_image
from noiseedit.registry import DATASETS

CONFIGS = sorted((shipped_root() / '_base_/datasets').glob('*.py'))
ROOTS = ('data_root', 'source_root', 'target_root')


@pytest.fixture
def images_for(tmp_path, make_folder, make_cufs, make_sketches):
    """Return a function for a folder of images that a data set accepts."""

    def make(settings, name):
        kind = settings['type']
        if kind == 'StandardSet':
            settings['check_count'] = False
            return make_set(tmp_path / 'set', settings['layout'], size=(160, 160))
        if kind == 'DND':
            return make_dnd(tmp_path / 'dnd')
        if kind == 'CIFAR10':
            return cifar(tmp_path)
        if kind == 'FaceSketches':
            return fs2k(settings, make_sketches)
        if kind in ('CUFS', 'CUFSF'):
            settings['cache'] = None  # it would decode every image
            return make_cufs(*(CUFS_DATABASES if kind == 'CUFS' else ['CUFSF']))
        return make_folder(name, size=(300, 300), count=2)

    return make


def fs2k(settings, make_sketches):
    """Lay out three pairs as FS2K, and the list that the config names."""
    root = make_sketches(
        'data/FS2K', ['{0}1/{1}0001', '{0}1/{1}0002', '{0}2/{1}0001'], size=(250, 250)
    )
    for kind, file in (('photo', 'image'), ('sketch', 'sketch')):
        for path in (root / kind).rglob('*.png'):
            target = root / kind / str(path.relative_to(root / kind)).format(kind, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    lines = ['FS2K train 1/0001', 'FS2K train 2/0001', 'FS2K test 1/0002']
    Path(settings['list_file']).write_text('\n'.join(lines))
    return root.parent


def cifar(folder):
    """Write one picture of CIFAR-10."""
    picture = DATASETS.get('ToyShapes')(1)[0]['inputs']['target'].permute(1, 2, 0).numpy()
    write_image(folder / 'cifar/cat/0.png', picture)
    return folder / 'cifar'


LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
CASES = [
    pytest.param(file, loader, id=f'{file.stem}-{loader}')
    for file in CONFIGS
    for loader in LOADERS[file.stem.endswith('_test') :]
]


@pytest.mark.parametrize(('file', 'loader'), CASES)
def test_loader_gives_batches(file, loader, tmp_path, images_for, monkeypatch):
    monkeypatch.chdir(tmp_path)  # caches go to work_dirs/cache
    config = Config.fromfile(str(file))[loader]
    assert config.collate_fn.type == 'edit_collate'
    assert config.sampler == {'type': 'CounterSampler', 'shuffle': loader == 'train_dataloader'}
    assert bool(config.num_workers) == bool(config.get('persistent_workers'))
    settings = config.dataset.to_dict()
    inner = settings.get('dataset', settings)
    for name in set(ROOTS) & set(inner):
        inner[name] = images_for(inner, name)
    batch = next(iter(DataLoader(DATASETS.build(settings), collate_fn=edit_collate)))
    assert all(image.ndim == 4 for image in batch['inputs'].values())


PADDED = [file for file in CONFIGS if "type='PadTo'" in Config.fromfile(str(file)).pretty_text]


@pytest.mark.parametrize('loader', ['train_dataloader', 'test_dataloader'])
@pytest.mark.parametrize('file', PADDED, ids=lambda file: file.stem)
def test_the_padding_protocol(file, loader):
    config = Config.fromfile(str(file))
    steps = [step for step in config[loader].dataset.pipeline if step.type != 'NoiseSlot']
    sizes = [step.size for step in steps if step.type in ('PadTo', 'RandomCrop')]
    canvas, crop = (72, 64) if 'toy' in file.stem else (286, 256)
    assert sizes == ([canvas, crop] if loader == 'train_dataloader' else [crop])
    assert config.val_dataloader == config.test_dataloader
    assert config[loader].dataset.pipeline[-1].type == 'NoiseSlot'


@pytest.mark.parametrize('name', ['cufs', 'cufsf', 'fs2k'])
def test_directions_differ_in_direction_alone(name):
    there, back = (
        Config.fromfile(str(CONFIGS[0].parent / f'{name}_{direction}.py')).to_dict()
        for direction in ('photo2sketch', 'sketch2photo')
    )
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert there[loader]['dataset'].pop('direction') == 'photo2sketch'
        assert back[loader]['dataset'].pop('direction') == 'sketch2photo'
    assert there == back
