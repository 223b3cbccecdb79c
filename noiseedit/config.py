"""Load a config, refuse misspelt overrides, put the noise in its place.

A config of noiseedit is MMEngine's text style: ``_base_`` inheritance, no imports, no logic.
``_base_ = ['noiseedit::dncnn/dncnn_gray_awgn25.py']`` names a shipped config from anywhere.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict, DictAction

from noiseedit.errors import ConfigError, UnknownNameError, nearest

SHIPPED_PREFIX = 'noiseedit::'
NOISE_KEYS = ('where', 'target', 'train', 'test', 'seed')
NOISE_PLACES = ('batch', 'pipeline', 'measurement')


def shipped_root(kind: str = 'configs') -> Path:
    """Return the folder of shipped ``configs`` or ``tools``, in a checkout or after pip install.

    Raises:
        FileNotFoundError: If neither exists (a broken installation).
    """
    package = Path(__file__).resolve().parent
    for root in (package.parent / kind, package / '_shipped' / kind):
        if root.is_dir() and (root / ('_base_' if kind == 'configs' else 'train.py')).exists():
            return root
    raise FileNotFoundError(
        f'noiseedit: the shipped folder {kind!r} is missing; reinstall noiseedit'
    )


def config_path(name: str | Path) -> Path:
    """Return the file of ``name``: a path, or a shipped config such as ``'pix2pix/x.py'``.

    Raises:
        UnknownNameError: If there is no such file; lists the nearest shipped configs.
    """
    text = str(name).removeprefix(SHIPPED_PREFIX)
    root = shipped_root()
    for candidate in (Path(name), root / text, root.parent / text):
        if candidate.is_file():
            return candidate
    shipped = [str(path.relative_to(root)) for path in root.rglob('*.py')]
    raise UnknownNameError(
        f'config {str(name)!r}: no such file. Nearest shipped configs: '
        f'{", ".join(nearest(text, shipped))}'
    )


def load_config(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    noise: str | None = None,
) -> Config:
    """Read a config file, apply overrides, choose the noise and bind it.

    Args:
        path: File, or name of a shipped config.
        overrides: ``{'a.b': value}`` or ``['a.b=value', ...]``; a key that the config does not have
            and the class it belongs to does not accept is an error, unless written ``'+a.b'``.
        noise: Replace the config's noise by a preset (``'nrgan/G'``) or by a mixin of
            ``configs/_base_/noise`` (``'gaussian_v0.04'``) or by a mixin file.

    Raises:
        UnknownNameError: On an unknown file, noise or misspelt key; lists the three nearest.
        ConfigError: On a malformed override or noise.
    """
    file = config_path(path)
    _import_from(file.parent)
    with _shipped_bases():
        config = Config.fromfile(str(file), lazy_import=False)
    if noise is not None:
        config.noise = _chosen_noise(noise, config.get('noise', {}))
    merge_overrides(config, overrides)
    return bind_noise(config)


def _import_from(folder: Path) -> None:
    """Let ``custom_imports`` find modules beside the config file."""
    text = str(folder.resolve())
    if text not in sys.path:
        sys.path.insert(0, text)


@contextmanager
def _shipped_bases() -> Iterator[None]:
    """Resolve ``noiseedit::name`` in ``_base_``; MMEngine knows only its own packages there."""
    original = Config._get_cfg_path

    def resolve(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(SHIPPED_PREFIX):
            return str(config_path(cfg_path)), None
        return original(cfg_path, filename)

    Config._get_cfg_path = staticmethod(resolve)
    try:
        yield
    finally:
        Config._get_cfg_path = staticmethod(original)


# Overrides.


def parse_overrides(items: Sequence[str]) -> dict[str, Any]:
    """Turn ``['a.b=1', ...]`` into ``{'a.b': 1}``; numbers, booleans, None, lists, tuples."""
    parsed = {}
    for item in items:
        key, sign, value = item.partition('=')
        if not (sign and key):
            raise ConfigError(f'override {item!r}: expected KEY=VALUE, e.g. noise.train.sigma=50')
        parsed[key] = DictAction._parse_iterable(value)
    return parsed


def merge_overrides(config: Config, overrides: Mapping[str, Any] | Sequence[str] | None) -> None:
    """Merge overrides into ``config`` in place; see :func:`load_config`."""
    if not overrides:
        return
    if not isinstance(overrides, Mapping):
        overrides = parse_overrides(overrides)
    for key in overrides:
        if not key.startswith('+'):
            _check_key(config, key)
    config.merge_from_dict({key.removeprefix('+'): value for key, value in overrides.items()})


def _check_key(config: Config, key: str) -> None:
    node: Any = config._cfg_dict
    parts = key.split('.')
    for depth, part in enumerate(parts):
        known = _known_keys(node)
        if part not in known:
            near = ['.'.join([*parts[:depth], name]) for name in nearest(part, known)]
            raise UnknownNameError(
                f'override {key!r}: the config has no key {part!r}'
                f'{" in " + ".".join(parts[:depth]) if depth else ""}. '
                f'Nearest keys: {", ".join(near) or "none"}. To add a new key write +{key}=...'
            )
        node = _step(node, part)


def _step(node: Any, part: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(part)
    return node[int(part)]


def _known_keys(node: Any) -> list[str]:
    if isinstance(node, (list, tuple)):
        return [str(index) for index in range(len(node))]
    if not isinstance(node, Mapping):
        return []
    return [*node, *_arguments(node.get('type'))]


def _arguments(type_name: Any) -> list[str]:
    """Return the constructor arguments of a registered class, base classes included."""
    if not isinstance(type_name, str):
        return []
    from noiseedit.registry import find_class

    found = find_class(type_name)
    classes = [base for base in getattr(found, '__mro__', (found,)) if base not in (None, object)]
    names = []
    for base in classes:
        try:
            names += list(inspect.signature(base).parameters)
        except (TypeError, ValueError):
            continue
    return [name for name in dict.fromkeys(names) if name not in ('self', 'args', 'kwargs')]


# Noise.


def _chosen_noise(name: str, current: Mapping[str, Any]) -> dict[str, Any]:
    folder = shipped_root() / '_base_' / 'noise'
    for file in (Path(name), folder / f'{name}.py'):
        if file.is_file():
            return dict(Config.fromfile(str(file), lazy_import=False).noise.to_dict())
    from noiseedit.noises.presets import preset_spec

    try:
        preset_spec(name)
    except UnknownNameError as error:
        mixins = [path.stem for path in folder.glob('*.py')]
        raise UnknownNameError(
            f'{error} Nearest mixins of configs/_base_/noise: {", ".join(nearest(name, mixins))}'
        ) from None
    places = {key: current[key] for key in ('where', 'target', 'seed') if key in current}
    return {'where': 'batch', 'target': 'source', **places, 'train': {'preset': name}}


def bind_noise(config: Config) -> Config:
    """Put ``config.noise`` where it works; doing it twice changes nothing.

    ``noise`` holds ``where`` ('batch': the model's preprocessor adds it, on the model's device;
    'pipeline': every ``NoiseSlot`` transform adds it, on the CPU; 'measurement': the model gets it
    as ``measurement``), ``target`` (which input: 'source', 'target' or 'real'), ``train`` and
    ``test`` (noise specs; a missing one means no noise then) and ``seed`` of the test noise.

    Raises:
        ConfigError: On unknown keys or places.
    """
    noise = config.get('noise')
    if noise is None:
        return config
    _check_noise(noise)
    specs = {key: noise[key] for key in ('train', 'test') if noise.get(key) is not None}
    target = noise.get('target', 'source')
    where = noise.get('where', 'batch')
    if where == 'batch':
        bound = {**specs, 'target': target, 'seed': noise.get('seed', 0)}
        config.model.setdefault('data_preprocessor', ConfigDict(type='EditPreprocessor'))
        config.model.data_preprocessor.noise = bound
    elif where == 'measurement':
        config.model.measurement = specs['train']
    else:
        _fill_slots(config, specs, target, noise.get('seed', 0))
    return config


def _check_noise(noise: Mapping[str, Any]) -> None:
    for key in noise:
        if key not in NOISE_KEYS:
            raise ConfigError(
                f'noise.{key}: unknown key; nearest: {", ".join(nearest(key, NOISE_KEYS))}'
            )
    if noise.get('where', 'batch') not in NOISE_PLACES:
        raise ConfigError(f'noise.where: expected one of {NOISE_PLACES}, got {noise["where"]!r}')


def _fill_slots(config: Config, specs: Mapping[str, Any], target: str, seed: int) -> None:
    filled = 0
    for loader, spec in (
        ('train_dataloader', 'train'),
        ('val_dataloader', 'test'),
        ('test_dataloader', 'test'),
    ):
        for slot in _noise_slots(config.get(loader)):
            filled += 1
            if spec in specs:
                own = {'seed': seed, 'fixed': True} if spec == 'test' else {}
                slot.update(noise=specs[spec], key=target, **own)
    if not filled:
        raise ConfigError(
            "noise.where='pipeline': no pipeline holds dict(type='NoiseSlot'); "
            'put one where the noise belongs, after the crops and flips'
        )


def _noise_slots(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, Mapping):
        if node.get('type') == 'NoiseSlot':
            yield node  # type: ignore[misc]
        for value in node.values():
            yield from _noise_slots(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _noise_slots(value)


def main() -> None:
    """Print the path of a shipped config: ``python -m noiseedit.config path NAME``."""
    if len(sys.argv) != 3 or sys.argv[1] != 'path':
        raise SystemExit('usage: python -m noiseedit.config path NAME')
    print(config_path(sys.argv[2]))


if __name__ == '__main__':
    main()
