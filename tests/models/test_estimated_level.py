"""A denoiser that is told the level, on images whose level nobody knows: it is estimated."""

from pathlib import Path

import pytest
import torch
from small_models import make_batch

from noiseedit.config import load_config
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import read_image
from noiseedit.models.convert import convert, reader
from noiseedit.models.preprocessor import EditPreprocessor
from noiseedit.noises.blind import estimate_sigma
from noiseedit.registry import MODELS
from noiseedit.structures import EditSample

DATA = (Path(__file__).resolve().parents[2] / '../shared/data').resolve()
SET12, RELEASED = DATA / 'testsets' / 'Set12', DATA / 'checkpoints' / 'ffdnet_gray.mat'
GAUSSIAN = {'type': 'GaussianNoise', 'sigma': 25, 'unit': 255}
BLIND = {'noise_level': 'estimate'}


def seeded(**settings):
    preprocessor = EditPreprocessor(**settings)
    preprocessor.seed_iteration(0)
    return preprocessor


def batch_of(image, count=1):
    samples = [EditSample(metainfo={'key': str(index)}) for index in range(count)]
    return {'inputs': {'target': image.expand(count, -1, -1, -1)}, 'data_samples': samples}


@pytest.mark.parametrize('training', [True, False])
def test_the_level_is_that_of_the_noisy_image(training):
    clean = batch_of(torch.full((1, 1, 96, 96), 0.5), 3)
    noise = {'train': GAUSSIAN, 'test': GAUSSIAN}
    inputs = seeded(noise=noise, **BLIND)(clean, training=training)['inputs']
    assert inputs['level'].shape == (3, 1, 1, 1)
    assert inputs['level'].dtype == inputs['source'].dtype
    torch.testing.assert_close(inputs['level'].flatten(), estimate_sigma(inputs['source']))
    assert float((255 * inputs['level'] / 25 - 1).abs().max()) < 0.1


def test_noisy_files_have_a_level_without_noise_of_the_config():
    clean = torch.full((2, 3, 64, 64), 0.4)
    noisy = clean + 15 / 255 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    batch = {**batch_of(clean[:1], 2), 'inputs': {'source': noisy, 'target': clean}}
    level = seeded(value_range='[-1,1]', pad_multiple=48, **BLIND)(batch)['inputs']['level']
    torch.testing.assert_close(level.flatten(), estimate_sigma(noisy))


def test_patches_that_clipping_left_without_noise_stop_no_training():
    noise = 15 / 255 * torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    noisy = 0.4 + noise
    noisy[1], noisy[2], noisy[3, 2] = 0, 1, 0  # black, white, blue alone clipped
    batch = {**batch_of(noisy[:1], 4), 'inputs': {'source': noisy, 'target': noisy.clone()}}
    level = seeded(**BLIND)(batch, training=True)['inputs']['level'].flatten()
    assert level[1:3].tolist() == [0, 0]
    expected = torch.stack([estimate_sigma(noisy[:1])[0], estimate_sigma(noisy[3:, :2])[0]])
    torch.testing.assert_close(level[::3], expected)


def test_an_image_with_noise_on_its_picture_alone_is_refused():
    with pytest.raises(ConfigError, match='needs noise_pad=True'):
        EditPreprocessor(noise_pad=False, **BLIND)


def test_an_image_too_small_is_an_error():
    with pytest.raises(DataError, match='8 x 8 are too small to estimate noise from'):
        seeded(**BLIND)(make_batch(2, height=8, width=8))


@pytest.mark.slow
@pytest.mark.skipif(not (SET12.is_dir() and RELEASED.is_file()), reason=f'{DATA} is not here')
def test_released_ffdnet_on_set12_with_the_level_estimated():
    """Sigma 25: within 0.02 dB of the network that is told."""
    pytest.importorskip('h5py', reason='h5py is not installed')
    config = load_config('ffdnet/ffdnet_gray_awgn.py').model.to_dict()
    found = convert('ffdnet', reader('ffdnet', RELEASED)(RELEASED))
    scores = {}
    for level in ('known', 'estimate'):
        config['data_preprocessor']['noise_level'] = level
        model = MODELS.build(config).eval()
        model.generator.load_state_dict(found.state_dict)
        scores[level] = [psnr(model, path) for path in sorted(SET12.glob('*.png'))]
    gaps = torch.tensor(scores['known']) - torch.tensor(scores['estimate'])
    assert abs(float(gaps.mean())) < 0.02
    assert float(gaps.max()) < 0.1


@torch.no_grad()
def psnr(model, path):
    clean = torch.from_numpy(read_image(path, channels=1)).permute(2, 0, 1)[None].float() / 255
    clean = clean[..., :256, :256]
    batch = model.data_preprocessor(batch_of(clean))
    restored = model(**batch, mode='predict')[0].pred
    return -10 * float((restored - clean[0]).square().mean().log10())
