"""Registries: lazy, helpful, and open to packages outside the repository."""

import sys
from importlib.metadata import EntryPoint

import pytest

from noiseedit import registry
from noiseedit.errors import NoiseEditError, UnknownNameError
from noiseedit.registry import GENERATORS, METRICS, NOISES, REGISTRIES, find_class, load_plugins

STRIPES_REGISTRY = """
from noiseedit.registry import NOISES as PARENT, Registry
NOISES = Registry('noise', parent=PARENT, scope='stripes', locations=['stripes.noises'])
"""
STRIPES_NOISE = '''
from noiseedit.noises import AdditiveNoise
from noiseedit.noises.random import normal
from stripes.registry import NOISES


@NOISES.register_module()
class RowStripe(AdditiveNoise):
    """One random offset per row."""

    def apply(self, x, params, generator):
        return x + params['sigma'] * normal((len(x), 1, x.shape[2], 1), generator).to(x.device)
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that writes a package into a folder on ``sys.path``."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, **modules):
        folder = tmp_path / name
        folder.mkdir()
        (folder / '__init__.py').write_text('')
        for module, text in modules.items():
            (folder / f'{module}.py').write_text(text)

    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], '__file__', '') and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]
    NOISES._children.pop('stripes', None)


@pytest.mark.parametrize('name', sorted(REGISTRIES))
def test_every_registry_loads_and_every_class_has_a_docstring(name):
    for key in REGISTRIES[name].names():
        assert REGISTRIES[name].get(key).__doc__, key


def test_unknown_name_lists_the_nearest():
    with pytest.raises(UnknownNameError, match='Nearest names: GaussianNoise'):
        NOISES.build({'type': 'GausianNoise', 'sigma': 1, 'unit': 255})
    assert 'GausianNoise' not in NOISES


def test_dotted_paths_resolve():
    assert GENERATORS.get('torch.nn.Conv2d').__name__ == 'Conv2d'


def test_package_with_a_registry_needs_no_import(package):
    package('stripes', registry=STRIPES_REGISTRY, noises=STRIPES_NOISE)
    noise = NOISES.build({'type': 'stripes.RowStripe', 'sigma': 12, 'unit': 255})
    assert noise.level.bounds[0] == pytest.approx(12 / 255)
    assert 'stripes.RowStripe' in NOISES.names()


@pytest.mark.parametrize('line', ['import not_there_at_all', '1 / 0'])
def test_failing_package_is_shown(package, line):
    package('broken', registry=line)
    with pytest.raises(NoiseEditError, match=r"'broken' failed to import.*(not_there|division)"):
        NOISES.get('broken.Thing')


def test_plugins_load_by_entry_point_and_failures_are_named(package, monkeypatch):
    package('good', plugin='called = []\ndef register():\n    called.append(1)')
    package('bad', plugin='raise RuntimeError("out of paper")')
    points = [
        EntryPoint('good', 'good.plugin:register', registry.PLUGIN_GROUP),
        EntryPoint('bad', 'bad.plugin', registry.PLUGIN_GROUP),
    ]
    monkeypatch.setattr(registry, 'entry_points', lambda group: points)
    monkeypatch.setattr(registry, 'failed_plugins', {})
    with pytest.warns(UserWarning, match="plug-in 'bad' failed to load.*out of paper"):
        assert load_plugins() == ['good']
    assert sys.modules['good.plugin'].called == [1]
    with pytest.raises(UnknownNameError, match="Plug-in 'bad' failed to load"):
        NOISES.get('NoSuchNoise')


def test_find_class_reaches_mmengine_and_torch_optimisers():
    assert find_class('GaussianNoise').__name__ == 'GaussianNoise'
    assert find_class('PSNR') is METRICS.get('PSNR')
    assert find_class('Adam').__name__ == 'Adam'
    assert find_class('NothingOfTheSort') is None


def test_late_modules_are_imported_for_names_that_nothing_else_has(package, monkeypatch):
    text = "from noiseedit.registry import PARTS\nPARTS.register_module('Late', module=list)"
    package('slow', parts=text)
    parts = registry.Registry('part', scope='noiseedit')
    parts.register_module('Early', module=dict)
    parts.late = ('slow.parts',)
    monkeypatch.setattr(registry, 'PARTS', parts, raising=False)
    assert parts.get('Early') is dict
    assert 'slow.parts' not in sys.modules
    assert parts.get('Late') is list
    assert parts.names() == ['Early', 'Late']
    assert 'Nothing' not in parts
