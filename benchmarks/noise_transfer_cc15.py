"""NoiseTransfer on real noise: how alike its noise is, and what a denoiser learns from it.

Trains ``configs/noise_transfer/noise_transfer_small_cc15.py`` (synthetic noises, and one camera of
CC15) as tools/train.py does; scores its noise on another camera and on synthetic noise against
simpler imitations (AKLD, KS); trains a small DnCNN on clean photographs with the noise of one
reference image of that camera in several imitations, and tests them on the camera's other images.
An interrupted run is continued.

Writes ``noise_transfer_cc15.json`` and ``.md`` into the work folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from harness import section, versions
from noise_fakes import AKLD, KS, Scores, Shot, compare
from torch import Tensor

from noiseedit.chain import run_step, step_text, train_step
from noiseedit.cli import run as run_main
from noiseedit.files import atomic_file, write_json
from noiseedit.imaging import read_image, to_float
from noiseedit.inference import find_checkpoint
from noiseedit.inference.noise_transfer import load_networks
from noiseedit.noises import build
from noiseedit.noises.blind import estimate_noise_function, estimate_sigma, noise_spec
from noiseedit.seeding import derive_seed, generator_for

NAME = 'noise_transfer_cc15'
CONFIG = 'noiseedit::noise_transfer/noise_transfer_small_cc15.py'
HELD_OUT = [f'5dmark3_iso3200_{number}' for number in (1, 2, 3)]
"""The images of the camera that the recipe tests on; the first is the denoisers' reference."""
SYNTHETIC = {
    'Gaussian, sigma 25': {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255},
    'Poisson, 30 photons': {'type': 'PoissonNoise', 'peak': 30},
    'Poisson-Gaussian, 30 photons, sigma 25': {
        'type': 'PoissonGaussianNoise',
        'peak': 30,
        'sigma': 25,
        'unit': 255,
    },
}
HELD_OUT_TITLE = 'Real noise of the held-out camera'
GENERATOR_ITERATIONS = 2_000
CROP = 256
ITERATIONS = 1_000


# Images.


def image_of(path: Path) -> Tensor:
    """Return (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(to_float(read_image(path)).transpose(2, 0, 1).copy())


def real_shots(root: Path) -> list[Shot]:
    """Return the images of the held-out camera, each with the next one as reference."""
    pairs = [
        [image_of(root / f'{key}_{kind}.png') for kind in ('mean', 'real')] for key in HELD_OUT
    ]
    others = [noisy for _, noisy in pairs[1:] + pairs[:1]]
    return [
        Shot(clean, noisy, other, None) for (clean, noisy), other in zip(pairs, others, strict=True)
    ]


def synthetic_shots(root: Path, spec: Mapping[str, Any], count: int = 12) -> list[Shot]:
    """Return crops of photographs with drawn noise, a second draw and the next crop's noisy one."""
    noise = build({**spec, 'clip': True})
    clean = [_centre(image_of(path)) for path in sorted(root.glob('*.png'))[:count]]
    draws = []
    for place in (0, 1):
        generator = generator_for(derive_seed(0, 'eval', NAME, place))
        draws.append([noise(image[None], generator=generator)[0] for image in clean])
    others = draws[0][1:] + draws[0][:1]
    return [Shot(*images) for images in zip(clean, draws[0], others, draws[1], strict=True)]


def _centre(image: Tensor) -> Tensor:
    top, left = ((side - CROP) // 2 for side in image.shape[1:])
    return image[:, top : top + CROP, left : left + CROP]


# Denoisers.


def noises(reference: Path, generator: Path) -> dict[str, dict[str, Any]]:
    """Return name -> the noise that a denoiser is trained with; all know the reference alone."""
    noisy = image_of(reference)[None]
    level = round(255 * float(estimate_sigma(noisy, correlated=True)), 2)
    transferred = {'type': 'TransferredNoise', 'checkpoint': str(generator.resolve())}
    return {
        'transferred': {**transferred, 'reference': str(reference.resolve()), 'clip': True},
        'poisson_gaussian': noise_spec(estimate_noise_function(noisy, correlated=True)),
        'awgn_matched': {'type': 'GaussianNoise', 'sigma': level, 'unit': 255},
        'awgn_blind': {'type': 'GaussianNoise', 'sigma': (0, 55), 'unit': 255},
    }


def config_text(noise: Mapping[str, Any], args: argparse.Namespace) -> str:
    """Return the config of one denoiser: clean photographs with ``noise``, tested on CC15."""
    test = {
        '_delete_': True,
        'batch_size': 1,
        'num_workers': 0,
        'sampler': {'type': 'CounterSampler', 'shuffle': False},
        'collate_fn': {'type': 'edit_collate'},
        'dataset': {
            'type': 'StandardSet',
            'data_root': str(args.data_root / 'CC15'),
            'layout': 'cc15',
            'only': {'camera': '5dmark3', 'scene': [2, 3]},
        },
    }
    crops = [{'type': 'RandomCrop', 'size': 48}, {'type': 'RandomDihedral'}, {'type': 'NoiseSlot'}]
    data = {'data_root': str(args.data_root / 'CBSD68'), 'pipeline': crops}
    end = args.iterations
    rate = {'type': 'CosineAnnealingLR', 'T_max': end, 'eta_min': 1e-6, 'by_epoch': False}
    changes: dict[str, Any] = {
        'model': {'generator': {'depth': 8, 'width': 32}},
        'noise': {'where': 'batch', 'target': 'source', 'train': dict(noise)},
        'train_dataloader': {'batch_size': 16, 'num_workers': 1, 'dataset': data},
        'val_dataloader': test,
        'test_dataloader': test,
        'train_cfg': {'max_iters': end, 'val_interval': end},
        'param_scheduler': [{**rate, 'end': end}],
    }
    lines = ["_base_ = ['noiseedit::dncnn/dncnn_color.py']"]
    return '\n'.join(lines + [f'{key} = {value!r}' for key, value in changes.items()]) + '\n'


def trained(
    config: str, folder: Path, end: int, options: list[str], args: argparse.Namespace
) -> Path:
    """Train a config, unless it is trained; return its work folder."""
    step = train_step(config, folder, seed=args.seed, options=options)
    done = (folder / f'iter_{end}.pth').exists()
    print(step_text(step) + ('  # done before' if done else ''), flush=True)
    if not done:
        run_step(step)
    return folder


def data_options(args: argparse.Namespace) -> list[str]:
    """Return where the data of the noise generator are."""
    sets = 'train_dataloader.dataset.datasets'
    real = [f'{sets}.1.dataset', 'val_dataloader.dataset', 'test_dataloader.dataset']
    roots = {f'{sets}.0.datasets.0': 'CBSD68', **dict.fromkeys(real, 'CC15')}
    return [f'{place}.data_root={args.data_root / folder}' for place, folder in roots.items()]


def denoised(args: argparse.Namespace, generator: Path) -> dict[str, float]:
    """Train and test one denoiser per noise; return noise -> mean PSNR of the other images."""
    reference = args.data_root / 'CC15' / f'{HELD_OUT[0]}_real.png'
    found = {}
    for name, noise in noises(reference, generator).items():
        config = args.work_dir / 'denoisers' / f'{name}.py'
        config.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(config) as temporary:
            temporary.write_text(config_text(noise, args))
        folder = trained(str(config), config.with_suffix(''), args.iterations, [], args)
        out = folder / 'scores.json'
        run_step(
            ['test.py', str(config), str(folder), '--out', str(out), '--work-dir', str(folder)]
        )
        scores = json.loads(out.read_text())
        found[name] = next(value for key, value in scores.items() if key.startswith('PSNR'))
    return found


def noisy_psnr(shots: Sequence[Shot]) -> float:
    """Return the mean PSNR of the noisy images themselves."""
    errors = [(shot.noisy - shot.clean).square().mean() for shot in shots]
    return float(torch.stack([-10 * error.log10() for error in errors]).mean())


# Report.


def distance_table(title: str, rows: Mapping[str, Scores]) -> str:
    """Return the distances of one kind of noise as Markdown."""
    lines = [f'### {title}', '', '| imitation | AKLD | KS |', '|---|---:|---:|']
    lines += [f'| {name} | {row[AKLD]:.4f} | {row[KS]:.4f} |' for name, row in rows.items()]
    return '\n'.join(lines)


def psnr_table(found: Mapping[str, float], specs: Mapping[str, Mapping[str, Any]]) -> str:
    """Return PSNR by training noise as Markdown."""
    lines = ['| trained with | PSNR [dB] |', '|---|---:|']
    lines += [f'| {name}{_detail(specs.get(name, {}))} | {v:.2f} |' for name, v in found.items()]
    return '\n'.join(lines)


def _detail(spec: Mapping[str, Any]) -> str:
    numbers = [f'{name} {spec[name]}' for name in ('peak', 'sigma') if name in spec]
    return f' ({", ".join(numbers)})' if numbers else ''


def texts(
    distances: Mapping[str, Mapping[str, Scores]],
    psnr: Mapping[str, float],
    specs: Mapping[str, Mapping[str, Any]],
    iterations: int,
) -> Iterator[str]:
    """Yield the parts of the page."""
    yield from (distance_table(title, rows) for title, rows in distances.items())
    yield (
        f'### Denoisers for the held-out camera\n\nDnCNN of 8 layers and 32 channels, '
        f'{iterations:,} iterations of 16 patches of 48x48, CBSD68 with the noise of '
        f'`{HELD_OUT[0]}_real.png`; tested on the other two images of the camera.'
    )
    yield psnr_table(psnr, specs)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs') / NAME)
    parser.add_argument(
        '--data-root', type=Path, default=Path('data'), help='holds CBSD68, Kodak24 and CC15'
    )
    parser.add_argument('--generator', type=Path, help='work folder of a trained one; not trained')
    parser.add_argument('--iterations', type=int, default=ITERATIONS, help='of each denoiser')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--save', action='store_true', help='write into docs/benchmarks.md')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    generator = args.generator or trained(
        CONFIG, args.work_dir / 'generator', GENERATOR_ITERATIONS, data_options(args), args
    )
    networks = load_networks(generator, device='cpu')
    real = real_shots(args.data_root / 'CC15')
    distances = {HELD_OUT_TITLE: compare(networks, real, correlated=True)}
    for title, spec in SYNTHETIC.items():
        shots = synthetic_shots(args.data_root / 'Kodak24', spec)
        distances[title] = compare(networks, shots, correlated=False)
    psnr = {'no denoiser': noisy_psnr(real[1:]), **denoised(args, generator)}
    specs = noises(args.data_root / 'CC15' / f'{HELD_OUT[0]}_real.png', generator)
    checkpoint = find_checkpoint(str(generator), trust=False).name
    parts = texts(distances, psnr, specs, args.iterations)
    text = '\n\n'.join([f'Generator: `{checkpoint}`, seed {args.seed}.', *parts]) + '\n'
    stem = args.work_dir / NAME
    write_json({'distances': distances, 'psnr': psnr}, stem.with_suffix('.json'))
    with atomic_file(stem.with_suffix('.md')) as temporary:
        temporary.write_text(text)
    with section(NAME, args.save):
        print(versions('torch', 'numpy') + '\n' + text)
    print(f'results: {stem}.json, {stem}.md')


if __name__ == '__main__':
    run_main(main)
