"""The base model through its simplest form: prediction, losses, the training step, the state."""

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from small_models import GAUSSIAN, make_batch, make_restoration, sgd
from torch import nn

from noiseedit.errors import ConfigError
from noiseedit.models import Phase, RestorationModel


class Twice(nn.Module):
    """A network whose output leaves [0, 1]."""

    def forward(self, x):
        return 2 * x - 0.5


@pytest.mark.parametrize('value_range', ['[0,1]', '[-1,1]'])
def test_predict_restores_the_range_and_removes_padding(value_range):
    settings = {'value_range': value_range, 'pad_multiple': 16}
    model = make_restoration(generator=nn.Identity(), data_preprocessor=settings).eval()
    data = make_batch(2, 17, 21)
    samples = model.test_step(data)
    for index, sample in enumerate(samples):
        assert sample.pred.shape == (3, 17, 21)
        assert sample.pred.dtype is torch.float32
        torch.testing.assert_close(sample.pred, data['inputs']['source'][index] / 255)
    assert [sample.key for sample in samples] == ['image0', 'image1']


def test_predict_neither_clips_nor_rounds():
    samples = make_restoration(generator=Twice()).val_step(make_batch())
    data = make_batch()['inputs']['source'].float() / 255
    torch.testing.assert_close(samples[0].pred, 2 * data[0] - 0.5)
    assert samples[0].pred.min() < 0 < 1 < samples[0].pred.max()


def test_predict_is_float32_under_autocast_and_needs_no_gradient():
    model = make_restoration().eval()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        sample = model.test_step(make_batch())[0]
    assert sample.pred.dtype is torch.float32
    assert not sample.pred.requires_grad


def test_modes_of_forward():
    model, data = make_restoration(), make_batch()
    batch = model.data_preprocessor(data)
    raw = model(**batch)
    torch.testing.assert_close(raw, model.generator(batch['inputs']['source']))
    losses = model(**batch, mode='loss')
    expected = 2 * (raw - batch['inputs']['target']).square().mean()
    assert list(losses) == ['loss/pixel']
    torch.testing.assert_close(losses['loss/pixel'], expected)
    with pytest.raises(ValueError, match="'tensor', 'loss' or 'predict', got 'train'"):
        model(**batch, mode='train')


def test_train_step_is_one_step_of_gradient_descent():
    model, reference, data = make_restoration(), make_restoration(), make_batch()
    logs = model.train_step(data, sgd(model, lr=0.5))
    loss = reference(**reference.data_preprocessor(data), mode='loss')['loss/pixel']
    loss.backward()
    for ours, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs - 0.5 * theirs.grad)
    assert set(logs) == {'loss', 'loss/pixel'}
    torch.testing.assert_close(logs['loss'], loss.detach())
    assert not any(value.requires_grad for value in logs.values())


def test_accumulation_equals_the_big_batch():
    model, reference = make_restoration(), make_restoration()
    batch = make_batch(n=4)
    halves = [
        {
            'inputs': {name: image[part] for name, image in batch['inputs'].items()},
            'data_samples': batch['data_samples'][part],
        }
        for part in (slice(0, 2), slice(2, 4))
    ]
    wrapper = sgd(model, accumulative_counts=2)
    for half in halves:
        model.train_step(half, wrapper)
    reference.train_step(batch, sgd(reference))
    for ours, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_several_losses_are_summed_and_logged_by_name():
    losses = {'l1': {'type': 'L1Loss'}, 'tv': {'type': 'TotalVariationLoss', 'weight': 0.1}}
    model = make_restoration(losses=losses)
    logs = model.train_step(make_batch(), sgd(model))
    torch.testing.assert_close(logs['loss'], logs['loss/l1'] + logs['loss/tv'])


def test_channels_last_gives_the_same_training_step():
    plain, fast = make_restoration(), make_restoration(channels_last=True)
    weight = fast.generator.body[2].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    for model in (plain, fast):
        model.train_step(make_batch(), sgd(model))
    for a, b in zip(plain.parameters(), fast.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_state_has_the_networks_alone():
    keys = make_restoration().state_dict()
    assert {key.split('.')[0] for key in keys} == {'generator'}


@pytest.fixture
def process_group(tmp_path):
    store = torch.distributed.FileStore(str(tmp_path / 'store'), 1)
    torch.distributed.init_process_group('gloo', store=store, rank=0, world_size=1)
    yield
    torch.distributed.destroy_process_group()


def test_state_has_plain_keys_while_children_are_wrapped(process_group):
    model, other = make_restoration(), make_restoration()
    expected = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    for parameter in other.parameters():
        nn.init.zeros_(parameter)
    other.generator = MMDistributedDataParallel(module=other.generator)
    assert list(other.state_dict()) == list(expected)
    other.load_state_dict(expected)
    assert all(torch.equal(other.state_dict()[key], expected[key]) for key in expected)


def test_a_missing_target_is_named():
    model = make_restoration()
    with pytest.raises(ConfigError, match="needs the input 'target'; the batch has source"):
        model.train_step(make_batch(names=('source',)), sgd(model))


def test_only_training_restores_flags_also_after_an_error():
    model = make_restoration()
    model.second = nn.Linear(2, 2)
    model.second.bias.requires_grad_(requires_grad=False)

    def train_generator():
        with model.only_training(['generator']):
            assert not model.second.weight.requires_grad
            assert all(p.requires_grad for p in model.generator.parameters())
            raise KeyError

    with pytest.raises(KeyError):
        train_generator()
    assert model.second.weight.requires_grad
    assert not model.second.bias.requires_grad


def test_a_subclass_needs_only_its_losses_and_phases():
    class Weighted(RestorationModel):
        """Trains twice an iteration."""

        def phases(self):
            return [Phase('generator', 'loss_x', ('generator',))] * 2

        def loss_x(self, inputs):
            return {'a': (self.translate(inputs) - inputs['target']).abs().mean()}

    model = Weighted(
        generator={'type': 'DnCNN', 'in_channels': 3, 'depth': 3, 'width': 4, 'norm': False}
    )
    wrapper = sgd(model)
    logs = model.train_step(make_batch(), wrapper)
    assert set(logs) == {'loss_x', 'loss_x/a'}
    assert wrapper.inner_count == 2


# Networks that are told the level of the noise.


def ffdnet(**preprocessor):
    return make_restoration(
        generator={'type': 'FFDNet', 'in_channels': 3, 'depth': 3, 'width': 4},
        data_preprocessor={'type': 'EditPreprocessor', **preprocessor},
    )


def test_a_network_that_takes_a_level_needs_one():
    with pytest.raises(ConfigError, match=r"takes the noise level.*noise_level='known'"):
        ffdnet().test_step(make_batch(1))


def test_the_level_reaches_the_network_and_decides():
    model = ffdnet(noise_level='known', noise={'test': GAUSSIAN}).eval()
    inputs = model.data_preprocessor(make_batch(2))['inputs']
    with torch.no_grad():
        pred = model(inputs)
        assert torch.equal(pred, model.generator(inputs['source'], inputs['level']))
        assert not torch.equal(pred, model({**inputs, 'level': 2 * inputs['level']}))
