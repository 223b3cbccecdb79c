"""Optimisers by network, mixed precision, accumulation."""

import engine_toy as toy
import pytest
import torch
from mmengine.config import ConfigDict
from torch import nn

from noiseedit.engine.amp import AmpOptimWrapper, enable_amp
from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.optim import MultiOptimConstructor
from noiseedit.errors import CheckpointError, ConfigError

ADAM = {'optimizer': {'type': 'Adam', 'lr': 1e-3}}


def model():
    net = nn.Module()
    net.generator, net.discriminator = nn.Linear(2, 2), nn.Linear(2, 1)
    return net


def test_each_network_has_its_own_optimiser():
    net = model()
    wrappers = MultiOptimConstructor(
        {
            'generator': {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'accumulative_counts': 3},
            'discriminator': {**ADAM, 'clip_grad': {'max_norm': 1.0}},
        }
    )(net)
    assert isinstance(wrappers['generator'].optimizer, torch.optim.SGD)
    owned = wrappers['discriminator'].optimizer.param_groups[0]['params']
    assert set(owned) == set(net.discriminator.parameters())
    wrappers.initialize_count_status(net, 6, 20)
    assert wrappers['generator'].inner_count == 6
    assert wrappers['generator']._max_counts == 20


def test_paramwise_settings_of_one_network():
    settings = {'norm_decay_mult': 0.0, 'bias_decay_mult': 0.0}
    config = {'optimizer': {'type': 'SGD', 'lr': 0.1, 'weight_decay': 0.5}}
    wrappers = MultiOptimConstructor({'generator': {**config, 'paramwise_cfg': settings}})(model())
    decays = {group['weight_decay'] for group in wrappers['generator'].param_groups}
    assert decays == {0.0, 0.5}


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r'optim_wrapper\.generater: .* nearest: generator'):
        MultiOptimConstructor({'generater': ADAM})(model())
    with pytest.raises(ConfigError, match='one dict per network'):
        MultiOptimConstructor({'type': 'OptimWrapper'})
    with pytest.raises(ConfigError, match='paramwise_cfg'):
        MultiOptimConstructor({'generator': ADAM}, {'norm_decay_mult': 0})
    wrappers = MultiOptimConstructor({'generator': ADAM})(model())
    with pytest.raises(CheckpointError, match='the model has generator, the checkpoint critic'):
        wrappers.load_state_dict({'critic': {}})


@pytest.mark.parametrize('counts', [1, 2, 3])
def test_accumulated_steps_equal_one_large_batch(counts):
    torch.manual_seed(0)
    data = torch.randn(6, 2)
    weights = []
    for parts in (counts, 1):
        torch.manual_seed(1)
        net = model()
        config = {'optimizer': {'type': 'SGD', 'lr': 0.1}, 'accumulative_counts': parts}
        wrappers = MultiOptimConstructor({'generator': config})(net)
        wrappers.initialize_count_status(net, 0, 10 * parts)
        for batch in data.chunk(parts):
            with wrappers['generator'].optim_context(net.generator):
                loss = net.generator(batch).square().mean()
            wrappers['generator'].update_params(loss)
        weights.append(net.generator.weight.detach())
    torch.testing.assert_close(*weights)


# Mixed precision.


def amp_step(dtype, net=None):
    torch.manual_seed(0)
    net = net or nn.Linear(4, 4)
    wrapper = AmpOptimWrapper(dtype=dtype, optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    with wrapper.optim_context(net):
        out = net(torch.ones(2, 4))
    wrapper.update_params(out.float().square().mean())
    return wrapper, out, net


@pytest.mark.parametrize(
    ('dtype', 'expected', 'scales'),
    [
        ('bf16', torch.bfloat16, False),
        ('fp16', torch.float16, True),
        ('float16', torch.float16, True),
    ],
)
def test_forward_is_in_low_precision_and_weights_in_float32(dtype, expected, scales):
    wrapper, out, net = amp_step(dtype)
    assert out.dtype is expected
    assert net.weight.dtype is torch.float32
    assert wrapper.loss_scaler.is_enabled() == scales


@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_the_update_is_that_of_float32_up_to_rounding(dtype):
    _, _, net = amp_step(dtype)
    torch.manual_seed(0)
    exact = nn.Linear(4, 4)
    exact(torch.ones(2, 4)).square().mean().backward()
    torch.optim.SGD(exact.parameters(), lr=0.1).step()
    torch.testing.assert_close(net.weight, exact.weight, atol=2e-3, rtol=0)


def test_an_overflow_skips_the_step_and_halves_the_scale():
    wrapper, _, net = amp_step('fp16')
    before = net.weight.detach().clone()
    scale = wrapper.loss_scaler.get_scale()
    with wrapper.optim_context(net):
        out = net(torch.ones(2, 4))
    wrapper.update_params(out.float().sum() * float('inf'))
    assert torch.equal(net.weight, before)
    assert wrapper.loss_scaler.get_scale() == scale / 2


def test_the_scale_is_saved_and_restored():
    wrapper, _, net = amp_step('fp16')
    wrapper.loss_scaler.update(128.0)
    other = AmpOptimWrapper(dtype='fp16', optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    other.load_state_dict(wrapper.state_dict())
    assert other.loss_scaler.get_scale() == 128.0
    full = AmpOptimWrapper(dtype='bf16', optimizer=torch.optim.SGD(net.parameters(), lr=0.1))
    full.load_state_dict(wrapper.state_dict())  # a run that goes on in bf16


def test_unknown_precision():
    with pytest.raises(ConfigError, match='expected bf16, fp16'):
        amp_step('fp8')


def test_amp_reaches_one_optimiser_or_all():
    single = ConfigDict(type='OptimWrapper', optimizer={'type': 'Adam'})
    enable_amp(single, 'bf16')
    assert (single.type, single.dtype) == ('AmpOptimWrapper', 'bf16')
    several = ConfigDict(constructor='MultiOptimConstructor', generator=ADAM, discriminator=ADAM)
    enable_amp(several, 'fp16')
    assert several.generator.type == several.discriminator.type == 'AmpOptimWrapper'
    assert several.constructor == 'MultiOptimConstructor'
    with pytest.raises(ConfigError, match='Custom'):
        enable_amp(ConfigDict(type='Custom', optimizer={'type': 'Adam'}), 'bf16')


def test_a_gan_trains_and_resumes_in_bf16(tmp_path):
    def settings(folder, **more):
        made = ConfigDict(toy.config(tmp_path / folder, **more))
        enable_amp(made.optim_wrapper, 'bf16')
        return made

    toy.train(settings('straight', iters=8))
    toy.train(settings('split', iters=4))
    toy.train(settings('split', iters=8, resume=True))
    one, other = (load_checkpoint(tmp_path / f / 'iter_8.pth') for f in ('straight', 'split'))
    for name, tensor in one['state_dict'].items():
        assert tensor.dtype is not torch.bfloat16
        assert torch.equal(tensor, other['state_dict'][name]), name


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('dtype', ['bf16', 'fp16'])
def test_mixed_precision_and_resume_on_a_gpu(tmp_path, dtype):
    def settings(iters):
        made = ConfigDict(toy.config(tmp_path, iters=iters, resume=True))
        enable_amp(made.optim_wrapper, dtype)
        return made

    toy.train(settings(4))
    resumed = toy.train(settings(8))
    assert next(resumed.model.generator.parameters()).is_cuda
    scaler = load_checkpoint(tmp_path / 'iter_8.pth')['optimizer']['generator']['loss_scaler']
    assert bool(scaler) == (dtype == 'fp16')
