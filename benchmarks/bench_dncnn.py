"""One training step of DnCNN: the plain loop in float32 NCHW against recipes' ``train_step``.

16 grey patches of 64x64, 17 layers of 64 channels (quick: 4 patches, 16 channels), noise of sigma
25 added on the device, half the summed squared error, Adam. Plain: the loop as everybody writes it.
Ours: the model and the optimiser of the recipe ``dncnn_gray_awgn25`` with its own keys,
``model.channels_last`` (on in the recipe) and ``--amp bf16``, which makes the optimiser's wrapper
an ``AmpOptimWrapper``. ``--compile`` adds candidates whose network is compiled with torch.compile
(needs a C++ compiler; a minute or more before the first step). Wall time on all cores that torch
may use; rounds are a third of those of other benchmarks, for a step takes seconds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from harness import Target, Timing, measure, parse_args, ratio, report, section, table, versions
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from noiseedit.config import load_config
from noiseedit.engine.amp import enable_amp
from noiseedit.models import EditModel
from noiseedit.networks import DnCNN
from noiseedit.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'configs' / 'dncnn' / 'dncnn_gray_awgn25.py'
SIGMA = 25 / 255
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
PLAIN, OURS, OURS_BF16 = 'plain loop, f32 NCHW', 'ours, f32 NHWC', 'ours, bf16 NHWC'

Call = Callable[[], object]


def plain(clean: Tensor, width: int) -> Call:
    """Return one step written out: noise, forward, loss, backward, Adam."""
    torch.manual_seed(0)
    network = DnCNN(in_channels=1, depth=17, width=width).to(DEVICE).train()
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step() -> float:
        target = clean.float() / 255
        source = target + SIGMA * torch.randn_like(target)
        loss = 0.5 * (network(source) - target).square().sum() / len(target)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def ours(clean: Tensor, width: int, *, bf16: bool = False, compiled: bool = False) -> Call:
    """Return one ``train_step`` of the recipe's model."""
    config = load_config(CONFIG)
    config.model.generator.width = width
    if bf16:
        enable_amp(config.optim_wrapper, 'bf16')
    model = build_model(config)
    if compiled:
        model.generator.compile()
    with DefaultScope.overwrite_default_scope('noiseedit'):
        wrapper = build_optim_wrapper(model, config.optim_wrapper)
    batch = {'inputs': {'target': clean}, 'data_samples': None}
    turns = iter(range(2**31))

    def step() -> float:
        model.data_preprocessor.seed_iteration(next(turns))
        return float(model.train_step(batch, wrapper)['loss'])

    return step


def build_model(config: Config) -> EditModel:
    """Return the model of a recipe, its noise bound, on the device."""
    torch.manual_seed(0)
    return MODELS.build(config.model).to(DEVICE).train()


@torch.no_grad()
def layout_error(width: int) -> float:
    """Return the largest difference of outputs between both layouts: rounding of 17 layers."""
    torch.manual_seed(0)
    network = DnCNN(in_channels=1, depth=17, width=width).to(DEVICE).eval()
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.ones_(norm.weight)  # those of the start make the output the input
    images = torch.rand(4, 1, 64, 64, device=DEVICE)
    expected = network(images)
    return float((network.to(memory_format=torch.channels_last)(images) - expected).abs().max())


def candidates(args: argparse.Namespace) -> dict[str, Call]:
    count, width = (4, 16) if args.quick else (16, 64)
    stream = torch.Generator().manual_seed(0)
    clean = torch.randint(0, 256, (count, 1, 64, 64), dtype=torch.uint8, generator=stream)
    clean = clean.to(DEVICE)
    found = {
        PLAIN: plain(clean, width),
        OURS: ours(clean, width),
        OURS_BF16: ours(clean, width, bf16=True),
    }
    if args.compile:
        found[f'{OURS}, compiled'] = ours(clean, width, compiled=True)
        found[f'{OURS_BF16}, compiled'] = ours(clean, width, bf16=True, compiled=True)
    return found


def machine() -> str:
    """Return what computes, and whether it has bfloat16 arithmetic of its own."""
    if DEVICE.type == 'cuda':
        return torch.cuda.get_device_name()
    native = torch.cpu.get_capabilities()
    has = any(native.get(name) for name in ('avx512_bf16', 'amx_bf16'))
    bf16 = 'in hardware' if has else 'emulated, slower than float32'
    return f'{torch.get_num_threads()} threads, bfloat16 {bf16}'


def print_rates(times: dict[str, Timing], images: int) -> None:
    for name, timing in times.items():
        print(f'{name}: {timing.seconds:.4g} s, {images / timing.seconds:,.1f} images/s')
    print()


def compare(args: argparse.Namespace) -> None:
    count, width = (4, 16) if args.quick else (16, 64)
    print(f'{versions("torch", "mmengine").strip()}; {machine()}\n')
    times = measure(candidates(args), rounds=max(1, args.rounds // 3), budget=0, clock='wall')
    print(table(f'step of {count} patches of 64x64, 17 layers of {width} channels', times))
    print_rates(times, count)
    gain = Target(f'{PLAIN} / {OURS_BF16}', ratio(times, PLAIN, OURS_BF16), '>=', 2.2)
    report([Target('layouts: difference of outputs', layout_error(width), '<=', 1e-5), gain])


def main() -> None:
    args = parse_args(__doc__, '--compile')
    with section('dncnn', args.save):
        compare(args)


if __name__ == '__main__':
    main()
