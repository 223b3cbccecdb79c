"""FID and KID against other libraries, direct computation and closed forms."""

import itertools
import math

import numpy as np
import pytest
import scipy.linalg
import torch
from set_samples import sample_set, scored
from torch import nn

from noiseedit.errors import CheckpointError, ConfigError, DataError, MissingWeightsError
from noiseedit.evaluation.metrics import FID, KID, fid
from noiseedit.evaluation.metrics.features import FIDInception, RandomFeatures
from noiseedit.evaluation.metrics.frechet import (
    frechet_of_moments,
    frechet_of_vectors,
    merged,
    moments,
)
from noiseedit.evaluation.metrics.kid import kernel_distance
from noiseedit.registry import METRICS

RANDOM = {'type': 'RandomFeatures', 'channels': 8}
NAME = 'FrechetDistance(random16,seed=0)'


class Pixels(nn.Module):
    """The pixels themselves."""

    label, standard = 'pixels', False

    def forward(self, images):
        return images.flatten(1)


def features(n, d=6, seed=0, shift=0.0):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + shift
    return np.maximum(mixed, -1).astype(np.float32)


def direct_frechet(a, b):
    """The formula as it is written, with a matrix square root."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(first + second - 2 * root.real)


def both_routes(a, b):
    return [frechet_of_moments(moments([a]), moments([b])), frechet_of_vectors(a, b)]


@pytest.mark.parametrize('shape', [(40, 6), (200, 30), (9, 6)])
def test_frechet_equals_the_formula(shape):
    a, b = features(*shape), features(*shape, seed=1, shift=0.5)
    assert both_routes(a, b) == pytest.approx([direct_frechet(a, b)] * 2, rel=1e-9)


def test_frechet_equals_torchmetrics():
    module = pytest.importorskip('torchmetrics.image.fid')
    a, b = features(300, 24), features(250, 24, seed=1, shift=0.3)
    sums = [moments([x]) for x in (a, b)]
    tensors = [torch.from_numpy(x) for s in sums for x in (s.mean, s.covariance)]
    expected = float(module._compute_fid(*tensors))
    assert both_routes(a, b) == pytest.approx([expected] * 2, rel=1e-9)


@pytest.mark.parametrize(('n', 'd'), [(50, 6), (12, 40), (3, 200)])
def test_frechet_of_a_scaled_and_shifted_set(n, d):
    """Of X and a X + c: |m - a m - c|^2 + (1 - a)^2 tr S, singular covariances or not."""
    x = features(n, d).astype(np.float64)
    factor, shift = 1.7, np.linspace(-1, 1, d)
    mean, trace = x.mean(0), np.trace(np.cov(x, rowvar=False))
    expected = ((mean - factor * mean - shift) ** 2).sum() + (1 - factor) ** 2 * trace
    assert frechet_of_vectors(x, factor * x + shift) == pytest.approx(expected, rel=1e-9)
    by_sums = both_routes(x, factor * x + shift)[0]
    assert by_sums == pytest.approx(expected, rel=1e-9 if n > d else 1e-5)


def test_frechet_of_equal_sets_is_zero():
    for n, d in ((50, 6), (12, 40)):
        x = features(n, d)
        assert frechet_of_vectors(x, x) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize('n', [80, 400])
def test_frechet_of_a_dead_feature(n):
    """No Cholesky factor: a feature that is 0 everywhere, as rectified ones may be."""
    a, b = features(n, 24), features(n, 24, seed=1, shift=0.3)
    a[:, 3] = b[:, 7] = 0
    without = direct_frechet(a[:, :3], b[:, :3])
    assert without > 0
    expected = both_routes(a, b)[1]
    assert both_routes(a, b)[0] == pytest.approx(expected, rel=1e-7)


def test_sums_take_blocks_of_any_length_and_drift():
    """The first block lies far from the others: what it was shifted by comes off again."""
    x = features(300, 5)
    x[10:] += 50
    parts = [x[:0], x[:1], x[1:10], x[10:11], x[11:]]
    found = moments(parts)
    assert found.n == 300
    assert found.mean == pytest.approx(x.mean(0, dtype=float), rel=1e-12)
    assert found.covariance == pytest.approx(np.cov(x.astype(float), rowvar=False), rel=1e-9)
    assert np.array_equal(found.scatter, found.scatter.T)
    assert moments([x[:0]]) is None


def test_frechet_equals_the_formula_in_the_layout_of_inception():
    """2048 features of few images, from a network of that shape with random weights."""
    pytest.importorskip('torchvision')
    images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    a, b = np.split(FIDInception(weights=None)(images).numpy(), 2)
    assert a.shape == (3, 2048)
    assert frechet_of_vectors(a, b) == pytest.approx(direct_singular(a, b), rel=1e-6)


def direct_singular(a, b):
    """Principal square roots of both covariances, which singular ones have too."""
    first, second = (np.cov(x.astype(np.float64), rowvar=False) for x in (a, b))
    basis = np.linalg.qr(np.concatenate([a - a.mean(0), b - b.mean(0)]).T.astype(np.float64))[0]
    small = [basis.T @ s @ basis for s in (first, second)]
    root = scipy.linalg.sqrtm(small[0]).real
    values = np.linalg.eigvalsh(root @ small[1] @ root).clip(min=0)
    shift = a.mean(0, dtype=float) - b.mean(0, dtype=float)
    return (shift**2).sum() + np.trace(first + second) - 2 * np.sqrt(values).sum()


def test_sums_of_parts_add_up():
    x = features(101, 7, shift=1000.0)
    whole = moments([x])
    for cut in (1, 40, 100):
        total = merged(moments([x[:cut]]), moments([x[cut:70], x[70:]] if cut < 70 else [x[cut:]]))
        assert total.n == 101
        assert total.mean == pytest.approx(whole.mean, rel=1e-12)
        assert total.scatter == pytest.approx(whole.scatter, rel=1e-9)
    assert whole.covariance == pytest.approx(np.cov(x.astype(np.float64), rowvar=False), rel=1e-9)


def test_kernel_distance_equals_its_definition_and_torchmetrics():
    a, b = features(9, 5), features(11, 5, seed=1, shift=0.3)

    def kernel(x, y):
        return (float(x.astype(float) @ y.astype(float)) / 5 + 1) ** 3

    within = [np.mean([kernel(x, y) for x, y in itertools.permutations(s, 2)]) for s in (a, b)]
    across = np.mean([kernel(x, y) for x in a for y in b])
    assert kernel_distance(a, b) == pytest.approx(sum(within) - 2 * across, rel=1e-12)
    module = pytest.importorskip('torchmetrics.image.kid')
    same_size = b[:9]
    expected = module.poly_mmd(*(torch.from_numpy(x).double() for x in (a, same_size)))
    assert kernel_distance(a, same_size) == pytest.approx(float(expected), rel=1e-12)


def test_kernel_distance_is_unbiased():
    """Subsets of one distribution: the mean over draws is zero within its error."""
    rng = np.random.default_rng(0)
    draws = [kernel_distance(*rng.normal(size=(2, 6, 3))) for _ in range(400)]
    assert abs(np.mean(draws)) < 3 * np.std(draws) / 20
    assert np.std(draws) > 0.01


@pytest.mark.parametrize(
    ('config', 'name'),
    [
        ({'type': 'FID', 'features': RANDOM}, NAME),
        (
            {'type': 'KID', 'features': RANDOM, 'subset_size': 5},
            'KernelDistance(random16,seed=0,subsets=100x5)',
        ),
        ({'type': 'FID', 'features': Pixels()}, 'FrechetDistance(pixels)'),
    ],
)
def test_only_the_weights_of_fid_give_its_name(config, name):
    assert METRICS.build(config).name == name


def test_value_comes_from_8_bit_images_each_counted_once():
    samples = sample_set(30)
    expected = direct_frechet(
        *(
            np.stack([(s.get(k).clamp(0, 1) * 255).round().flatten() / 255 for s in samples])
            for k in ('pred', 'gt')
        )
    )
    found = scored(FID(Pixels()), [*samples, *samples[:4]])
    assert found['FrechetDistance(pixels)/images'] == 30
    assert found['FrechetDistance(pixels)'] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('small', [2048, 10])
def test_value_depends_on_neither_order_batches_nor_route(monkeypatch, small):
    samples = sample_set(40)
    expected = scored(FID(RANDOM), samples)[NAME]
    monkeypatch.setattr(fid, 'SMALL_SET', small)
    assert scored(FID(RANDOM), samples[::-1], batch=3)[NAME] == pytest.approx(expected, rel=1e-9)


def test_kid_depends_on_keys_not_on_order_and_is_bounded():
    samples = sample_set(50)
    settings = {'features': RANDOM, 'subsets': 10, 'subset_size': 8, 'max_images': 20}
    first, again = KID(**settings), KID(**settings)
    scored(first, samples)
    scored(again, samples[::-1], batch=50)
    assert first.values == again.values
    (value,) = first.values.values()
    assert (value.n, value.over) == (50, 'subsets')
    assert value.std > 0
    other = KID(**settings, seed=1)
    scored(other, samples)
    assert other.values != first.values


def test_kid_of_all_images_is_the_kernel_distance():
    samples = sample_set(12)
    metric = KID(Pixels(), subsets=3, subset_size=12)
    found = scored(metric, samples)[metric.name]
    rows = [metric.vectors([s.get(k) for s in samples]) for k in ('pred', 'gt')]
    assert found == pytest.approx(kernel_distance(*rows), rel=1e-9)


def test_agrees_with_the_metric_of_torchmetrics():
    module = pytest.importorskip('torchmetrics.image.fid')
    network = RandomFeatures(channels=4)

    class Scaled(nn.Module):
        def forward(self, images):
            return network(images.float() / 255)

    peer = module.FrechetInceptionDistance(feature=Scaled())
    samples = sample_set(60)
    for kind, is_real in (('pred', False), ('gt', True)):
        images = torch.stack([s.get(kind) for s in samples])
        peer.update((images.clamp(0, 1) * 255).round().byte(), real=is_real)
    found = scored(FID(network), samples)['FrechetDistance(random8,seed=0)']
    assert found == pytest.approx(float(peer.compute()), rel=1e-3)


def test_grey_images_are_repeated_and_sizes_may_differ():
    metric = FID(RANDOM)
    grey = [s.gt for s in sample_set(3, channels=1)]
    others = [s.gt for s in sample_set(2, size=(9, 14), channels=1)]
    mixed = [grey[0], others[0], grey[1], others[1], grey[2]]
    found = metric.vectors([image.expand(3, -1, -1) for image in mixed])
    assert np.array_equal(metric.vectors(mixed), found)
    alone = [metric.vectors([image])[0] for image in mixed]
    assert np.stack(alone) == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_an_image_that_is_not_finite_makes_the_value_nan(bad):
    samples = sample_set(8)
    samples[5].pred[0, 3, 3] = bad
    assert math.isnan(scored(FID(RANDOM), samples)[NAME])
    assert math.isfinite(scored(FID(RANDOM), sample_set(8))[NAME])


@pytest.mark.parametrize(
    ('make', 'error', 'text'),
    [
        (lambda: KID(RANDOM, subset_size=1), ConfigError, 'subset_size <= max_images, got 100, 1'),
        (lambda: scored(KID(RANDOM), sample_set(9)), DataError, '9 images are fewer than subset'),
        (lambda: scored(FID(RANDOM), sample_set(1)), DataError, 'at least 2 images, got 1'),
        (lambda: FID(RANDOM).evaluate(4), DataError, 'no image came; the data set has 4'),
        (lambda: scored(FID(RANDOM), sample_set(2, channels=2)), DataError, '1 or 3 channels'),
    ],
)
def test_what_cannot_be_computed_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()


def test_a_sample_without_target_is_refused():
    sample = sample_set(1)[0]
    del sample.gt
    with pytest.raises(DataError, match=r"expected gt of 'person/000' as \(C, H, W\).*got None"):
        FID(RANDOM).process(None, [sample])


# The network of FID.


def test_missing_weights_say_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    with pytest.raises(MissingWeightsError, match=r'Get pt_inception-2015-12-05-6726825d.pth'):
        FID()


def test_weights_of_fid_are_read_from_the_hub_cache(tmp_path, monkeypatch):
    pytest.importorskip('torchvision')
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    file = tmp_path / 'hub' / 'checkpoints' / 'pt_inception-2015-12-05-6726825d.pth'
    file.parent.mkdir(parents=True)
    untrained = FIDInception(weights=None)
    assert untrained.label == 'inception-random,bilinear299'
    assert sum(p.numel() for p in untrained.parameters()) == 23_850_960
    state = untrained.network.state_dict()
    torch.save({**state, 'fc.bias': state['fc.bias'] + 1}, file)
    metric = FID()
    assert metric.name == 'FID(inception,bilinear299)'
    assert torch.equal(metric.features.network.fc.bias, state['fc.bias'] + 1)
    assert metric.vectors([torch.rand(1, 20, 30)]).shape == (1, 2048)
    torch.save({'fc.bias': state['fc.bias']}, file)
    with pytest.raises(CheckpointError, match='not the Inception of FID'):
        FID()


def test_pooling_of_fid_leaves_padding_out():
    """Inside, a block equals torchvision's; at the edges it does not."""
    inception = pytest.importorskip('torchvision.models.inception')
    from noiseedit.evaluation.metrics import inception_fid

    own, peer = (
        block(16, pool_features=4).eval() for block in (inception_fid._A, inception.InceptionA)
    )
    peer.load_state_dict(own.state_dict())
    image = torch.rand(1, 16, 12, 12)
    found, expected = own(image), peer(image)
    assert torch.allclose(found[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], atol=1e-6)
    assert not torch.allclose(found, expected, atol=1e-4)
    assert torch.allclose(inception_fid.mean_pool(torch.ones(1, 1, 4, 4)), torch.ones(1, 1, 4, 4))


def test_last_block_of_fid_pools_the_maximum():
    pytest.importorskip('torchvision')
    from noiseedit.evaluation.metrics import inception_fid

    network = inception_fid.build_inception().eval()
    assert network.Mixed_7c.pool is inception_fid.max_pool
    assert network.Mixed_7b.pool is inception_fid.mean_pool
    x = torch.rand(1, 2048, 8, 8)
    pooled = network.Mixed_7c.branch_pool(nn.functional.max_pool2d(x, 3, 1, 1))
    assert torch.allclose(network.Mixed_7c(x)[:, -192:], pooled)
