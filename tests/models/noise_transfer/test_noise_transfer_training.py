"""One iteration of NoiseTransfer: order, gradients, encoder and queue, against formulas."""

from copy import deepcopy

import pytest
import torch
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur
from transfer_models import changed, make_batch, make_transfer, sgd, state_of, train

from noiseedit.engine.weights import load_weights
from noiseedit.errors import ConfigError, DataError
from noiseedit.noises.random import SampleStreams


def bce(scales, label):
    loss = functional.binary_cross_entropy_with_logits
    return sum(loss(s, torch.full_like(s, label)) for s in scales) / len(scales)


def contrast(query, keys, queue):
    logits = torch.cat([query @ keys.T, query @ queue], 1) / 0.1
    return functional.cross_entropy(logits, torch.arange(len(query)))


def blurred(image):
    return gaussian_blur(image, [21, 21], [3.5, 3.5])


def distance(fake, real):
    return sum(functional.l1_loss(f, r.detach()) for f, r in zip(fake, real, strict=True)) / 3


def published_step(model, batch, lr):
    """Train one iteration as the formulas say, plain SGD; return the losses by name."""
    g, d, k = model.generator, model.discriminator, model.encoder
    x, y, other = (batch['inputs'][name] for name in ('source', 'target', 'reference'))
    with torch.no_grad():
        key = k.encode(other).embedding
    q, real = d.encode(y), d.judge(y, x, key)
    fake = x + g(x, key, torch.Generator().manual_seed(0))
    q_fake, judged = d.encode(fake), d.judge(fake, x, key)
    terms = {
        'loss_g/gan': bce(judged.logits, 1.0),
        'loss_g/contrast': contrast(q_fake.embedding, key, model.queue),
        'loss_g/consistency': 100 * functional.l1_loss(blurred(y), blurred(fake)),
        'loss_g/encoder_features': 100 * distance(q_fake.features, q.features),
        'loss_g/judge_features': 100 * distance(judged.features, real.features),
    }
    update(g, sum(terms.values()), lr)
    again = d.judge(fake.detach(), x, key)
    d_terms = {
        'loss_d/contrast': contrast(q.embedding, key, model.queue),
        'loss_d/real': bce(real.logits, 1.0) / 2,
        'loss_d/fake': bce(again.logits, 0.0) / 2,
    }
    update(d, sum(d_terms.values()), lr)
    with torch.no_grad():
        for past, present in zip(k.parameters(), d.parameters(), strict=True):
            past.copy_(0.999 * past + 0.001 * present)
        model.queue[:, : len(key)] = key.T[:, : model.queue.shape[1]]
    return {**terms, **d_terms}


def update(network, loss, lr):
    gradients = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
    with torch.no_grad():
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter -= lr * gradient


@pytest.mark.parametrize('queue_size', [64, 0])
def test_an_iteration_is_the_published_one(queue_size):
    model, batch = make_transfer(queue_size=queue_size), make_batch(n=3)
    other = deepcopy(model).train()
    logs = train(model, [batch], sgd(model, lr=0.05))[0]
    expected = published_step(other, batch, lr=0.05)
    for name, value in expected.items():
        torch.testing.assert_close(logs[name], value.detach(), rtol=1e-4, atol=1e-5, msg=name)
    theirs = other.state_dict()
    for name, value in model.state_dict().items():
        if name != 'queue_pointer':
            torch.testing.assert_close(value, theirs[name], rtol=1e-4, atol=1e-5, msg=name)
    assert model.queue_pointer == min(3, queue_size)


def test_as_few_passes_as_the_order_needs():
    model, passes = make_transfer(), []
    for name in ('generator', 'discriminator', 'encoder'):
        network = getattr(model, name)
        network.register_forward_hook(
            lambda _m, inputs, _out, name=name: passes.append((name, len(inputs)))
        )
    train(model, [make_batch()])
    encode, judge = ('discriminator', 1), ('discriminator', 3)
    assert passes == [
        *[('encoder', 1), encode, judge],
        *[('generator', 3), encode, judge],
        judge,
    ]


def test_phases_train_their_network_alone():
    model, batch = make_transfer(), make_batch()
    optimisers = sgd(model)
    before = {
        name: state_of(child)
        for name, child in model.named_children()
        if len(list(child.parameters()))
    }
    model.train()
    model.data_preprocessor.seed_iteration(0)
    inputs = model.prepare(model.data_preprocessor(batch, training=True)['inputs'])
    first, second = model.phases()
    model._run_phase(first, inputs, optimisers)
    assert changed(model.generator, before['generator'])
    assert not changed(model.discriminator, before['discriminator'])
    middle = state_of(model.generator)
    model._run_phase(second, inputs, optimisers)
    assert not changed(model.generator, middle)
    assert changed(model.discriminator, before['discriminator']) == {
        name for name, _ in model.discriminator.named_parameters()
    }
    assert not changed(model.encoder, before['encoder'])


def gradients_of(model, term, method):
    """Return the networks' parameters that a term's gradient reaches, in its phase."""
    phase = next(p for p in model.phases() if p.loss == method)
    model.zero_grad(set_to_none=True)
    model.train()
    model.data_preprocessor.seed_iteration(0)
    inputs = model.prepare(model.data_preprocessor(make_batch(), training=True)['inputs'])
    if method == 'loss_d':
        with model.only_training(('generator',)):
            model.loss_g(inputs)
    with model.only_training(phase.trained):
        getattr(model, method)(inputs)[term].backward()
    return {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and bool((parameter.grad != 0).any())
    }


@pytest.mark.parametrize(
    'term', ['gan', 'contrast', 'consistency', 'encoder_features', 'judge_features']
)
def test_terms_of_the_generator_reach_all_of_it_and_nothing_else(term):
    model = make_transfer()
    reached = gradients_of(model, term, 'loss_g')
    assert {name.partition('.')[0] for name in reached} == {'generator'}
    assert len(reached) == len(list(model.generator.parameters()))


ENCODER_ONLY = ('noise_inorm', 'post_noise', 'pre_noise', 'mlp_noise')
JUDGE_ONLY = ('gan_cin', 'post_gan', 'pre_gan', 'conv_gan')


@pytest.mark.parametrize('term', ['contrast', 'real', 'fake'])
def test_terms_of_the_discriminator_reach_their_role_alone(term):
    model = make_transfer()
    reached = gradients_of(model, term, 'loss_d')
    assert {name.partition('.')[0] for name in reached} == {'discriminator'}
    foreign = JUDGE_ONLY if term == 'contrast' else ENCODER_ONLY
    assert not [name for name in reached if any(part in name for part in foreign)]
    own = ENCODER_ONLY if term == 'contrast' else JUDGE_ONLY
    assert all(any(part in name for name in reached) for part in own)
    assert any('blocks3.0.conv1' in name for name in reached)  # shared by both roles


def test_the_encoder_starts_as_the_discriminator_and_is_never_trained():
    model = make_transfer()
    assert state_of(model.encoder).keys() == state_of(model.discriminator).keys()
    for name, value in model.encoder.state_dict().items():
        assert torch.equal(value, model.discriminator.state_dict()[name]), name
    assert not any(p.requires_grad for p in model.encoder.parameters())


@pytest.mark.parametrize('momentum', [0.999, 0.5])
def test_the_encoder_moves_by_the_rest_of_the_momentum(momentum):
    model = make_transfer(momentum=momentum)
    before = state_of(model.encoder)
    train(model, [make_batch()], sgd(model, lr=0.5))
    now = dict(model.discriminator.named_parameters())
    for name, value in model.encoder.named_parameters():
        moved = value - before[name]
        torch.testing.assert_close(
            moved, (1 - momentum) * (now[name] - before[name]), rtol=1e-2, atol=1e-6
        )


def test_the_encoder_waits_for_accumulated_gradients():
    model = make_transfer(momentum=0.5)
    optimisers, before = sgd(model, lr=0.5, accumulative_counts=2), state_of(model.encoder)
    for wrapper in optimisers.values():
        wrapper.initialize_count_status(model, 0, 4)
    train(model, [make_batch()], optimisers)
    assert not changed(model.encoder, before)
    train(model, [make_batch(seed=1)], optimisers)
    assert changed(model.encoder, before)
    assert model.queue_pointer == 4


def test_the_queue_is_replaced_in_order_and_wraps():
    model = make_transfer(queue_size=4096)
    first = model.queue.clone()
    keys = torch.nn.functional.normalize(
        torch.randn(128, 32, 128, generator=torch.Generator().manual_seed(1)), dim=2
    )
    for number, batch in enumerate(keys):
        assert model.queue_pointer == 32 * number
        model.enqueue(batch)
    assert model.queue_pointer == 0
    torch.testing.assert_close(model.queue, keys.flatten(0, 1).T, rtol=0, atol=0)
    assert not (model.queue == first).all(0).any()


def test_what_passes_the_end_of_the_queue_is_left_out():
    model = make_transfer(queue_size=5)
    keys = torch.eye(128)[:9]
    last = model.queue[:, 4].clone()
    model.enqueue(keys[:3])
    model.enqueue(keys[3:6])
    assert torch.equal(model.queue, keys[:5].T)
    assert model.queue_pointer == 0
    assert not torch.equal(model.queue[:, 4], last)
    model.enqueue(keys[6:8])
    assert torch.equal(model.queue[:, :2], keys[6:8].T)


def test_logs_hold_terms_accuracies_and_the_strength_of_the_noise():
    logs = train(make_transfer(), [make_batch()])[0]
    names = {'contrast/accuracy', 'contrast/accuracy_fake', 'noise/real', 'noise/fake'}
    assert names < set(logs)
    assert all(not value.requires_grad and value.ndim == 0 for value in logs.values())
    batch = make_batch()['inputs']
    rms = (batch['target'] - batch['source']).square().mean().sqrt()
    torch.testing.assert_close(logs['noise/real'], rms)


def test_weights_of_terms_are_factors():
    plain, other = make_transfer(), make_transfer(weights={'consistency': 7.0, 'd_contrast': 0.5})
    ours, theirs = (train(model, [make_batch()])[0] for model in (plain, other))
    for name, factor in (('loss_g/consistency', 0.07), ('loss_d/contrast', 0.5)):
        torch.testing.assert_close(theirs[name], factor * ours[name], rtol=1e-3, atol=1e-4)


# Use.


def test_predictions_depend_on_the_key_alone():
    model = make_transfer().eval()
    batch = make_batch(n=3)
    whole = model.predict(batch['inputs'], batch['data_samples'])
    one = {name: image[2:] for name, image in batch['inputs'].items()}
    alone = model.predict(one, [make_batch(n=3)['data_samples'][2]])
    torch.testing.assert_close(alone[0].pred, whole[2].pred, atol=1e-5, rtol=1e-4)
    assert not torch.equal(whole[0].pred, batch['inputs']['source'][0])


def test_the_noisy_version_is_the_reference_where_no_other_is():
    model, batch = make_transfer().eval(), make_batch()
    inputs = batch['inputs']
    paired = {'source': inputs['source'], 'target': inputs['target']}
    own = {**inputs, 'reference': inputs['target']}
    torch.testing.assert_close(model.translate(paired), model.translate(own))
    embedding = model.embed(inputs['reference'])
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(model.transfer(inputs['source'], embedding), model.translate(inputs))


def test_embeddings_are_of_unit_length_under_autocast():
    model = make_transfer().eval()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        embedding = model.embed(make_batch()['inputs']['reference'])
    assert embedding.dtype == torch.float32
    torch.testing.assert_close(embedding.norm(dim=1), torch.ones(2), rtol=0, atol=1e-6)


def test_clean_and_reference_may_differ_in_size():
    model = make_transfer().eval()
    embedding = model.embed(torch.rand(2, 3, 33, 9, generator=torch.Generator().manual_seed(1)))
    clean = torch.rand(2, 3, 18, 22, generator=torch.Generator().manual_seed(2))
    noisy = model.transfer(clean, embedding, SampleStreams([1, 2]))
    assert noisy.shape == clean.shape
    again = model.transfer(clean, embedding, SampleStreams([1, 3]))
    assert torch.equal(noisy[0], again[0])
    assert not torch.equal(noisy[1], again[1])


def test_several_draws():
    model = make_transfer(num_draws=3).eval()
    batch = make_batch()
    for sample in model.predict(batch['inputs'], batch['data_samples']):
        assert sample.draws.shape == (3, 3, 16, 16)
        assert torch.equal(sample.draws[0], sample.pred)
        assert not torch.equal(sample.draws[0], sample.draws[1])


@pytest.mark.parametrize('iterate', [False, True])
def test_spectral_norms_in_tests(iterate):
    model = make_transfer(iterate_in_tests=iterate).eval()
    batch = make_batch()
    before = state_of(model)
    model.predict(batch['inputs'], batch['data_samples'])
    moved = {
        n.partition('.')[0] for n, v in model.state_dict().items() if not torch.equal(v, before[n])
    }
    assert moved == ({'generator', 'encoder'} if iterate else set())


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'data_preprocessor': {'value_range': '[-1,1]'}}, 'take \\[0, 1\\]'),
        ({'weights': {'consistancy': 1.0}}, 'nearest: consistency'),
        ({'temperature': 0.0}, 'temperature > 0'),
        ({'momentum': 1.5}, 'momentum in'),
        ({'queue_size': -1}, 'queue_size >= 0 and num_draws'),
        (
            {
                'data_preprocessor': {
                    'noise': {'train': {'type': 'GaussianNoise', 'sigma': 1, 'unit': 255}}
                }
            },
            'clean image noisy',
        ),
    ],
)
def test_wrong_settings_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        make_transfer(**changes)


def test_training_without_a_reference_is_refused():
    model, batch = make_transfer(), make_batch()
    del batch['inputs']['reference']
    with pytest.raises(ConfigError, match="needs the input 'reference'"):
        train(model, [batch])


def test_crops_too_small_for_the_blur_are_named():
    with pytest.raises(DataError, match='at least 11 pixels'):
        train(make_transfer(), [make_batch(side=8)])


def test_a_test_needs_generator_and_encoder_alone():
    model, other = make_transfer(), make_transfer()
    train(other, [make_batch()])
    needed = {'generator', 'encoder'}
    state = {n: v for n, v in other.state_dict().items() if n.partition('.')[0] in needed}
    assert load_weights(model, state, optional=model.training_only()) == ''
    inputs = make_batch()['inputs']
    torch.testing.assert_close(model.eval().translate(inputs), other.eval().translate(inputs))
