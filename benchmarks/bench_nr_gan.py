"""One training iteration of SI-NR-GAN-I: in the published form against ours.

64 real images, generators on 128, R1 in every step, Adam; the networks of the recipe (quick: 16
channels). Published form: one convolution after another in NCHW float32, generation with
gradients in the discriminator's step, gradients of the discriminator in the generator's step too,
a discriminator pass over real images for each of the loss and R1. Ours: ``train_step`` of the
model as recipes build it, weights in channels-last layout. The moving average of weights is in
neither. Wall time on all cores; rounds are a third of those of other benchmarks, for an iteration
takes seconds. On a GPU also with both generators compiled (R1 differentiates twice through the
discriminator, which torch.compile cannot).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import torch
from harness import Target, Timing, measure, parse_args, ratio, report, section, table, versions
from mmengine.config import ConfigDict
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss

from noiseedit.config import load_config
from noiseedit.engine.amp import AmpOptimWrapper
from noiseedit.models import EditModel
from noiseedit.models.nr_gan import NRGANDiscriminator, NRGANGenerator
from noiseedit.registry import MODELS

CONFIG = Path(__file__).parents[1] / 'configs' / 'nr_gan' / 'sinrgan1_cifar10_A.py'
BATCH, SIZE, LATENT = 64, 32, 128
R1_WEIGHT, DIVERSITY_WEIGHT = 10.0, 0.02  # as published: R1 without 1/2
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
PUBLISHED, OURS, OURS_BF16 = 'published form, f32 NCHW', 'ours, f32 NHWC', 'ours, bf16 NHWC'
COMPILED = 'ours, bf16 NHWC, generators compiled'

Call = Callable[[], object]


class Published:
    """The iteration written out: two generators, a discriminator, three optimisers."""

    def __init__(self, channels: int) -> None:
        torch.manual_seed(0)
        self.image = NRGANGenerator(LATENT, channels, SIZE, folded=False).to(DEVICE)
        self.noise = NRGANGenerator(LATENT, channels, SIZE, folded=False).to(DEVICE)
        self.judge = NRGANDiscriminator(3, channels, folded=False).to(DEVICE)
        self.optimisers = {name: adam(getattr(self, name)) for name in ('image', 'noise', 'judge')}
        self.stream = torch.Generator(DEVICE).manual_seed(0)

    def draw(self, *shape: int) -> Tensor:
        """Return normal numbers."""
        return torch.randn(shape, generator=self.stream, device=DEVICE)

    def fakes(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return noisy images, their noise and its latent."""
        x, z = self.image(self.draw(n, LATENT)), self.draw(n, LATENT)
        noise = self.noise(z) * self.draw(n, 3, SIZE, SIZE)
        return (x + noise).clamp(-1, 1), noise, z

    def loss_g(self, n: int) -> Tensor:
        """Return the loss of both generators on ``n`` images."""
        fake, noise, z = self.fakes(n)
        far, apart = (t.unflatten(0, (2, -1)).flatten(2) for t in (noise, z))
        change = l1_loss(*far, reduction='none').mean(1)
        distance = l1_loss(*apart, reduction='none').mean(1)
        diversity = (change / (distance + 1e-12)).mean()
        return against(self.judge(fake), 1) - DIVERSITY_WEIGHT * diversity

    def loss_d(self, real: Tensor) -> Tensor:
        """Return the loss of the discriminator with R1."""
        fake, _, _ = self.fakes(len(real))
        loss = against(self.judge(real), 1) + against(self.judge(fake.detach()), 0)
        seen = real.clone().requires_grad_()
        (slope,) = torch.autograd.grad(self.judge(seen).sum(), seen, create_graph=True)
        return loss + R1_WEIGHT * slope.square().sum((1, 2, 3)).mean()

    def step(self, loss: Tensor, *names: str) -> None:
        """Take a step of the named networks."""
        for name in names:
            self.optimisers[name].zero_grad()
        loss.backward()
        for name in names:
            self.optimisers[name].step()

    def iteration(self, images: Tensor) -> None:
        """Take a step of the generators, then one of the discriminator, on 8-bit images."""
        real = (images.float() / 127.5 - 1).clamp(-1, 1)
        self.step(self.loss_g(2 * len(real)), 'image', 'noise')
        self.step(self.loss_d(real), 'judge')


def against(logits: Tensor, label: int) -> Tensor:
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def published(images: Tensor, channels: int) -> Call:
    """Return one iteration in the published form."""
    state = Published(channels)
    return synchronised(lambda: state.iteration(images))


def ours(images: Tensor, channels: int, *, bf16: bool = False, compiled: bool = False) -> Call:
    """Return one ``train_step`` of the recipe's model."""
    spec = narrowed(load_config(CONFIG).model, channels)
    torch.manual_seed(0)
    model = MODELS.build({**spec, 'channels_last': True}).to(DEVICE)
    if compiled:
        model.generator.compile()
        model.degradation.network.compile()
    optimisers = make_optimisers(model, bf16)
    batch = {'inputs': {'real': images}, 'data_samples': None}

    def step() -> None:
        model.data_preprocessor.seed_iteration(model.steps)
        model.train_step(batch, optimisers)

    return synchronised(step)


def narrowed(spec: ConfigDict, channels: int) -> ConfigDict:
    """Return the model's config with so many channels in every network."""
    for network in (spec.generator, spec.degradation.network, spec.discriminator):
        network.channels = channels
    return spec


def make_optimisers(model: EditModel, bf16: bool) -> OptimWrapperDict:
    """Return what the recipe's ``optim_wrapper`` says, with ``--amp`` if ``bf16``."""
    kind = AmpOptimWrapper if bf16 else OptimWrapper
    trained = {
        phase.optimiser: nn.ModuleList(getattr(model, name) for name in phase.trained)
        for phase in model.phases()
    }
    return OptimWrapperDict(**{name: kind(optimizer=adam(net)) for name, net in trained.items()})


def adam(network: nn.Module) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=2e-4, betas=(0.0, 0.99))


def synchronised(call: Call) -> Call:
    """Return ``call``, waiting for the GPU if there is one."""
    if DEVICE.type == 'cpu':
        return call

    def waiting() -> None:
        call()
        torch.cuda.synchronize()

    return waiting


@torch.no_grad()
def folding_errors(channels: int) -> dict[str, float]:
    """Return the largest differences of outputs between folded and unfolded networks, float32."""
    stream = torch.Generator(DEVICE).manual_seed(0)
    latents = torch.randn((16, LATENT), generator=stream, device=DEVICE)
    images = torch.rand((16, 3, SIZE, SIZE), generator=stream, device=DEVICE) * 2 - 1
    errors = {}
    for kind, x in ((NRGANGenerator, latents), (NRGANDiscriminator, images)):
        folded, plain = (kind(channels=channels, folded=f).to(DEVICE) for f in (True, False))
        plain.load_state_dict(folded.state_dict())
        errors[kind.__name__] = (folded(x) - plain(x)).abs().max().item()
    return errors


def candidates(channels: int) -> dict[str, Call]:
    stream = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, generator=stream)
    images = images.to(DEVICE)
    found = {
        PUBLISHED: published(images, channels),
        OURS: ours(images, channels),
        OURS_BF16: ours(images, channels, bf16=True),
    }
    if DEVICE.type == 'cuda':
        found[COMPILED] = ours(images, channels, bf16=True, compiled=True)
    return found


def print_rates(times: dict[str, Timing]) -> None:
    for name, timing in times.items():
        print(f'{name}: {timing.seconds:.4g} s, {BATCH / timing.seconds:,.1f} real images/s')
    print()


def machine() -> str:
    """Return what computes, and whether it has bfloat16 arithmetic of its own."""
    if DEVICE.type == 'cuda':
        return torch.cuda.get_device_name()
    native = torch.cpu.get_capabilities()
    has = any(native.get(name) for name in ('avx512_bf16', 'amx_bf16'))
    bf16 = 'in hardware' if has else 'emulated, slower than float32'
    return f'{torch.get_num_threads()} threads, bfloat16 {bf16}'


def compare(args: argparse.Namespace) -> None:
    channels = 16 if args.quick else 128
    print(f'{versions("torch", "mmengine").strip()}; {machine()}\n')
    errors = folding_errors(channels)
    times = measure(candidates(channels), rounds=max(1, args.rounds // 3), budget=0, clock='wall')
    print(table(f'iteration of {BATCH} real images, {channels} channels', times))
    print_rates(times)
    targets = [Target(f'folded {k}: difference', v, '<=', 1e-6) for k, v in errors.items()]
    for name, bound in ((OURS, 2.2), (OURS_BF16, 4.5)):
        gain = ratio(times, PUBLISHED, name)
        targets.append(Target(f'{PUBLISHED} / {name}', gain, '>=', bound))
    if DEVICE.type == 'cuda':
        best = min(timing.seconds for timing in times.values())
        targets.append(Target('ms per iteration, the fastest', best * 1e3, '<=', 4))
    report(targets)


def main() -> None:
    args = parse_args(__doc__)
    with section('nr_gan', args.save):
        compare(args)


if __name__ == '__main__':
    main()
