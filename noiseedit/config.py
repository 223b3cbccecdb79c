"""Load a config, refuse misspelt overrides, put noise and training scheme in their places.

A config of noiseedit is MMEngine's text style: ``_base_`` inheritance, no imports, no logic.
``_base_ = ['noiseedit::dncnn/dncnn_gray_awgn25.py']`` names a shipped config from anywhere.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeAlias

from mmengine.config import Config, DictAction

from noiseedit.binding import bind_label_noise, bind_noise, bind_scheme
from noiseedit.errors import ConfigError, UnknownNameError, nearest

SHIPPED_PREFIX = 'noiseedit::'
Mode: TypeAlias = Literal['train', 'test']


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


def base_reference(config: str | Path, file: Path) -> str:
    """Return what ``_base_`` of ``file`` calls ``config``: a shipped name, or a relative path.

    Raises:
        UnknownNameError: If there is no such config.
        ConfigError: If ``file`` is the config itself.
    """
    found, root = config_path(config).resolve(), shipped_root().resolve()
    if found == file.resolve():
        raise ConfigError(f'{file}: is the baseline itself; choose another name')
    if found.is_relative_to(root):
        return f'{SHIPPED_PREFIX}{found.relative_to(root).as_posix()}'
    return Path(os.path.relpath(found, file.resolve().parent)).as_posix()


def load_config(
    path: str | Path,
    overrides: Mapping[str, Any] | Sequence[str] | None = None,
    noise: str | None = None,
    noise_for: Mode = 'train',
) -> Config:
    """Read a config file, apply overrides, choose the noise and bind it.

    Args:
        path: File, or name of a shipped config.
        overrides: ``{'a.b': value}`` or ``['a.b=value', ...]``; a key that the config does not have
            and the class it belongs to does not accept is an error, unless written ``'+a.b'``.
        noise: Take this noise instead of the config's: a preset (``'nrgan/G'``), a mixin of
            ``configs/_base_/noise`` (``'gaussian_v0.04'``) or a mixin file.
        noise_for: Whether a preset replaces the training or the test noise; the other stays (with
            a scheme that brings training data of its own always that of the test). A
            mixin replaces all that it holds, and for ``'test'`` its training noise where it has
            none for the test.

    Raises:
        UnknownNameError: On an unknown file, noise or misspelt key; lists the three nearest.
        ConfigError: On a malformed override or noise.
    """
    file = config_path(path)
    _import_from(file.parent)
    config = _read(file)
    if noise is not None:
        mode = _mode_of(config, noise, noise_for)
        config.noise = _chosen_noise(noise, config.get('noise', {}), mode)
    merge_overrides(config, overrides)
    return bind_label_noise(bind_noise(bind_scheme(config)))


def _read(file: Path) -> Config:
    try:
        with _shipped_bases():
            return Config.fromfile(str(file), lazy_import=False)
    except KeyError as error:
        if 'Duplicate key' not in str(error):
            raise
        raise ConfigError(
            f'{file}: two bases define the same key: {error.args[0]}. Of two noises, inherit '
            'the recipe that has none (dncnn_gray.py), or choose one with --noise'
        ) from None


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
    """Turn ``['a.b=1', ...]`` into ``{'a.b': 1}``: numbers, booleans, None, lists, tuples, dicts.

    A value with a brace is a Python literal: ``model.losses.pixel={'type': 'L1Loss'}``.
    """
    parsed = {}
    for item in items:
        key, sign, value = item.partition('=')
        if not (sign and key):
            raise ConfigError(f'override {item!r}: expected KEY=VALUE, e.g. noise.train.sigma=50')
        parsed[key] = _literal(item, value) if '{' in value else DictAction._parse_iterable(value)
    return parsed


def _literal(item: str, value: str) -> Any:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError) as error:
        raise ConfigError(
            f'override {item!r}: expected a Python literal after =, such as '
            "{'type': 'L1Loss'} (names in quotes), since there is a brace in it"
        ) from error


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
    if 'preset' in node:
        from noiseedit.noises.presets import preset_spec

        return [*node, 'level', *_arguments(preset_spec(node['preset'])['type'])]
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


# Noise by name.


def _mode_of(config: Config, noise: str, mode: Mode) -> Mode:
    """Return which noise ``--noise`` means: data that bring their own take none in training."""
    scheme = config.get('scheme') or {}
    if mode == 'test' or scheme.get('where') != 'data':
        return mode
    warnings.warn(
        f'{noise} becomes the noise of the test alone: the training data of {scheme.get("type")} '
        'bring their own (GN2GC: choose scheme.config and scheme.checkpoint)',
        stacklevel=3,
    )
    return 'test'


def _chosen_noise(name: str, current: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """Return ``current`` with the noise called ``name`` in place of its ``mode`` noise."""
    current = {'where': 'batch', 'target': 'source', **current}
    mixin = _mixin(name)
    if mixin is None:
        return {**current, mode: {'preset': name}}
    if mode == 'test' and 'test' not in mixin:
        mixin = {key: value for key, value in mixin.items() if key != 'train'} | {
            'test': mixin['train']
        }
    return {**current, **mixin}


def _mixin(name: str) -> dict[str, Any] | None:
    """Return the ``noise`` of a mixin file or shipped mixin; ``None`` if ``name`` is a preset.

    Raises:
        UnknownNameError: If it is neither.
    """
    folder = shipped_root() / '_base_' / 'noise'
    for file in (Path(name), folder / f'{name}.py'):
        if file.is_file():
            return dict(_read(file).noise.to_dict())
    from noiseedit.noises.presets import preset_spec

    try:
        preset_spec(name)
    except UnknownNameError as error:
        mixins = [path.stem for path in folder.glob('*.py')]
        raise UnknownNameError(
            f'{error} Nearest mixins of configs/_base_/noise: {", ".join(nearest(name, mixins))}'
        ) from None
    return None


def main() -> None:
    """Print the path of a shipped config: ``python -m noiseedit.config path NAME``."""
    if len(sys.argv) != 3 or sys.argv[1] != 'path':
        raise SystemExit('usage: python -m noiseedit.config path NAME')
    print(config_path(sys.argv[2]))


if __name__ == '__main__':
    main()
