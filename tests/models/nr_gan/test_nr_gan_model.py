"""The training step of NR-GAN and what its model gives: phases, penalty, latents, pictures."""

import pytest
import torch
from nr_gan_small import make_model, optimisers, small, step

from noiseedit.binding import bind_noise
from noiseedit.config import load_config
from noiseedit.errors import ConfigError
from noiseedit.models.nr_gan.degradation import Degraded
from noiseedit.models.nr_gan.model import noise_level
from noiseedit.noises import PoissonNoise
from noiseedit.registry import MODELS
from noiseedit.structures import EditSample


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def clean_batch(keys):
    images = torch.rand((len(keys), 3, 32, 32), generator=stream())
    samples = [EditSample(metainfo={'key': key, 'visit': 0}) for key in keys]
    return {'inputs': {'target': images}, 'data_samples': samples}


def predictions(model, keys):
    return {sample.key: sample.pred for sample in model.eval().test_step(clean_batch(keys))}


def test_a_prediction_depends_on_its_key_alone():
    model = make_model('sinrgan1', 'A')
    whole = predictions(model, ['a', 'b', 'c', 'd'])
    parts = predictions(model, ['d', 'b']) | predictions(model, ['c']) | predictions(model, ['a'])
    for key, image in whole.items():
        torch.testing.assert_close(parts[key], image, rtol=0, atol=1e-6)
    assert not torch.equal(whole['a'], whole['b'])
    assert whole['a'].shape == (3, 32, 32)
    assert all((image - 0.5).abs().max() <= 0.5 + 0.5 / 255 for image in whole.values())


def test_another_seed_of_the_evaluation_draws_other_images():
    model = make_model('gan')
    first = predictions(model, ['a'])
    model.data_preprocessor.noise_seed = 1
    assert not torch.equal(first['a'], predictions(model, ['a'])['a'])


def test_samples_are_clean_images_whatever_the_degradation():
    plain, noisy = make_model('gan', 'A'), make_model('ambientgan', 'A')
    noisy.load_state_dict(plain.state_dict())
    assert torch.equal(plain.sample(5, stream(3)), noisy.sample(5, stream(3)))
    assert not plain.sample(2, stream()).requires_grad


def test_the_discriminator_learns_first_on_as_many_images_the_generator_on_twice():
    model = make_model('sinrgan1', 'A')
    assert [phase.loss for phase in model.phases()] == ['loss_d', 'loss_g']
    assert model.phases()[1].trained == ('generator', 'degradation')
    seen = []
    model.discriminator.register_forward_hook(
        lambda module, inputs, output: seen.append((len(inputs[0]), inputs[0].requires_grad))
    )
    step(model, optimisers(model), n=4)
    assert seen == [(4, True), (4, False), (8, True)]  # real with R1, fake, generator


def test_the_generator_learns_nothing_in_the_first_phase():
    model = make_model('sinrgan1', 'A')
    model.data_preprocessor.seed_iteration(0)
    with model.only_training(('discriminator',)):
        losses = model.loss_d({'real': torch.rand(4, 3, 32, 32)})
    sum(losses.values()).backward()
    for network in (model.generator, model.degradation):
        assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.grad is not None for parameter in model.discriminator.parameters())


def test_both_networks_of_the_generator_learn_and_the_discriminator_does_not():
    model = make_model('sdnrgan3', 'I')
    model.data_preprocessor.seed_iteration(0)
    with model.only_training(('generator', 'degradation')):
        losses = model.loss_g({'real': torch.rand(4, 3, 32, 32)})
        sum(losses.values()).backward()
    assert set(losses) == {'gan', 'diversity'}
    assert all(parameter.grad is None for parameter in model.discriminator.parameters())
    for network in (model.generator, model.degradation):
        assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_real_and_generated_images_are_clamped_alike():
    model = make_model('ambientgan', 'A')
    seen = []
    model.discriminator.register_forward_hook(lambda m, inputs, o: seen.append(inputs[0]))
    images = 1.5 * torch.rand((4, 3, 32, 32), generator=stream()) - 0.2
    step(model, optimisers(model), images=images)
    assert all(image.abs().max() == 1 for image in seen)


def test_a_step_is_the_same_again_and_other_iterations_draw_other_latents():
    def train(first):
        model = make_model('sdnrgan2', 'I')
        optim = optimisers(model)
        for iteration in range(first, first + 2):
            step(model, optim, iteration, torch.full((4, 3, 32, 32), 0.5))
        return torch.cat([parameter.flatten() for parameter in model.parameters()])

    assert torch.equal(train(0), train(0))
    assert not torch.equal(train(0), train(1))


def test_a_lazy_penalty_comes_in_every_nth_step_times_n():
    logs = {}
    for interval in (1, 3):
        model = make_model('gan', penalty_interval=interval)
        optim = optimisers(model, lr=0.0)
        logs[interval] = [step(model, optim, iteration) for iteration in range(4)]
    due = ['loss_d/penalty' in entry for entry in logs[3]]
    assert due == [True, False, False, True]
    for place in (0, 3):
        eager, lazy = (logs[interval][place]['loss_d/penalty'].item() for interval in (1, 3))
        assert lazy == pytest.approx(3 * eager, rel=1e-5)


def test_a_resumed_model_knows_when_the_penalty_is_due():
    model = make_model('gan', penalty_interval=3)
    step(model, optimisers(model))
    other = make_model('gan', penalty_interval=3)
    other.load_training_state(model.training_state())
    assert 'loss_d/penalty' not in step(other, optimisers(other), 1)


@pytest.mark.parametrize('name', ['penalty_interval', 'generator_batch_factor'])
@pytest.mark.parametrize('value', [0, 1.5])
def test_counts_are_positive_whole_numbers(name, value):
    with pytest.raises(ConfigError, match=rf'model\.{name}: expected a positive whole number'):
        make_model('gan', **{name: value})


def test_the_learnt_level_is_logged():
    logs = step(model := make_model('sinrgan1', 'A'), optimisers(model))
    assert 0 < logs['noise/sigma'] < 1
    assert not logs['noise/sigma'].requires_grad
    logs = step(model := make_model('sinrgan2', 'A'), optimisers(model))
    assert {name for name in logs if name.startswith('noise/')} == {'noise/rms'}
    scale, noise = torch.tensor([[-0.5, 0.25]]), torch.tensor([[3.0, -4.0]])
    level = noise_level(Degraded(noise, noise, {}, scale))
    assert level['noise/sigma'] == 0.375
    assert level['noise/rms'] == pytest.approx(12.5**0.5)


def test_pictures_show_image_noise_and_sum():
    model = make_model('ambientgan', 'A').eval()
    with torch.no_grad():
        pictures = model.pictures(4, stream(2))
        again = model.pictures(4, stream(2))
    assert list(pictures) == ['clean', 'noise', 'noisy']
    for name, image in pictures.items():
        assert torch.equal(image, again[name])
        assert image.shape == (4, 3, 32, 32)
    noise = 2 * pictures['noise'] - 1  # in [-1, 1] units
    dequantised = (pictures['clean'] * 255 + 0.5) / 256 * 2 - 1
    total = ((dequantised + noise + 1) / 2 * 256 - 0.5) / 255
    torch.testing.assert_close(total.clamp(0, 1), pictures['noisy'], atol=1e-4, rtol=0)
    with torch.no_grad():
        assert list(make_model('gan', 'A').eval().pictures(4, stream(2))) == ['clean']


# What the model is told of its data.


def recipe(variant, noise):
    config = load_config(f'nr_gan/{variant}_cifar10_clean.py', noise=noise)
    for part in (config.model, config.model.degradation):
        for name in ('generator', 'discriminator', 'network'):
            if name in part:
                part[name] = small(part[name])
    return config


def test_the_noise_of_the_command_line_reaches_data_and_model():
    config = recipe('ambientgan', 'nrgan/M')
    slot = config.train_dataloader.dataset.dataset.pipeline[1]
    assert (slot.noise.preset, slot.key, slot.fixed) == ('nrgan/M', 'real', True)
    model = MODELS.build(config.model)
    assert isinstance(model.degradation.noise, PoissonNoise)
    assert model.view.active
    assert model.discriminator.in_channels == 6


def test_redrawn_noise_is_known_to_the_model_too():
    overrides = {'noise.where': 'batch'}
    config = load_config('nr_gan/sdnrgan1_cifar10_I.py', overrides, noise='nrgan/M')
    assert config.model.data_preprocessor.noise.train.preset == 'nrgan/M'
    assert config.model.degradation.prior.data_noise.preset == 'nrgan/M'
    assert config.model.view.data_noise.preset == 'nrgan/M'


def test_a_measurement_makes_a_gan_an_ambientgan():
    config = recipe('gan', None)
    config.noise = {'where': 'measurement', 'train': {'preset': 'nrgan/I'}}
    model = MODELS.build(bind_noise(config).model)
    assert type(model.degradation).__name__ == 'SimulatedNoise'
    config = recipe('ambientgan', None)
    config.noise = {'where': 'measurement', 'train': {'preset': 'nrgan/I'}}
    assert MODELS.build(bind_noise(config).model).degradation.noise.gradient == 'ste'
    config = recipe('sinrgan1', None)
    config.noise = {'where': 'measurement', 'train': {'preset': 'nrgan/I'}}
    with pytest.raises(ConfigError, match='both degradation and measurement'):
        MODELS.build(bind_noise(config).model)


def test_a_batch_without_real_images_is_refused():
    model = make_model('gan')
    model.data_preprocessor.seed_iteration(0)
    with pytest.raises(ConfigError, match="needs the input 'real'"):
        model.train_step({'inputs': {'target': torch.rand(2, 3, 32, 32)}}, optimisers(model))
