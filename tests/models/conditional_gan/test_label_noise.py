"""Label noise: the tables, the noisy labels of data, what losses make of them."""

import numpy as np
import pytest
import torch

from noiseedit.errors import ConfigError, DataError, UnknownNameError
from noiseedit.models.conditional_gan.labels import (
    clean_posterior,
    draw_classes,
    forward_corrected,
    posterior_divergence,
)
from noiseedit.noises.label_noise import transition_matrix
from noiseedit.registry import TRANSFORMS
from noiseedit.seeding import generator_for

CIFAR10 = ('airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck')


def test_the_symmetric_table():
    matrix = transition_matrix({'name': 'symmetric', 'rate': 0.7}).numpy()
    np.testing.assert_allclose(matrix, 0.3 * np.eye(10) + 0.07, atol=1e-12)
    three = transition_matrix({'name': 'symmetric', 'rate': 0.3, 'classes': 3})
    assert three[0].tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_the_asymmetric_table_of_cifar10():
    matrix = transition_matrix({'name': 'cifar10_asymmetric', 'rate': 0.7})
    mistakes = {
        (CIFAR10[a], CIFAR10[b]): float(matrix[a, b])
        for a, b in matrix.nonzero().tolist()
        if a != b
    }
    assert mistakes == pytest.approx(
        dict.fromkeys(
            [
                ('truck', 'automobile'),
                ('bird', 'airplane'),
                ('deer', 'horse'),
                ('cat', 'dog'),
                ('dog', 'cat'),
            ],
            0.7,
        )
    )
    assert matrix.sum(1).tolist() == pytest.approx([1] * 10)


def test_the_circular_table():
    matrix = transition_matrix({'name': 'circular', 'rate': 0.4, 'groups': [[4, 1], [0, 2, 3]]})
    expected = 0.6 * np.eye(5)
    for a, b in ((4, 1), (1, 4), (0, 2), (2, 3), (3, 0)):
        expected[a, b] += 0.4
    np.testing.assert_allclose(matrix.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize(('name', 'classes'), [('cifar10to5', 5), ('cifar7to3', 3)])
def test_the_tables_of_overlapping_classes(name, classes):
    matrix = transition_matrix(name).numpy()
    for label, row in enumerate(matrix):
        if name == 'cifar7to3' and label == 6:
            expected = np.full(3, 1 / 3)
        else:
            expected = np.zeros(classes)
            expected[label // 2 % classes] += 0.5
            expected[(label // 2 + label % 2) % classes] += 0.5
        np.testing.assert_allclose(row, expected)
    assert (matrix.max(1)[::2][:3] == 1).all()  # even classes are certain


def test_tables_that_are_none_are_refused():
    with pytest.raises(ConfigError, match='rows of probabilities'):
        transition_matrix([[0.5, 0.4], [0, 1]])
    with pytest.raises(UnknownNameError, match="'symetric' is not known; nearest: symmetric"):
        transition_matrix('symetric')
    with pytest.raises(ConfigError, match=r'transition.rate: expected a number in \[0, 1\]'):
        transition_matrix({'name': 'symmetric', 'rate': 1.5})
    with pytest.raises(ConfigError, match='unexpected keyword'):
        transition_matrix({'name': 'cifar10to5', 'rate': 0.5})


def relabelled(step, count):
    items = [{'key': f'train/{i:05d}', 'visit': i % 3, 'label': i % 10} for i in range(count)]
    return [step(item) for item in items]


def test_noisy_labels_follow_the_table_and_stay():
    spec = {'name': 'symmetric', 'rate': 0.5}
    step = TRANSFORMS.build({'type': 'NoisyLabel', 'transition': spec})
    items = relabelled(step, 20_000)
    counts = np.zeros((10, 10))
    for item in items:
        counts[item['clean_label'], item['label']] += 1
    np.testing.assert_allclose(counts / 2_000, transition_matrix(spec).numpy(), atol=0.045)
    again = step({'key': 'train/00007', 'visit': 99, 'label': 7})
    assert again['label'] == items[7]['label']
    other = TRANSFORMS.build({'type': 'NoisyLabel', 'transition': spec, 'seed': 1})
    assert [i['label'] for i in relabelled(other, 200)] != [i['label'] for i in items[:200]]


def test_noisy_labels_need_labels():
    step = TRANSFORMS.build({'type': 'NoisyLabel', 'transition': 'cifar7to3'})
    with pytest.raises(DataError, match=r"'a': expected a label in 0..6, got 8"):
        step({'key': 'a', 'label': 8})
    with pytest.raises(DataError, match='got None'):
        step({'key': 'a'})


def test_the_forward_corrected_loss_against_numpy():
    generator = np.random.default_rng(0)
    logits, noisy = generator.normal(size=(6, 10)), generator.integers(0, 10, 6)
    matrix = transition_matrix({'name': 'cifar10_asymmetric', 'rate': 0.3}).numpy()
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.log((softmax @ matrix)[np.arange(6), noisy] + 1e-8).mean()
    ours = forward_corrected(
        torch.tensor(logits), torch.tensor(noisy), torch.tensor(matrix).float()
    )
    assert float(ours) == pytest.approx(expected, rel=1e-5)
    plain = forward_corrected(torch.tensor(logits), torch.tensor(noisy), None)
    assert float(plain) == pytest.approx(-np.log(softmax[np.arange(6), noisy]).mean(), rel=1e-5)


@pytest.mark.parametrize('name', ['symmetric', 'cifar10_asymmetric'])
def test_the_posterior_of_clean_labels_is_bayes_rule(name):
    matrix = transition_matrix({'name': name, 'rate': 0.7})
    joint = matrix.numpy() / 10
    expected = (joint / joint.sum(0)).T
    np.testing.assert_allclose(clean_posterior(matrix).numpy(), expected, atol=1e-12)


def test_a_label_that_never_occurs_counts_as_clean():
    matrix = transition_matrix({'name': 'cifar10_asymmetric', 'rate': 1.0})
    posterior = clean_posterior(matrix)
    assert posterior[9].tolist() == [0] * 9 + [1]
    assert posterior.sum(1).tolist() == pytest.approx([1] * 10)


def test_classes_are_drawn_with_their_probabilities():
    rows = torch.tensor([[0.2, 0.0, 0.8], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    drawn = draw_classes(rows.repeat(5_000, 1), generator_for(0)).view(-1, 3)
    assert float((drawn[:, 0] == 2).float().mean()) == pytest.approx(0.8, abs=0.02)
    assert (drawn[:, 0] != 1).all()
    assert (drawn[:, 1] == 0).all()
    assert (drawn[:, 2] == 2).all()


def test_the_divergence_of_posteriors_against_numpy():
    generator = np.random.default_rng(1)
    target, logits = generator.dirichlet(np.ones(5), 4), generator.normal(size=(4, 5))
    softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = (target * np.log(target / softmax)).sum(1).mean()
    ours = posterior_divergence(torch.tensor(target).float(), torch.tensor(logits))
    assert float(ours) == pytest.approx(expected, rel=1e-5)
    sure = posterior_divergence(torch.eye(3), torch.eye(3) * 100)
    assert float(sure) == pytest.approx(0, abs=1e-6)
