"""Sets of small images for the tests of this folder."""

import torch

from noiseedit.structures import EditSample


def sample_set(count, size=(12, 10), channels=3, noise=0.1, seed=0):
    """Return random targets and noisy predictions of them, keys ``person/000`` and so on."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for number in range(count):
        target = torch.rand(channels, *size, generator=generator)
        other = torch.randn(channels, *size, generator=generator)
        sample = EditSample(metainfo={'key': f'person/{number:03d}'})
        sample.set_data({'gt': target, 'pred': target + noise * other})
        samples.append(sample)
    return samples


def scored(metric, samples, batch=7):
    """Return the values of ``metric`` after batches of ``samples``."""
    for start in range(0, len(samples), batch):
        metric.process(None, samples[start : start + batch])
    return metric.evaluate(len(samples))
