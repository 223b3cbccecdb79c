"""All registries of noiseedit, and how outside packages plug into them.

A plug-in package ``stripes`` either

* is imported by the config (``custom_imports = dict(imports=['stripes'])``), or
* offers ``stripes/registry.py`` with child registries of scope ``'stripes'``; then the type
  ``'stripes.RowStripe'`` is found without any import in the config, or
* declares an entry point of group ``noiseedit.plugins``: a function called once by every tool.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from mmengine import registry as root
from mmengine.registry import Registry as _Registry

from noiseedit.errors import NoiseEditError, UnknownNameError, nearest

PLUGIN_GROUP = 'noiseedit.plugins'

failed_plugins: dict[str, str] = {}
"""Entry points that failed to load: name -> exception text; shown by unknown-name errors."""


class Registry(_Registry):
    """MMEngine's registry with errors that help: nearest names, and no swallowed imports."""

    late: tuple[str, ...] = ()
    """Modules that are imported for a name which the locations lack: slow ones."""

    def get(self, key: str) -> Any:
        """Return the class registered as ``key``.

        Raises:
            UnknownNameError: If nothing is registered under ``key``; lists the nearest names.
            NoiseEditError: If ``key`` belongs to a plug-in package that fails to import.
        """
        found = self._find(key)
        if found is None:
            raise UnknownNameError(self._unknown(key))
        return found

    def _find(self, key: str) -> Any:
        if isinstance(key, str) and '.' in key:
            _import_scope(key.split('.')[0])
        found = self._look_up(key)
        if found is None and self.late:
            self._import_late()
            found = self._look_up(key)
        return found

    def _look_up(self, key: str) -> Any:
        try:
            return super().get(key)
        except RuntimeError:
            return None

    def _import_late(self) -> None:
        for location in self.late:
            import_module(location)

    def __contains__(self, key: str) -> bool:
        """Tell whether ``key`` can be built."""
        return self._find(key) is not None

    def names(self) -> list[str]:
        """Return every name registered here, children included, sorted."""
        self.import_from_location()
        self._import_late()
        names = list(self._module_dict)
        for scope, child in self._children.items():
            child.import_from_location()
            names += [f'{scope}.{name}' for name in child._module_dict]
        return sorted(names)

    def _unknown(self, key: str) -> str:
        known = set(self.names())
        if self.parent is not None:
            known |= set(self.parent._module_dict)
        message = (
            f'{key!r} is not a registered {self.name}. '
            f'Nearest names: {", ".join(nearest(key, known)) or "none registered"}. '
            'A class of your own must be imported first: '
            "custom_imports = dict(imports=['your_module'])."
        )
        for plugin, error in failed_plugins.items():
            message += f' Plug-in {plugin!r} failed to load: {error}.'
        return message


def _import_scope(scope: str) -> None:
    """Import ``<scope>.registry`` if it exists; an error inside it is shown, not swallowed."""
    try:
        if find_spec(f'{scope}.registry') is not None:
            import_module(f'{scope}.registry')
    except ModuleNotFoundError as error:
        if error.name not in (scope, f'{scope}.registry'):
            raise NoiseEditError(f'plug-in package {scope!r} failed to import: {error}') from error
    except Exception as error:
        raise NoiseEditError(f'plug-in package {scope!r} failed to import: {error!r}') from error


def _child(name: str, parent: _Registry, *locations: str) -> Registry:
    places = [f'noiseedit.{at}' for at in locations]
    return Registry(name, parent=parent, scope='noiseedit', locations=places)


def _own(name: str, *locations: str) -> Registry:
    return Registry(name, scope='noiseedit', locations=[f'noiseedit.{at}' for at in locations])


# What noiseedit adds to MMEngine: its kinds of plug-in beside metrics.
NOISES = _own('noise', 'noises')  # corruptions: pipeline, batch, sweep, measurement
GENERATORS = _own('generator', 'networks', 'models')  # image-to-image and latent-to-image nets
DISCRIMINATORS = _own('discriminator', 'networks', 'models')  # critics
LOSSES = _own('loss', 'losses', 'models')  # loss terms
SCHEMES = _own('training scheme', 'models')  # how restoration learns: with clean targets or without
NOISES.late = SCHEMES.late = ('noiseedit.inference',)  # what a trained model of noise makes

# Children of MMEngine's registries.
MODELS = _child('model', root.MODELS, 'models')  # training logic and preprocessors
DATASETS = _child('dataset', root.DATASETS, 'datasets', 'inference')  # folders, toy, generated
TRANSFORMS = _child('transform', root.TRANSFORMS, 'datasets')  # pipeline steps
FUNCTIONS = _child('function', root.FUNCTIONS, 'datasets')  # collate functions
DATA_SAMPLERS = _child('data sampler', root.DATA_SAMPLERS, 'engine')  # order of samples
METRICS = _child('metric', root.METRICS, 'evaluation')  # scores
EVALUATORS = _child('evaluator', root.EVALUATOR, 'evaluation')  # groups of metrics
LOOPS = _child('loop', root.LOOPS, 'engine', 'evaluation')  # train, validation, test, sweep
HOOKS = _child('hook', root.HOOKS, 'engine')  # EMA, NaN guard, seeds, pictures
RUNNERS = _child('runner', root.RUNNERS, 'engine')  # the runner with safe checkpoints
OPTIM_WRAPPERS = _child('optimizer wrapper', root.OPTIM_WRAPPERS, 'engine')  # AMP on any device
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', root.OPTIM_WRAPPER_CONSTRUCTORS, 'engine'
)  # one optimiser per named network
MODEL_WRAPPERS = _child('model wrapper', root.MODEL_WRAPPERS, 'engine')  # DDP for several nets
VISUALIZERS = _child('visualizer', root.VISUALIZERS, 'engine')  # where logs and pictures go

# Nothing of ours lives here; without a child, MMEngine warns at every look-up from our scope.
for _parent in (
    root.OPTIMIZERS,
    root.PARAM_SCHEDULERS,
    root.VISBACKENDS,
    root.LOG_PROCESSORS,
    root.WEIGHT_INITIALIZERS,
):
    Registry(_parent.name, parent=_parent, scope='noiseedit')

REGISTRIES: dict[str, Registry] = {
    'noises': NOISES,
    'generators': GENERATORS,
    'discriminators': DISCRIMINATORS,
    'losses': LOSSES,
    'schemes': SCHEMES,
    'models': MODELS,
    'datasets': DATASETS,
    'transforms': TRANSFORMS,
    'functions': FUNCTIONS,
    'data_samplers': DATA_SAMPLERS,
    'metrics': METRICS,
    'evaluators': EVALUATORS,
    'loops': LOOPS,
    'hooks': HOOKS,
    'runners': RUNNERS,
    'optim_wrappers': OPTIM_WRAPPERS,
    'optim_wrapper_constructors': OPTIM_WRAPPER_CONSTRUCTORS,
    'model_wrappers': MODEL_WRAPPERS,
}


def find_class(name: str) -> Any:
    """Return the class called ``name`` in any registry of noiseedit or MMEngine, else ``None``."""
    for registry in REGISTRIES.values():
        if name in registry:
            return registry.get(name)
    for module in ('mmengine.optim', 'mmengine.visualization'):
        import_module(module)
    for registry in (root.OPTIMIZERS, root.PARAM_SCHEDULERS, root.VISUALIZERS, root.VISBACKENDS):
        if name in registry.module_dict:
            return registry.module_dict[name]
    return None


def load_plugins() -> list[str]:
    """Load every entry point of group ``noiseedit.plugins``; return the names that worked.

    An entry point is a function without arguments (it is called) or a module (importing it is
    enough). One that fails does not stop the program: it is warned about, by name and cause.
    """
    loaded = []
    for point in entry_points(group=PLUGIN_GROUP):
        try:
            register = point.load()
            if callable(register):
                register()
            loaded.append(point.name)
        except Exception as error:
            failed_plugins[point.name] = repr(error)
            warnings.warn(f'plug-in {point.name!r} failed to load: {error!r}', stacklevel=2)
    return loaded
