"""Two networks against each other: phases, their order, what is frozen, what is shared."""

import pytest
import torch
from small_models import DISCRIMINATOR, GAUSSIAN, gan_optimisers, make_adversarial, make_batch, sgd

from noiseedit.errors import ConfigError
from noiseedit.models import AdversarialModel
from noiseedit.registry import LOSSES, MODELS


def copy_of(network):
    return [parameter.detach().clone() for parameter in network.parameters()]


def unchanged(network, before):
    return all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


def test_train_step_equals_the_two_steps_written_out():
    """Isola et al. 2017: D on the pair (source, image) halved, then G with the updated D."""
    model, ref, data = make_adversarial(), make_adversarial(), make_batch()
    logs = model.train_step(data, gan_optimisers(model, lr=0.01))

    bce = torch.nn.functional.binary_cross_entropy_with_logits
    inputs = ref.data_preprocessor(data)['inputs']
    source, target = inputs['source'], inputs['target']
    fake = ref.generator(source)
    real_logits = ref.discriminator(torch.cat([source, target], 1))
    fake_logits = ref.discriminator(torch.cat([source, fake.detach()], 1))
    loss_d = 0.5 * bce(real_logits, torch.ones_like(real_logits))
    loss_d = loss_d + 0.5 * bce(fake_logits, torch.zeros_like(fake_logits))
    loss_d.backward()
    with torch.no_grad():
        for parameter in ref.discriminator.parameters():
            parameter -= 0.01 * parameter.grad
    logits = ref.discriminator(torch.cat([source, fake], 1))
    gan = bce(logits, torch.ones_like(logits))
    pixel = 100 * (fake - target).abs().mean()
    gradients = torch.autograd.grad(gan + pixel, list(ref.generator.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(ref.generator.parameters(), gradients, strict=True):
            parameter -= 0.01 * gradient

    for ours, theirs in zip(model.parameters(), ref.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    terms = {'loss_d', 'loss_d/real', 'loss_d/fake', 'loss_g', 'loss_g/gan', 'loss_g/pixel'}
    assert set(logs) == terms
    torch.testing.assert_close(logs['loss_d'], loss_d.detach())
    torch.testing.assert_close(logs['loss_g/pixel'], pixel.detach())
    torch.testing.assert_close(logs['loss_g'], (gan + pixel).detach())


@pytest.mark.parametrize('trained', ['generator', 'discriminator'])
def test_a_phase_changes_its_own_network_alone(trained):
    class OnePhase(AdversarialModel):
        """Runs only the phase under test."""

        def phases(self):
            return [phase for phase in super().phases() if phase.optimiser == trained]

    model = OnePhase(
        generator=make_adversarial().generator,
        discriminator=make_adversarial().discriminator,
        gan_loss={'type': 'HingeGANLoss'},
    )
    other = model.discriminator if trained == 'generator' else model.generator
    before, own_before = copy_of(other), copy_of(getattr(model, trained))
    model.train_step(make_batch(), sgd(getattr(model, trained)))
    assert unchanged(other, before)
    assert all(parameter.grad is None for parameter in other.parameters())
    assert not unchanged(getattr(model, trained), own_before)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_generator_runs_once_and_discriminator_three_times():
    model, calls = make_adversarial(), []
    model.generator.register_forward_hook(lambda *_: calls.append('g'))
    model.discriminator.register_forward_hook(lambda *_: calls.append('d'))
    model.train_step(make_batch(), gan_optimisers(model))
    assert calls == ['g', 'd', 'd', 'd']


def test_discriminator_gradients_accumulate_to_those_of_the_big_batch():
    """With the generator held (rate 0) its images are the same, so D's steps must agree."""
    model, reference, batch = make_adversarial(), make_adversarial(), make_batch(n=4)
    wrappers = gan_optimisers(model, lr=0, accumulative_counts=2)
    big = gan_optimisers(reference, lr=0)
    for wrapper in (wrappers, big):
        wrapper['discriminator'].optimizer.param_groups[0]['lr'] = 0.1
    for part in (slice(0, 2), slice(2, 4)):
        inputs = {name: image[part] for name, image in batch['inputs'].items()}
        model.train_step({'inputs': inputs, 'data_samples': batch['data_samples'][part]}, wrappers)
    reference.train_step(batch, big)
    pairs = zip(model.discriminator.parameters(), reference.discriminator.parameters(), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_counts_start_where_training_resumed_and_the_tail_is_flushed(message_hub):
    model = make_adversarial()
    wrappers = gan_optimisers(model, accumulative_counts=2)
    message_hub.update_info('iter', 8)
    message_hub.update_info('max_iters', 11)
    for _ in range(3):
        model.train_step(make_batch(), wrappers)
    for wrapper in wrappers.values():
        assert wrapper.inner_count == 11
        assert all(p.grad is None for group in wrapper.param_groups for p in group['params'])


def test_penalty_reaches_the_discriminator_loss():
    model = make_adversarial(penalty={'type': 'R1Penalty', 'weight': 1.0})
    logs = model.train_step(make_batch(), gan_optimisers(model))
    assert logs['loss_d/penalty'] > 0
    total = logs['loss_d/real'] + logs['loss_d/fake'] + logs['loss_d/penalty']
    torch.testing.assert_close(logs['loss_d'], total)


def test_feature_matching_takes_all_layers_of_every_scale():
    discriminator = {**DISCRIMINATOR, 'num_scales': 2}
    model = make_adversarial(
        discriminator=discriminator, feature_matching={'type': 'FeatureMatchingLoss', 'weight': 3.0}
    )
    inputs = model.prepare(model.data_preprocessor(make_batch())['inputs'])
    losses = model.loss_g(inputs)
    pairs = [
        model.discriminator(torch.cat([inputs['source'], inputs[name]], 1), layers=True)
        for name in ('fake', 'target')
    ]
    expected = sum(
        (a - b).abs().mean() / 2
        for fake, real in zip(*pairs, strict=True)
        for a, b in zip(fake[:-1], real[:-1], strict=True)
    )
    torch.testing.assert_close(losses['features'], 3 * expected)
    torch.testing.assert_close(losses['gan'], model.gan_loss.generator([s[-1] for s in pairs[0]]))
    logs = model.train_step(make_batch(), gan_optimisers(model))
    assert logs['loss_g/features'] > 0


def test_unconditional_discriminator_sees_the_image_alone():
    discriminator = {'type': 'PatchGAN', 'in_channels': 3, 'num_layers': 1, 'width': 4}
    model = make_adversarial(discriminator=discriminator, conditional=False)
    assert 'loss_d/real' in model.train_step(make_batch(), gan_optimisers(model))


class TestMeasurement:
    """Noise between the generator and the discriminator."""

    def model(self):
        model = make_adversarial(measurement=GAUSSIAN)
        model.data_preprocessor.seed_iteration(3)
        return model

    def test_it_has_the_level_of_its_spec_and_the_stream_of_the_iteration(self):
        model, image = self.model(), torch.zeros(4, 3, 40, 40)
        first = model.measure(image)
        assert first.std().item() == pytest.approx(2 * 25 / 255, rel=0.05)  # range [-1, 1]
        assert not torch.equal(model.measure(image), first)
        model.data_preprocessor.seed_iteration(3)
        assert torch.equal(model.measure(image), first)

    def test_gradient_flows_through_it_in_float32(self):
        model, image = self.model(), torch.zeros(1, 3, 4, 4, requires_grad=True)
        with torch.autocast('cpu', dtype=torch.bfloat16):
            measured = model.measure(image)
        measured.sum().backward()
        assert measured.dtype is torch.float32
        torch.testing.assert_close(image.grad, torch.ones_like(image))

    def test_pixel_losses_see_the_clean_image(self):
        model, data = self.model(), make_batch()
        prepared = model.prepare(model.data_preprocessor(data)['inputs'])
        assert not torch.equal(prepared['fake'], prepared['measured'])
        expected = 100 * (prepared['fake'] - prepared['target']).abs().mean()
        torch.testing.assert_close(model.loss_g(prepared)['pixel'], expected)

    def test_training_with_it_needs_a_seed(self):
        model = make_adversarial(measurement=GAUSSIAN)
        with pytest.raises(RuntimeError, match='seed_iteration'):
            model.train_step(make_batch(), gan_optimisers(model))


def test_loss_mode_gives_the_terms_of_both_phases():
    model = make_adversarial()
    losses = model(**model.data_preprocessor(make_batch()), mode='loss')
    assert set(losses) == {'loss_d/real', 'loss_d/fake', 'loss_g/gan', 'loss_g/pixel'}


@pytest.mark.parametrize('wrong', ['single', 'missing'])
def test_wrong_optimisers_are_refused_with_the_right_ones(wrong):
    model = make_adversarial()
    wrapper = gan_optimisers(model)
    if wrong == 'missing':
        wrapper.optim_wrappers.pop('discriminator')
    with pytest.raises(ConfigError, match='needs the optimisers discriminator, generator, got'):
        model.train_step(make_batch(), sgd(model) if wrong == 'single' else wrapper)


def test_perceptual_network_is_not_saved_with_the_model():
    perceptual = {'type': 'PerceptualLoss', 'layers': {'relu1_1': 1.0}, 'weights': None}
    model = make_adversarial(losses={'perceptual': perceptual})
    assert {key.split('.')[0] for key in model.state_dict()} == {'generator', 'discriminator'}
    assert 'loss_g/perceptual' in model.train_step(make_batch(), gan_optimisers(model))


def test_any_adversarial_loss_serves_and_is_weighted_before_logging():
    for name in LOSSES.names():
        if not hasattr(LOSSES.get(name), 'g_fake'):
            continue
        plain = make_adversarial(gan_loss={'type': name})
        halved = make_adversarial(gan_loss={'type': name, 'weight': 0.5, 'd_weight': 0.5})
        rates = {'lr': 0.0}
        a = plain.train_step(make_batch(), gan_optimisers(plain, **rates))
        b = halved.train_step(make_batch(), gan_optimisers(halved, **rates))
        for term in ('loss_d/real', 'loss_d/fake', 'loss_g/gan'):
            torch.testing.assert_close(b[term], 0.5 * a[term])


def test_models_are_found_by_name():
    assert MODELS.get('AdversarialModel') is AdversarialModel


def test_a_model_with_a_measurement_moves_to_a_device():
    """MMEngine moves models through ``apply``, which of a noise is something else."""
    model = make_adversarial(measurement=GAUSSIAN).to('cpu').to(torch.float64)
    assert model.measurement is not None
    visited = []
    assert model.apply(visited.append) is model
    assert sorted(map(id, visited)) == sorted(map(id, model.modules()))
