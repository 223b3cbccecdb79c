"""The conditional GAN: counts, heads, the steps written out, label noise, posteriors, training."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict
from torch.nn import functional

from noiseedit.errors import ConfigError, DataError
from noiseedit.losses.gradient_penalty import gradient_penalty
from noiseedit.models.conditional_gan import ConditionalDiscriminator, ConditionalGenerator
from noiseedit.models.conditional_gan.networks import ConditionalBatchNorm
from noiseedit.registry import DISCRIMINATORS, GENERATORS, MODELS
from noiseedit.seeding import generator_for
from noiseedit.structures import EditSample

SMALL_G = {'type': 'ConditionalGenerator', 'latent_channels': 8, 'channels': 8, 'image_size': 16}
SMALL_D = {'type': 'ConditionalDiscriminator', 'channels': 8}
WGAN = {'gan_loss': {'type': 'WassersteinGANLoss'}, 'penalty': {'type': 'GradientPenalty'}}
HINGE = {'gan_loss': {'type': 'HingeGANLoss'}}
SYMMETRIC = {'name': 'symmetric', 'rate': 0.5}
PROJECTION = {
    **SMALL_D, 'head': 'projection', 'spectral_norm': True, 'pool': 'sum',
}  # fmt: skip
VARIANTS = {
    'acgan': WGAN,
    'racgan': {**WGAN, 'transition': SYMMETRIC},
    'rcgan': {**HINGE, 'transition': SYMMETRIC, 'discriminator': PROJECTION},
    'cgan': {**HINGE, 'discriminator': PROJECTION},
    'cpgan': {
        **WGAN,
        'posterior': True,
        'generator_class_weight': 0.4,
        'discriminator': {**SMALL_D, 'dropout': (0.2, 0.5, 0.5)},
    },
}


def make(name='acgan', **changes):
    torch.manual_seed(0)
    spec = {
        'type': 'ConditionalGAN',
        'generator': SMALL_G,
        'discriminator': SMALL_D,
        'data_preprocessor': {'value_range': '[-1,1]'},
        'd_steps': 2,
    }
    model = MODELS.build({**spec, **VARIANTS[name], **changes})
    model.data_preprocessor.seed_iteration(1)
    return model


def batch(n=8, size=16, label=None):
    images = torch.rand(n, 3, size, size, generator=generator_for(4))
    samples = [
        EditSample(metainfo={'key': str(i), 'label': i % 10 if label is None else label})
        for i in range(n)
    ]
    return {'inputs': {'real': images}, 'data_samples': samples}


def optimisers(model, lr=1e-3):
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(getattr(model, name).parameters(), lr=lr))
            for name in ('generator', 'discriminator')
        }
    )


def count(network):
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ('classes', 'wide', 'narrow', 'classifier', 'projection'),
    [
        (10, 4_304_387, 1_218_307, 1_055_115, 1_055_104),
        (100, 4_580_867, 1_356_547, 1_066_725, 1_066_624),
        (5, None, 1_210_627, 1_054_470, None),
    ],
)
def test_the_published_sizes(classes, wide, narrow, classifier, projection):
    sizes = [
        count(ConditionalGenerator(classes)),
        count(ConditionalDiscriminator(classes)),
    ]
    assert sizes == [narrow, classifier]
    if wide:
        normalised = ConditionalDiscriminator(classes, 'projection', spectral_norm=True)
        sizes = [count(ConditionalGenerator(classes, channels=256)), count(normalised)]
        assert sizes == [wide, projection]


@pytest.mark.parametrize('spec', [SMALL_G, SMALL_D, PROJECTION])
def test_folding_changes_nothing(spec):
    registry = GENERATORS if 'latent_channels' in spec else DISCRIMINATORS
    torch.manual_seed(0)
    folded = registry.build(spec).double().eval()
    plain = registry.build({**spec, 'folded': False}).double().eval()
    plain.load_state_dict(folded.state_dict())
    first = torch.rand(3, 8) if 'latent_channels' in spec else torch.rand(3, 3, 16, 16)
    label = torch.tensor([0, 4, 9])
    ours, theirs = folded(first.double(), label), plain(first.double(), label)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_conditional_batch_norm_with_labels_and_with_weights():
    layer = ConditionalBatchNorm(3, 4)
    with torch.no_grad():
        layer.scale.copy_(torch.rand(3, 4))
        layer.shift.copy_(torch.rand(3, 4))
    x, weights = torch.rand(5, 4, 6, 6), torch.rand(5, 3).softmax(1)
    y = layer(x, weights)
    flat = x.transpose(0, 1).flatten(1)
    mean, variance = flat.mean(1), flat.var(1, unbiased=False)
    norm = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
    for i in range(5):
        scale = sum(weights[i, k] * layer.scale[k] for k in range(3))
        shift = sum(weights[i, k] * layer.shift[k] for k in range(3))
        expected = scale[:, None, None] * norm[i] + shift[:, None, None]
        torch.testing.assert_close(y[i], expected, rtol=1e-4, atol=1e-5)


def test_labels_are_weights_of_one_class():
    network, latent = GENERATORS.build(SMALL_G).eval(), torch.randn(3, 8)
    labels = torch.tensor([1, 7, 2])
    with torch.no_grad():
        for block in (network.block2, network.block3, network.block4):
            block.norm1.scale.normal_()
            block.norm2.shift.normal_()
        one = network(latent, labels)
        other = network(latent, functional.one_hot(labels, 10).float())
        shifted = network(latent, labels + 1)
    assert torch.equal(one, other)
    assert (one - shifted).abs().max() > 1e-3
    with pytest.raises(ConfigError, match='knows 10 classes, got weights of 5'):
        network(latent, torch.rand(3, 5))


def test_a_projection_head_adds_the_class_vector():
    network = DISCRIMINATORS.build({**SMALL_D, 'head': 'projection'}).eval()
    image, seen = torch.rand(4, 3, 16, 16), []
    network.linear5.register_forward_hook(lambda _, given, out: seen.append((given[0], out)))
    labels = torch.tensor([0, 3, 3, 9])
    judged = network(image, labels)
    ((features, plain),) = seen
    expected = plain[:, 0] + (network.classes.weight[labels] * features).sum(1)
    torch.testing.assert_close(judged.logits, expected)
    assert judged.classes is None


def test_spectral_norm_bounds_every_weight():
    network = DISCRIMINATORS.build(PROJECTION)
    for _ in range(30):
        network(torch.rand(2, 3, 16, 16), torch.tensor([0, 1]))
    layers = [m for m in network.modules() if hasattr(m, 'parametrizations')]
    assert len(layers) == 12  # ten convolutions, the last layer, the classes
    for layer in layers:
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.05)


def test_the_gradient_penalty_of_a_linear_critic():
    weight, size = torch.rand(3, 8, 8, dtype=torch.float64).float(), (5, 3, 8, 8)
    penalty = gradient_penalty(
        lambda x: (weight * x).flatten(1).sum(1),
        torch.rand(size),
        torch.rand(size),
        generator_for(0),
    )
    assert float(penalty) == pytest.approx((float(weight.norm()) - 1) ** 2, rel=1e-5)


@pytest.mark.parametrize('name', VARIANTS)
def test_two_iterations_train_everything(name):
    model, data = make(name), batch()
    before, wrappers = copy.deepcopy(model.state_dict()), optimisers(model, 1e-2)
    for iteration in range(2):
        model.data_preprocessor.seed_iteration(iteration)
        logs = model.train_step(data, wrappers)
    assert all(torch.isfinite(value) for value in logs.values())
    terms = {'loss_d/real', 'loss_d/fake', 'loss_g/gan'}
    terms |= {'loss_d/class', 'loss_g/class'} if name not in ('rcgan', 'cgan') else set()
    terms |= {'loss_d/penalty'} if model.penalty is not None else set()
    assert terms | {'loss_d', 'loss_g'} == set(logs)
    state = model.state_dict()
    for network in ('generator', 'discriminator'):
        names = [n for n, _ in getattr(model, network).named_parameters()]
        same = [n for n in names if torch.equal(state[f'{network}.{n}'], before[f'{network}.{n}'])]
        assert not [n for n in same if not n.endswith('bias')]
    assert not any(name.startswith(('transition', 'clean_given')) for name in state)


def test_every_step_sees_its_own_part_of_the_batch():
    model, seen = make(d_steps=4), []
    model.discriminator.register_forward_hook(lambda _, given, __: seen.append(given))
    calls = []
    model.generator.register_forward_hook(lambda _, given, __: calls.append(len(given[0])))
    data = batch(8)
    model.train_step(data, optimisers(model, 0.0))
    real = 2 * data['inputs']['real'] - 1
    firsts = seen[:12:3]  # real, fake, penalty of each step
    for step, (image, label) in enumerate(firsts):
        rows = slice(2 * step, 2 * step + 2)
        assert torch.equal(image, real[rows])
        assert label.tolist() == list(range(8))[rows]
    assert len(seen) == 13
    assert calls == [2, 2, 2, 2, 4]


def test_a_batch_that_does_not_divide_is_refused():
    model = make(d_steps=3)
    with pytest.raises(ConfigError, match='8 images does not divide into 3 equal parts'):
        model.train_step(batch(8), optimisers(model))


def test_one_discriminator_step_written_out():
    model, data = make('racgan', d_steps=1), batch()
    logs = model.train_step(data, optimisers(model, 0.0))
    ref = make('racgan', d_steps=1)
    stream = ref.stream
    real, label = 2 * data['inputs']['real'] - 1, torch.arange(8) % 10
    matrix = 0.5 * torch.eye(10) + 0.05
    u = torch.empty(8, 1).uniform_(generator=stream)
    posterior = (matrix / matrix.sum(0)).T[label]
    clean = (u >= posterior.cumsum(1)).sum(1)
    latent = torch.empty(8, 8).normal_(generator=stream)
    fake = ref.generator(latent, clean).detach()
    judged = ref.discriminator(real, label)
    softmax = judged.classes.softmax(1) @ matrix
    mix = torch.empty(8, 1, 1, 1).uniform_(generator=stream)
    mixed = (mix * real + (1 - mix) * fake).requires_grad_()
    (slope,) = torch.autograd.grad(ref.discriminator(mixed, label).logits.sum(), mixed)
    expected = {
        'real': -judged.logits.mean(),
        'fake': ref.discriminator(fake, label).logits.mean(),
        'class': -(softmax[torch.arange(8), label] + 1e-8).log().mean(),
        'penalty': 10 * (slope.flatten(1).norm(dim=1) - 1).square().mean(),
    }
    for term, value in expected.items():
        torch.testing.assert_close(logs[f'loss_d/{term}'], value.detach(), rtol=1e-4, atol=1e-5)


def test_generated_images_are_conditioned_on_clean_labels():
    given, judged_as = [], []
    model = make('rcgan', transition={'name': 'cifar10_asymmetric', 'rate': 0.7})
    model.generator.register_forward_hook(lambda _, args, __: given.append(args[1]))
    model.discriminator.register_forward_hook(lambda _, args, __: judged_as.append(args[1]))
    model.train_step(batch(200, 8, label=1), optimisers(model))  # noisy: automobile
    clean = torch.cat(given)
    assert set(clean.tolist()) == {1, 9}
    trucks = (clean == 9).float().mean()
    assert float(trucks) == pytest.approx(0.7 / 1.7, abs=0.12)
    assert set(torch.cat(judged_as).tolist()) == {1}


def test_posterior_conditions_are_the_classifiers():
    model = make('cpgan', discriminator=SMALL_D, d_steps=1)
    given = []
    model.generator.register_forward_hook(lambda _, args, __: given.append(args[1]))
    data = batch()
    logs = model.train_step(data, optimisers(model, 0.0))
    real = 2 * data['inputs']['real'] - 1
    expected = model.discriminator(real, torch.zeros(8).long()).classes.softmax(1)
    torch.testing.assert_close(given[0], expected.detach())
    torch.testing.assert_close(given[1], torch.cat([expected, expected]).detach())
    assert not given[1].requires_grad
    assert logs['loss_g/class'] > 0


def test_a_perfect_classifier_would_be_trained_by_kl_alone():
    model = make('cpgan', discriminator=SMALL_D)
    weights = torch.rand(4, 10).softmax(1)
    loss = model._class_loss(weights.log(), weights)
    assert float(loss) == pytest.approx(0, abs=1e-6)
    assert model.generator_class_weight == 0.4


def test_dropout_acts_after_the_last_three_blocks_in_training_only():
    network = DISCRIMINATORS.build({**SMALL_D, 'dropout': (0.2, 0.5, 0.5)})
    assert [drop.p for drop in network.drops] == [0.2, 0.5, 0.5]
    image, label = torch.rand(2, 3, 16, 16), torch.tensor([0, 1])
    assert not torch.equal(network(image, label).logits, network(image, label).logits)
    network.eval()
    assert torch.equal(network(image, label).logits, network(image, label).logits)


def test_predictions_depend_on_key_and_class_alone():
    model = make().eval()
    data = batch(4)
    together = model.predict({}, [s.new() for s in data['data_samples']])
    alone = [model.predict({}, [s.new()])[0] for s in reversed(data['data_samples'])]
    for a, b in zip(together, reversed(alone), strict=True):
        torch.testing.assert_close(a.pred, b.pred)
        assert a.pred.shape == (3, 16, 16)
        assert 0 <= a.pred.min() <= a.pred.max() <= 1
    unlabelled = model.predict({}, [EditSample(metainfo={'key': '0'})])
    assert unlabelled[0].pred.shape == (3, 16, 16)
    with pytest.raises(DataError, match=r'expected labels in 0..9, got 12'):
        model.predict({}, [EditSample(metainfo={'key': '0', 'label': 12})])


def test_labels_come_from_samples_or_from_an_array():
    model, data = make(), batch(4)
    first = model.data_preprocessor(data, training=True)['inputs']['label']
    data['labels'] = torch.tensor([3, 2, 1, 0])
    second = model.data_preprocessor(data, training=True)['inputs']['label']
    assert (first.tolist(), second.tolist()) == ([0, 1, 2, 3], [3, 2, 1, 0])
    with pytest.raises(DataError, match='samples=True of WholeSet'):
        model.data_preprocessor({'inputs': data['inputs'], 'data_samples': None}, training=True)
    with pytest.raises(DataError, match=r"'0': expected a label in 0..9, got 10"):
        model.data_preprocessor(batch(1, label=10), training=True)


def test_options_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match='exclude each other'):
        make('cpgan', transition=SYMMETRIC)
    with pytest.raises(ConfigError, match=r"needs discriminator.head='classifier'"):
        make('cpgan', discriminator=PROJECTION)
    with pytest.raises(ConfigError, match='expected 10 x 10'):
        make(transition='cifar10to5')
    with pytest.raises(
        ConfigError, match=r'model.d_steps: expected a positive whole number, got 0'
    ):
        make(d_steps=0)
    with pytest.raises(ConfigError, match=r"head: expected 'classifier'"):
        DISCRIMINATORS.build({**SMALL_D, 'head': 'linear'})
