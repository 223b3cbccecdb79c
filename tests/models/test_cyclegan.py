"""CycleGAN: the step written out, the image pool, both directions, exact resume."""

import copy
import sys
from pathlib import Path

import pytest
import torch
from mmengine.optim import OptimWrapperDict
from small_models import DISCRIMINATOR, GENERATOR, make_batch, sgd
from torch import nn

from noiseedit.config import load_config
from noiseedit.engine.checkpoint import load_checkpoint
from noiseedit.engine.optim import MultiOptimConstructor
from noiseedit.errors import ConfigError
from noiseedit.models.cyclegan import ImagePool
from noiseedit.registry import MODELS
from noiseedit.seeding import generator_for

NETWORKS = ('generator', 'inverse', 'discriminator', 'source_discriminator')


def make_cyclegan(**changes):
    torch.manual_seed(0)
    spec = {
        'type': 'CycleGAN',
        'generator': GENERATOR,
        'discriminator': {**DISCRIMINATOR, 'in_channels': 3},
        'gan_loss': {'type': 'LeastSquaresGANLoss', 'd_weight': 0.5},
        'cycle': {'type': 'L1Loss', 'weight': 10.0},
        'identity': {'type': 'L1Loss', 'weight': 0.5},
        'pool_size': 3,
        'data_preprocessor': {'value_range': '[-1,1]'},
    }
    model = MODELS.build({**spec, **changes})
    model.data_preprocessor.seed_iteration(0)
    return model


def optimisers(model, lr=0.01):
    parts = {
        'generator': ['generator', 'inverse'],
        'discriminator': ['discriminator', 'source_discriminator'],
    }
    modules = {
        name: nn.ModuleDict({n: getattr(model, n) for n in names}) for name, names in parts.items()
    }
    return OptimWrapperDict(**{name: sgd(module, lr) for name, module in modules.items()})


def descend(network, gradients, lr):
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= lr * gradient


def test_train_step_equals_the_equations_written_out():
    """Zhu et al. 2017, equations 1 to 4 with least squares; the pool, not full, changes nothing."""
    model, ref, data = make_cyclegan(), make_cyclegan(), make_batch()
    logs = model.train_step(data, optimisers(model))

    inputs = ref.data_preprocessor(data)['inputs']
    x, y = inputs['source'], inputs['target']
    G, F, D_y, D_x = (getattr(ref, name) for name in NETWORKS)
    fake_y, fake_x = G(x), F(y)
    for judge, real, fake in ((D_y, y, fake_y), (D_x, x, fake_x)):
        loss = 0.5 * ((judge(real) - 1).square().mean() + judge(fake.detach()).square().mean())
        descend(judge, torch.autograd.grad(loss, list(judge.parameters())), 0.01)
    gan = (D_y(fake_y) - 1).square().mean() + (D_x(fake_x) - 1).square().mean()
    cycle = (F(fake_y) - x).abs().mean() + (G(fake_x) - y).abs().mean()
    identity = (G(y) - y).abs().mean() + (F(x) - x).abs().mean()
    total = gan + 10 * cycle + 0.5 * identity
    weights = [*G.parameters(), *F.parameters()]
    gradients = torch.autograd.grad(total, weights)
    count = len(list(G.parameters()))
    descend(G, gradients[:count], 0.01)
    descend(F, gradients[count:], 0.01)

    torch.testing.assert_close(logs['loss_g'], total.detach())
    torch.testing.assert_close(
        logs['loss_g/source_cycle'] + logs['loss_g/target_cycle'], 10 * cycle.detach()
    )
    for ours, theirs in zip(model.parameters(), ref.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize('phase', [0, 1])
def test_a_phase_trains_its_two_networks_alone(phase):
    model = make_cyclegan()
    chosen = model.phases()[phase]
    model.phases = lambda: (chosen,)
    before = {name: copy.deepcopy(getattr(model, name).state_dict()) for name in NETWORKS}
    inputs = model.prepare(model.data_preprocessor(make_batch())['inputs'])
    model._run_phase(chosen, inputs, dict(optimisers(model).items()))
    for name in NETWORKS:
        pairs = zip(before[name].values(), getattr(model, name).state_dict().values(), strict=True)
        changed = any(not torch.equal(a, b) for a, b in pairs)
        assert changed == (name in chosen.trained)


def test_without_identity_its_terms_are_gone_and_generators_run_four_times():
    model, calls = make_cyclegan(identity=None), []
    for name in ('generator', 'inverse'):
        getattr(model, name).register_forward_hook(lambda *_, name=name: calls.append(name))
    logs = model.train_step(make_batch(), optimisers(model))
    assert sorted(calls) == ['generator', 'generator', 'inverse', 'inverse']
    assert not any('identity' in term for term in logs)


def test_the_other_direction_predicts_sources_of_targets():
    model, data = make_cyclegan(direction='target2source').eval(), make_batch()
    batch = model.data_preprocessor(data)
    before = [(sample.input, sample.gt) for sample in batch['data_samples']]
    (first, second) = model(**batch, mode='predict')
    with torch.no_grad():
        expected = model.data_preprocessor.restore(model.inverse(batch['inputs']['target']))
    torch.testing.assert_close(torch.stack([first.pred, second.pred]), expected)
    for sample, (source, target) in zip((first, second), before, strict=True):
        assert torch.equal(sample.gt, source)
        assert torch.equal(sample.input, target)
    forward = make_cyclegan().eval()(**model.data_preprocessor(data), mode='predict')
    assert not torch.equal(forward[0].pred, first.pred)


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match="direction: expected 'source2target'"):
        make_cyclegan(direction='source2source')
    with pytest.raises(ConfigError, match='pool_size: expected a whole number >= 0, got -1'):
        make_cyclegan(pool_size=-1)
    with pytest.raises(ConfigError, match='inverse: expected a config or a network'):
        make_cyclegan(generator=make_cyclegan().generator)
    model = make_cyclegan()
    with pytest.raises(ConfigError, match="needs the input 'target'"):
        model.train_step(make_batch(names=('source',)), optimisers(model))


def test_the_published_sizes():
    """Zhu et al. 2017, appendix 7.2; the generator's count is that of the residual generator."""
    config = load_config('_base_/models/cyclegan_resnet.py')
    model = MODELS.build(config.model)
    counts = [sum(p.numel() for p in getattr(model, name).parameters()) for name in NETWORKS]
    assert counts == [11_378_179, 11_378_179, 2_764_737, 2_764_737]
    losses = (model.gan_loss.d_weight, model.cycle.weight, model.identity.weight)
    assert losses == (0.5, 10, 0.5)


def test_one_optimiser_serves_both_networks_of_a_phase():
    model = make_cyclegan()
    adam = {'optimizer': {'type': 'Adam', 'lr': 1e-3}}
    wrappers = MultiOptimConstructor({'generator': adam, 'discriminator': adam})(model)
    for phase in model.phases():
        owned = wrappers[phase.optimiser].optimizer.param_groups[0]['params']
        trained = [p for name in phase.trained for p in getattr(model, name).parameters()]
        assert {id(p) for p in owned} == {id(p) for p in trained}


# The pool.


def numbered(*numbers):
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1)


def test_a_pool_gives_every_image_back_until_it_is_full():
    pool = ImagePool(4)
    given = pool.exchange(numbered(1, 2, 3), generator_for(0))
    assert given.flatten().tolist() == [1, 2, 3]
    assert [float(image) for image in pool.images] == [1, 2, 3]


def test_a_full_pool_exchanges_half_of_the_images_one_for_one():
    pool, generator = ImagePool(50), generator_for(0)
    seen = [float(image) for n in range(4000) for image in pool.exchange(numbered(n), generator)]
    kept = {float(image) for image in pool.images}
    assert len(kept) == 50
    assert sorted([*seen, *kept]) == sorted([*range(4000), *range(50)])
    fresh = sum(number == place for place, number in enumerate(seen[50:], 50)) / 3950
    assert fresh == pytest.approx(0.5, abs=0.03)  # four standard deviations


def test_a_pool_of_none_gives_back_and_draws_nothing():
    generator, untouched = generator_for(0), generator_for(0)
    image = numbered(1).requires_grad_()
    assert not ImagePool(0).exchange(image, generator).requires_grad
    assert torch.equal(torch.rand(1, generator=generator), torch.rand(1, generator=untouched))


def test_loss_mode_leaves_the_pool_alone():
    model = make_cyclegan().eval()
    losses = model(**model.data_preprocessor(make_batch()), mode='loss')
    terms = {'loss_d': ('real', 'fake'), 'loss_g': ('gan', 'cycle', 'identity')}
    expected = {f'{phase}/{d}_{t}' for phase in terms for d in model.pools for t in terms[phase]}
    assert set(losses) == expected
    assert all(pool.images == [] for pool in model.pools.values())


# Resume.


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / 'engine'))
    import engine_toy

    yield engine_toy
    sys.modules.pop('engine_toy')


def cyclegan_config(toy, folder, iters, **more):
    model = {
        'type': 'CycleGAN',
        'generator': {'type': 'engine_toy.ToyGenerator'},
        'discriminator': {'type': 'engine_toy.ToyDiscriminator', 'channels': 3},
        'gan_loss': {'type': 'LeastSquaresGANLoss'},
        'cycle': {'type': 'L1Loss', 'weight': 10.0},
        'pool_size': 6,
    }
    return toy.config(folder, iters=iters, **more) | {'model': model}


def test_resume_is_exact_to_the_bit_with_the_pools(toy, tmp_path):
    """Twelve images in six places: at the interruption the pools are full and exchanging."""
    straight, split = tmp_path / 'straight', tmp_path / 'split'
    toy.train(cyclegan_config(toy, straight, 12))
    toy.train(cyclegan_config(toy, split, 6))
    toy.train(cyclegan_config(toy, split, 12, resume=True))
    one, other = (load_checkpoint(folder / 'iter_12.pth') for folder in (straight, split))
    for part in ('state_dict', 'ema_state_dict'):
        assert all(torch.equal(one[part][name], other[part][name]) for name in one[part])
    states = (one['optimizer'], other['optimizer'])
    for name in ('generator', 'discriminator'):
        moments = [state[name]['state'] for state in states]
        assert len(moments[0]) >= 8
        for index, moment in moments[0].items():
            assert torch.equal(moment['exp_avg'], moments[1][index]['exp_avg'])
    pools = [checkpoint['training_state']['pools'] for checkpoint in (one, other)]
    for domain in ('source', 'target'):
        assert len(pools[0][domain]) == 6
        assert all(map(torch.equal, pools[0][domain], pools[1][domain]))


def test_forgetting_the_pools_would_show(toy, tmp_path, monkeypatch):
    straight, split = tmp_path / 'straight', tmp_path / 'split'
    toy.train(cyclegan_config(toy, straight, 12))
    toy.train(cyclegan_config(toy, split, 6))
    monkeypatch.setattr(ImagePool, 'load', lambda *_: None)
    toy.train(cyclegan_config(toy, split, 12, resume=True))
    one, other = (load_checkpoint(f / 'iter_12.pth')['state_dict'] for f in (straight, split))
    assert any(not torch.equal(one[name], other[name]) for name in one)
