"""What all command lines share: arguments of a config, and errors as one clean message.

Nothing heavy is imported here: ``--help`` answers at once, ``--print-config`` without torch.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from noiseedit.errors import ConfigError, NoiseEditError

if TYPE_CHECKING:
    from mmengine.config import Config

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130
LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')


def run(main: Callable[[], int | None]) -> NoReturn:
    """Call ``main`` and exit with its code; an error the user can mend is one line, no traceback.

    Exit codes: 0 done, 2 an error of the user (``NoiseEditError``), 130 stopped by Ctrl-C.
    """
    try:
        code = main() or 0
    except NoiseEditError as error:
        print(f'error: {error_text(error)}', file=sys.stderr)
        code = EXIT_USER_ERROR
    except KeyboardInterrupt:
        print('stopped (a sweep run again continues; train.py with --resume)', file=sys.stderr)
        code = EXIT_INTERRUPTED
    raise SystemExit(code)


def error_text(error: BaseException) -> str:
    """Return the message of ``error``; of one raised in a loader worker, without its traceback."""
    text = str(error)
    _, worker, original = text.partition('Original Traceback')
    _, found, message = original.rpartition(f'{type(error).__name__}: ')
    return message.strip() if worker and found else text


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that needs the model of a config."""
    parser.add_argument('config', help='config file, or the name of a shipped one')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action='extend',
        default=[],
        metavar='KEY=VALUE',
        help='override keys, e.g. noise.train.sigma=50; +KEY=VALUE adds a new key',
    )
    parser.add_argument(
        '--noise',
        metavar='NAME',
        help="preset (nrgan/G) or mixin of configs/_base_/noise instead of the config's noise",
    )
    parser.add_argument('--seed', type=int, help='base seed of everything random')
    parser.add_argument(
        '--device', metavar='cpu|cuda|cuda:N', help='default: a GPU if there is one'
    )
    parser.add_argument(
        '--trust-checkpoint',
        action='store_true',
        help='load checkpoints that hold code; only for files of a source you trust',
    )
    parser.add_argument('--no-plugins', action='store_true', help='ignore installed plug-ins')


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of every command that trains or tests what a config describes."""
    add_model_arguments(parser)
    parser.add_argument('--work-dir', help='results go here (default: work_dirs/<config name>)')
    parser.add_argument(
        '--launcher', choices=LAUNCHERS, default='none', help='how several processes were started'
    )
    parser.add_argument(
        '--print-config',
        action='store_true',
        help='print the config as it would run, noise bound, and exit',
    )


def model_config_from(
    args: argparse.Namespace, noise_for: Literal['train', 'test'] = 'train'
) -> Config:
    """Load and bind the config that ``args`` (of :func:`add_model_arguments`) describes.

    Args:
        args: Parsed arguments.
        noise_for: Which noise ``--noise`` replaces.

    Raises:
        NoiseEditError: If the config, an override, the noise or the device cannot be used.
    """
    select_device(args.device)
    from noiseedit.config import load_config

    if not args.no_plugins:
        from noiseedit.registry import load_plugins

        load_plugins()
    config = load_config(args.config, args.cfg_options, noise=args.noise, noise_for=noise_for)
    if args.seed is not None:
        config.setdefault('randomness', {})
        config.randomness['seed'] = args.seed
    return config


def config_from(args: argparse.Namespace, noise_for: Literal['train', 'test'] = 'train') -> Config:
    """Return :func:`model_config_from` with what :func:`add_config_arguments` adds to it."""
    config = model_config_from(args, noise_for)
    config.launcher = args.launcher
    default_folder = Path('work_dirs') / Path(args.config).stem
    config.work_dir = args.work_dir or config.get('work_dir') or str(default_folder)
    return config


def select_device(device: str | None) -> None:
    """Let the program see only ``device``; must run before torch looks for GPUs.

    Args:
        device: ``'cpu'``, ``'cuda'``, ``'cuda:N'``, or ``None`` for whatever there is.

    Raises:
        ConfigError: On any other name.
    """
    if device in (None, 'cuda'):
        return
    kind, _, index = str(device).partition(':')
    if device != 'cpu' and not (kind == 'cuda' and index.isdigit()):
        raise ConfigError(f'--device: expected cpu, cuda or cuda:N, got {device!r}')
    os.environ['CUDA_VISIBLE_DEVICES'] = index or '-1'


def print_config(config: Config) -> None:
    """Print ``config`` as Python text."""
    print(config.pretty_text)
