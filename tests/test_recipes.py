"""Every shipped recipe loads, binds and builds, and says no more than its difference."""

import ast
from functools import lru_cache
from pathlib import Path

import pytest
from mmengine.config import Config

from noiseedit.config import load_config, shipped_root
from noiseedit.noises import build
from noiseedit.registry import DATASETS, HOOKS, METRICS, MODELS, TRANSFORMS

ROOT = shipped_root()
RECIPES = sorted(
    str(path.relative_to(ROOT))
    for path in ROOT.rglob('*.py')
    if not {'_base_', 'studies'} & set(path.parts)
)
MIXINS = sorted(path.stem for path in (ROOT / '_base_' / 'noise').glob('*.py'))


def assigned(path: Path) -> set[str]:
    """Return the names a config file assigns; fail on any other statement."""
    names = set()
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        assert isinstance(statement, ast.Assign), f'{path}: {ast.unparse(statement)}'
        names |= {ast.unparse(target) for target in statement.targets}
    return names


@pytest.mark.parametrize('path', sorted(ROOT.rglob('*.py')), ids=lambda path: path.stem)
def test_configs_only_assign(path):
    assert assigned(path)


@lru_cache(maxsize=1)
def built(spec: str):
    """Build a model; recipes that differ in data or noise alone stand next to each other."""
    return MODELS.build(ast.literal_eval(spec))


@pytest.mark.parametrize('name', RECIPES)
def test_recipe_builds(name):
    config = load_config(name)
    MODELS.build(config.model.pop('data_preprocessor'))
    model = built(repr(config.model.to_dict()))
    assert sum(p.numel() for p in model.generator.parameters()) > 0
    optimisers = set(config.optim_wrapper) - {'constructor', 'type', 'optimizer'}
    assert optimisers in ({phase.optimiser for phase in model.phases()}, set()) or (
        'optimizer' in config.optim_wrapper
    )
    for loader in (config.train_dataloader, config.test_dataloader):
        assert loader.dataset.type in DATASETS
        inner = loader.dataset.get('dataset', loader.dataset)
        assert all(step.type in TRANSFORMS for step in inner.get('pipeline', []))
    assert all(metric.type in METRICS for metric in config.test_evaluator)
    for hook in [*config.default_hooks.values(), *config.get('custom_hooks', [])]:
        assert hook is None or hook.type in HOOKS


@pytest.mark.parametrize('name', RECIPES)
def test_recipe_is_in_its_metafile(name):
    folder, file = Path(name).parent, Path(name).name
    assert file in (ROOT / folder / 'metafile.yml').read_text()
    assert (ROOT / folder / 'README.md').is_file()


def test_the_injected_recipe_is_two_bases_and_nothing_else():
    recipes = [name for name in RECIPES if 'toy-pencil_gaussian' in name]
    assert recipes
    for name in recipes:
        assert assigned(ROOT / name) == {'_base_'}


@pytest.mark.parametrize('name', MIXINS)
def test_noise_mixin_holds_noise_alone(name):
    path = ROOT / '_base_' / 'noise' / f'{name}.py'
    assert assigned(path) == {'noise'}
    noise = Config.fromfile(str(path), lazy_import=False).noise
    for mode in ('train', 'test'):
        if mode in noise:
            build(noise[mode])
