"""Fixtures over every noise there is."""

import pytest
import torch
from noise_cases import CASES

from noiseedit.noises import build


@pytest.fixture(params=CASES, ids=str)
def noise(request):
    return build(CASES[request.param])


@pytest.fixture
def images() -> torch.Tensor:
    """Four images (4, 3, 32, 32) with values in [0.1, 0.9]."""
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(7)) * 0.8 + 0.1
