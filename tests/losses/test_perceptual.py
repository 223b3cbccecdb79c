"""The perceptual loss: features, weights that are missing, and what it keeps out of the state."""

import copy

import pytest
import torch

from noiseedit.errors import CheckpointError, MissingWeightsError
from noiseedit.losses.perceptual import PerceptualLoss, vgg19_features, vgg19_index
from noiseedit.registry import LOSSES

LAYERS = {'relu1_1': 1.0, 'relu2_1': 0.5}


@pytest.fixture(scope='module')
def loss():
    return PerceptualLoss(LAYERS, weight=2.0, weights=None)


def images(seed, n=2):
    return torch.rand(n, 3, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_layer_names_are_those_of_torchvision():
    from torchvision.models.vgg import cfgs, make_layers

    layers = make_layers(cfgs['E'])
    assert len(layers) == vgg19_index('pool5') + 1 == 37
    for name, kind in (('conv1_1', 'Conv2d'), ('relu3_4', 'ReLU'), ('pool4', 'MaxPool2d')):
        assert type(layers[vgg19_index(name)]).__name__ == kind
    assert layers[vgg19_index('conv5_4')].in_channels == 512
    with pytest.raises(ValueError, match="such as relu3_1, got 'relu9_1'"):
        vgg19_index('relu9_1')


def test_building_reseeds_no_other_device(monkeypatch):
    monkeypatch.setattr(torch, 'manual_seed', lambda seed: pytest.fail('reseeds every device'))
    vgg19_features(1, weights=None)


def test_value_by_hand(loss):
    pred, target = images(0), images(1)
    network = vgg19_features(7, weights=None)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    p, t = (((image + 1) / 2 - mean) / std for image in (pred, target))
    first = (network[:2](p) - network[:2](t)).abs().mean()
    second = (network[:7](p) - network[:7](t)).abs().mean()
    torch.testing.assert_close(loss(pred, target), 2 * (first + 0.5 * second))


def test_without_imagenet_norm_images_go_in_as_they_are():
    pred, target = images(0), images(1)
    bare = PerceptualLoss({'relu1_1': 1.0}, weights=None, vgg_norm=False)
    network = vgg19_features(2, weights=None)
    expected = (network(pred) - network(target)).abs().mean()
    torch.testing.assert_close(bare(pred, target), expected)
    halves = PerceptualLoss({'relu1_1': 1.0}, weights=None, vgg_norm=False, value_range='[0,1]')
    torch.testing.assert_close(halves((pred + 1) / 2, (target + 1) / 2), expected)


def test_zero_for_equal_images_and_gradient_reaches_the_prediction_alone(loss):
    pred, target = images(0).requires_grad_(), images(1).requires_grad_()
    assert loss(pred, pred.detach()).item() == 0
    loss(pred, target).backward()
    assert pred.grad.abs().sum() > 0
    assert target.grad is None


def test_grey_images_are_repeated(loss):
    grey, other = images(0)[:, :1], images(1)[:, :1]
    expected = loss(grey.repeat(1, 3, 1, 1), other.repeat(1, 3, 1, 1))
    torch.testing.assert_close(loss(grey, other), expected)


def test_the_network_is_not_part_of_state_or_parameters(loss):
    assert not loss.state_dict()
    assert not list(loss.parameters())
    assert torch.equal(copy.deepcopy(loss)(images(0), images(1)), loss(images(0), images(1)))


def test_random_features_leave_the_global_stream_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    vgg19_features(1, weights=None)
    assert torch.equal(torch.rand(2), expected)


def test_missing_weights_name_file_source_and_way_round(monkeypatch, tmp_path):
    """At the first loss, not before: a trained model is used without them."""
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    unused = LOSSES.build({'type': 'PerceptualLoss', 'layers': LAYERS})
    with pytest.raises(MissingWeightsError) as error:
        unused(images(0), images(1))
    for part in ('vgg19-dcbb9e9d.pth', str(tmp_path), 'torchvision', 'weights=None'):
        assert part in str(error.value)


def test_weights_come_from_a_path_or_the_hub_cache(monkeypatch, tmp_path):
    from torchvision.models.vgg import cfgs, make_layers

    layers = make_layers([width if width == 'M' else 2 for width in cfgs['E']])
    state = {f'features.{name}': tensor for name, tensor in layers.state_dict().items()}
    cache = tmp_path / 'hub' / 'checkpoints'
    cache.mkdir(parents=True)
    torch.save({**state, 'classifier.0.bias': torch.zeros(2)}, cache / 'small.pth')
    monkeypatch.setattr('torchvision.models.vgg.make_layers', lambda _: copy.deepcopy(layers))
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    for weights in ('small.pth', str(cache / 'small.pth')):
        loaded = vgg19_features(3, weights)
        assert torch.equal(loaded[2].weight, layers[2].weight)


def test_wrong_weights_are_refused(tmp_path):
    file = tmp_path / 'other.pth'
    torch.save({'features.0.weight': torch.zeros(1)}, file)
    with pytest.raises(CheckpointError, match=r'other.pth: not the weights of torchvision VGG-19'):
        vgg19_features(1, str(file))
