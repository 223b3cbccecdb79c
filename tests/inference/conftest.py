"""Tiny models, written once."""

import pytest
import torch
from inference_models import CONDITIONAL, write_model
from restore_models import write_denoiser

from noiseedit.config import load_config
from noiseedit.engine.checkpoint import save_checkpoint
from noiseedit.registry import MODELS


@pytest.fixture(scope='session')
def conditional(tmp_path_factory):
    """Return config and checkpoint of a conditional model; its classes differ."""
    config = tmp_path_factory.mktemp('conditional') / 'model.py'
    config.write_text(CONDITIONAL)
    torch.manual_seed(0)
    model = MODELS.build(load_config(config).model)
    with torch.no_grad():
        for name, value in model.generator.named_parameters():
            if name.endswith('.shift'):
                value.normal_()
    checkpoint = config.with_suffix('.pth')
    save_checkpoint({'state_dict': model.state_dict()}, checkpoint)
    return config, checkpoint


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """Return config and checkpoint of a model of a kind; written once."""
    written = {}

    def get(kind='sinrgan1', prior='AdditiveGaussianPrior'):
        if (kind, prior) not in written:
            folder = tmp_path_factory.mktemp(kind)
            written[kind, prior] = write_model(folder, kind, prior)
        return written[kind, prior]

    return get


@pytest.fixture(scope='session')
def denoiser(tmp_path_factory):
    """Return config and checkpoint of a kind of denoiser; written once."""
    folder = tmp_path_factory.mktemp('denoisers')
    written = {}

    def get(kind='grey'):
        if kind not in written:
            written[kind] = write_denoiser(folder, kind)
        return written[kind]

    return get
