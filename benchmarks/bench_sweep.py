"""A sweep of 30 cells against its bare forward passes, and its memory over the number of images.

DnCNN with 17 layers on images of 256x256 (quick: 128x128), five noises with six noisy levels each,
PSNR and SSIM.
The bare passes run the same network on the same number of images and do nothing else. Peak memory
is measured in fresh processes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from harness import Target, measure, parse_args, report, table, versions
from mmengine.config import Config

from noiseedit.engine import build_runner

LEVELS = [0.02, 0.04, 0.06, 0.08, 0.12, 0.16]
NAMES = ('gaussian', 'uniform', 'laplace', 'color', 'salt_pepper')
CELLS = len(NAMES) * len(LEVELS)
MEMORY_IMAGES = 8


def config(folder: str, images: int, size: int, depth: int, width: int = 64) -> Config:
    """Return the config of a sweep over drawn images."""
    noises = [{'preset': f'gni/{name}', 'levels': LEVELS} for name in NAMES]
    return Config(
        {
            'model': {
                'type': 'RestorationModel',
                'generator': {'type': 'DnCNN', 'in_channels': 3, 'depth': depth, 'width': width},
                'losses': {'pixel': {'type': 'L1Loss'}},
            },
            'test_dataloader': {
                'batch_size': 1,
                'dataset': {'type': 'ToyShapes', 'length': images, 'size': size},
                'sampler': {'type': 'CounterSampler', 'shuffle': False},
            },
            'test_evaluator': [{'type': 'PSNR'}, {'type': 'SSIM'}],
            'test_cfg': {'type': 'SweepTestLoop', 'sweep': {'noises': noises}, 'examples': 0},
            'work_dir': folder,
            'experiment_name': Path(folder).name,
            'log_level': 'ERROR',
        }
    )


def compare(images: int, size: int, rounds: int) -> tuple[dict, int]:
    """Time whole sweeps and bare passes in turn; return the times and the passes of a sweep."""
    folder = tempfile.mkdtemp()
    runner = build_runner(config(folder, images, size=size, depth=17))
    model = runner.model.eval()
    image = torch.rand(1, 3, size, size, device=next(model.parameters()).device)
    passes = images * (CELLS + 1)

    def sweep() -> None:
        for file in Path(folder).glob('sweep.records*'):
            file.unlink()
        runner.test()

    @torch.no_grad()
    def bare() -> None:
        for _ in range(passes):
            model({'source': image})
        if image.is_cuda:
            torch.cuda.synchronize()

    times = measure({'bare forward passes': bare, 'sweep': sweep}, rounds=rounds, clock='wall')
    return times, passes


def peak_memory(images: int) -> float:
    """Return the peak resident memory in MiB of a sweep over so many small images."""
    script = (
        'import json, resource, sys; import bench_sweep as b; '
        f'b.build_runner(b.config(sys.argv[1], {images}, 128, 3, 8)).test(); '
        'print(json.dumps(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))'
    )
    found = subprocess.run(
        [sys.executable, '-c', script, tempfile.mkdtemp()],
        cwd=Path(__file__).parent,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(json.loads(found.stdout.splitlines()[-1]))


def main() -> None:
    args = parse_args(__doc__)
    images, size, rounds = (1, 128, 2) if args.quick else (2, 256, 3)
    print(versions('torch', 'numpy', 'opencv-python'))
    times, passes = compare(images, size, rounds)
    title = f'{CELLS} noisy cells and the clean one, {images} images of {size}x{size}, wall'
    print(table(title, times, items=passes, unit='forward pass'))
    overhead = times['sweep'].seconds / times['bare forward passes'].seconds - 1
    few, many = peak_memory(MEMORY_IMAGES), peak_memory(4 * MEMORY_IMAGES)
    print(
        f'peak memory: {few:.0f} MiB with {MEMORY_IMAGES} images, {many:.0f} with 4 times as many'
    )
    print()
    report(
        [
            Target('overhead of a 30-cell sweep', overhead, '<=', 0.15),
            Target('memory of 4 N images / N images', many / few, '<=', 1.02),
        ]
    )


if __name__ == '__main__':
    main()
