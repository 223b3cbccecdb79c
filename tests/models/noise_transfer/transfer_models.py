"""A small NoiseTransfer and batches for its tests."""

import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict

from noiseedit.registry import MODELS
from noiseedit.structures import EditSample

NAMES = ('generator', 'discriminator')


def make_transfer(**changes):
    torch.manual_seed(0)
    spec = {
        'type': 'NoiseTransfer',
        'generator': {'type': 'VUNet', 'width': 4},
        'discriminator': {'type': 'ContraE', 'width': 4},
        'queue_size': 64,
    }
    return MODELS.build({**spec, **changes})


def make_batch(n=2, side=16, seed=0):
    """Return a batch of triplets: clean, noisy, and another image with the same noise."""
    stream = torch.Generator().manual_seed(seed)
    clean, other = (torch.rand(n, 3, side, side, generator=stream) for _ in range(2))
    noisy, reference = (
        (x + 0.1 * torch.randn(x.shape, generator=stream)).clamp(0, 1) for x in (clean, other)
    )
    samples = [
        EditSample(metainfo={'key': f'image{i}', 'visit': 0, 'ori_shape': (side, side)})
        for i in range(n)
    ]
    inputs = {'source': clean, 'target': noisy, 'reference': reference}
    return {'inputs': inputs, 'data_samples': samples}


def sgd(model, lr=0.01, **kwargs):
    return OptimWrapperDict(
        **{
            name: OptimWrapper(torch.optim.SGD(getattr(model, name).parameters(), lr=lr), **kwargs)
            for name in NAMES
        }
    )


def train(model, batches, optimisers=None):
    """Train on every batch; return the logs."""
    optimisers = optimisers or sgd(model)
    model.train()
    logs = []
    for number, batch in enumerate(batches):
        model.data_preprocessor.seed_iteration(number)
        logs.append(model.train_step(batch, optimisers))
    return logs


def state_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def changed(network, before):
    """Return the names of parameters that differ from ``before``."""
    return {
        name for name, value in network.named_parameters() if not torch.equal(value, before[name])
    }
