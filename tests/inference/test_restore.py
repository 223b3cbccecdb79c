"""Restoration: one image, files and folders."""

import os

import numpy as np
import pytest
import torch
from PIL import Image
from restore_models import picture, write_denoiser, write_folder
from skimage.metrics import peak_signal_noise_ratio

from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import read_image, write_image
from noiseedit.inference import load_model
from noiseedit.inference.restore_files import plan_jobs, restore_jobs
from noiseedit.inference.restoring import Restorer, turned, turned_back
from noiseedit.noises import build
from noiseedit.noises.blind import estimate_sigma
from noiseedit.structures import EditSample


@pytest.fixture
def model_of(denoiser):
    return lambda kind='grey': load_model(*denoiser(kind), device='cpu')


# One image.


@pytest.mark.parametrize(('kind', 'channels'), [('grey', 1), ('color', 3)])
def test_result_is_the_prediction_of_the_model_without_its_test_noise(model_of, kind, channels):
    model, image = model_of(kind), picture(channels=channels)
    result = Restorer(model)(image)
    assert result.dtype == np.float32
    batch = {
        'inputs': {'source': torch.from_numpy(image).permute(2, 0, 1)[None]},
        'data_samples': [EditSample(metainfo={'key': 'a'})],
    }
    data = model.data_preprocessor.test_batch(model.data_preprocessor.load(batch), None)
    expected = model(**data, mode='predict')[0].pred.permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(result, expected)
    assert Restorer(model).channels == channels


@pytest.mark.parametrize('kind', ['grey', 'color', 'level'])
@pytest.mark.parametrize('size', [(64, 64), (75, 131), (30, 100), (20, 21)])
def test_tiles_change_nothing(model_of, kind, size):
    model = model_of(kind)
    settings = {'level': 20} if kind == 'level' else {}
    image = picture(*size, channels=3 if kind == 'color' else 1)
    restorer = Restorer(model, tile=32, batch=3, **settings)
    assert restorer.is_exact
    whole = Restorer(model, **settings)(image)
    np.testing.assert_allclose(restorer(image), whole, rtol=0, atol=1e-6)
    assert restorer.seams is None


def test_sizes_that_the_preprocessor_pads(tmp_path):
    config, checkpoint = write_denoiser(
        tmp_path, preprocessor="pad_multiple=8, value_range='[-1,1]'"
    )
    model = load_model(config, checkpoint, device='cpu')
    image = picture(45, 75)
    whole = Restorer(model)(image)
    assert whole.shape == (45, 75, 1)
    restorer = Restorer(model, tile=24)
    assert restorer.tiles.multiple == 8
    np.testing.assert_allclose(restorer(image), whole, rtol=0, atol=1e-6)


def test_tiles_of_a_network_that_sees_all_are_measured(model_of):
    restorer = Restorer(model_of('global'), tile=128)
    assert not restorer.is_exact
    image = picture(100, 200, 3)
    image[:, :100] //= 2
    restorer(image[:, :128])
    assert restorer.seams is None  # one tile
    restorer(image)
    assert restorer.seams.largest > 0
    assert not Restorer(model_of(), tile=64, halo=1).is_exact


def test_level_is_a_number_or_found_of_the_image(model_of):
    model, image = model_of('level'), picture()
    seen = []

    def find(given):
        seen.append(given)
        return 30.0

    results = {level: Restorer(model, level=level)(image) for level in (10, 30)}
    assert not np.allclose(results[10], results[30], atol=1e-3)
    np.testing.assert_array_equal(Restorer(model, level=find)(image), results[30])
    assert len(seen) == 1
    assert seen[0] is image


def test_level_of_the_config(tmp_path):
    config, checkpoint = write_denoiser(tmp_path, 'level', preprocessor='noise_level=30')
    model = load_model(config, checkpoint, device='cpu')
    np.testing.assert_array_equal(Restorer(model)(picture()), Restorer(model, level=30)(picture()))


def test_level_is_estimated_of_the_whole_image(tmp_path):
    noise = build({'type': 'GaussianNoise', 'sigma': 30, 'unit': 255})
    image = noise.apply_uint8(np.full((64, 72, 1), 128, np.uint8), 0)
    config, checkpoint = write_denoiser(tmp_path, 'level', preprocessor="noise_level='estimate'")
    model = load_model(config, checkpoint, device='cpu')
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255
    sigma = 255 * float(estimate_sigma(tensor))
    assert sigma == pytest.approx(30, rel=0.1)
    expected = Restorer(model, level=sigma)(image)
    for restorer in (Restorer(model), Restorer(model, level='estimate')):
        np.testing.assert_array_equal(restorer(image), expected)
    tiled = Restorer(model, level='estimate', tile=40)(image)
    np.testing.assert_allclose(tiled, expected, atol=1e-5)


@pytest.mark.parametrize(
    ('kind', 'settings', 'message'),
    [
        ('level', {}, 'is told the level of the noise: give it'),
        ('level', {'level': -1}, 'expected a number >= 0 of 8-bit units, got -1'),
        ('level', {'level': float('nan')}, 'got nan'),
        ('grey', {'level': 5}, 'is not told the level'),
        ('grey', {'halo': 5}, 'a halo needs tiles'),
        ('grey', {'tile': 8}, 'a size of at least 9 pixels for a halo of 4, got 8'),
    ],
)
def test_settings_that_do_not_fit_are_refused(model_of, kind, settings, message):
    with pytest.raises(ConfigError, match=message):
        Restorer(model_of(kind), **settings)


def test_models_that_need_more_than_an_image_are_refused(trained):
    message = "one image, no more: .*needs the input 'latent'; the batch has source\\."
    with pytest.raises(ConfigError, match=message):
        Restorer(load_model(*trained(), device='cpu'))


def test_colour_through_a_grey_network(model_of):
    model, image = model_of(), picture(channels=3)
    restorer = Restorer(model, tile=32)
    result = restorer(image)
    one_by_one = [Restorer(model)(image[:, :, c : c + 1]) for c in range(3)]
    np.testing.assert_allclose(result, np.concatenate(one_by_one, 2), rtol=0, atol=1e-6)
    assert Restorer(model, color='grey')(image).shape == (40, 53, 1)


def test_grey_through_a_colour_network(model_of):
    model, image = model_of('color'), picture()
    expected = Restorer(model)(image.repeat(3, axis=2))
    np.testing.assert_array_equal(Restorer(model)(image), expected)


def test_turns_are_eight_and_undone():
    image = torch.arange(12).reshape(1, 1, 3, 4)
    ways = [turned(image, turn) for turn in range(8)]
    assert len({(tuple(way.shape), tuple(way.flatten().tolist())) for way in ways}) == 8
    assert all(torch.equal(turned_back(way, turn), image) for turn, way in enumerate(ways))


def test_ensemble_is_the_mean_over_turns_and_turns_with_the_image(model_of):
    image = picture(33, 46)
    restorer = Restorer(model_of('level'), level=25, ensemble=True)
    result = restorer(image)
    plain = Restorer(model_of('level'), level=25)
    assert not np.allclose(result, plain(image), atol=1e-4)
    turns = [np.rot90(plain(np.rot90(image, k)), -k) for k in range(4)]
    flips = [np.rot90(plain(np.rot90(image[:, ::-1], k)), -k)[:, ::-1] for k in range(4)]
    np.testing.assert_allclose(result, np.mean(turns + flips, 0), rtol=0, atol=1e-6)
    turned_image = np.ascontiguousarray(np.rot90(image))
    np.testing.assert_allclose(restorer(turned_image), np.rot90(result), rtol=0, atol=1e-6)
    tiles = Restorer(model_of('level'), level=25, ensemble=True, tile=32)
    np.testing.assert_allclose(tiles(image), result, rtol=0, atol=1e-6)


def test_too_little_memory_is_an_error_of_the_image(model_of, monkeypatch):
    model = model_of()
    restorer = Restorer(model)

    def fail(inputs):
        raise torch.OutOfMemoryError('CUDA out of memory')

    monkeypatch.setattr(model, 'translate', fail)
    with pytest.raises(DataError, match=r'40x53.*too little memory.*--tile 512'):
        restorer(picture())


# Files.


def test_folder_is_mirrored_and_depth_kept(model_of, tmp_path):
    source = write_folder(tmp_path / 'in', ('a', 'sub/b'))
    deep = np.random.default_rng(0).random((20, 30, 1)).astype(np.float32)
    write_image(source / 'deep.tif', deep, bits=16)
    restorer = Restorer(model_of())
    outcomes = list(restore_jobs(restorer, plan_jobs(source, tmp_path / 'out')))
    assert [outcome.job.key for outcome in outcomes] == ['a', 'deep', 'sub/b']
    assert not any(outcome.error for outcome in outcomes)
    written = read_image(tmp_path / 'out/sub/b.png', channels=None)
    expected = np.rint(np.clip(restorer(picture(seed=1)), 0, 1) * 255)
    np.testing.assert_array_equal(written, expected)
    found = read_image(tmp_path / 'out/deep.png', channels=None)
    assert found.dtype == np.float32
    whole = np.clip(restorer(read_image(source / 'deep.tif', channels=None)), 0, 1)
    np.testing.assert_allclose(found, whole, atol=0.6 / 65535)


def test_results_are_kept_unless_the_image_is_newer(model_of, tmp_path):
    source, out = write_folder(tmp_path / 'in'), tmp_path / 'out'
    jobs, restorer = plan_jobs(source, out), Restorer(model_of())
    list(restore_jobs(restorer, jobs))
    (out / 'a.png').write_bytes(b'mine')
    (out / 'sub/b.png').unlink()
    os.utime(source / 'sub/c.png', (2**31, 2**31))
    kept = [outcome.was_done for outcome in restore_jobs(restorer, jobs)]
    assert kept == [True, False, False]
    assert (out / 'a.png').read_bytes() == b'mine'
    assert not any(o.was_done for o in restore_jobs(restorer, jobs, keep=False))


def test_a_bad_file_does_not_lose_the_others(model_of, tmp_path):
    source, out = write_folder(tmp_path / 'in'), tmp_path / 'out'
    (source / 'sub/b.png').write_bytes((source / 'sub/b.png').read_bytes()[:60])
    outcomes = list(restore_jobs(Restorer(model_of()), plan_jobs(source, out)))
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False]
    assert 'b.png: truncated' in outcomes[1].error
    assert sorted(path.name for path in out.rglob('*.png')) == ['a.png', 'c.png']


def test_an_image_that_cannot_be_restored_is_named(model_of, tmp_path):
    write_image(tmp_path / 'in/black.png', np.zeros((40, 40, 1), np.uint8))
    restorer = Restorer(model_of('level'), level='estimate')
    outcome = next(restore_jobs(restorer, plan_jobs(tmp_path / 'in', tmp_path / 'out')))
    assert 'black.png: noise level: ' in outcome.error
    assert not outcome.job.target.exists()


def test_notes_say_what_happened_to_an_image(model_of, tmp_path):
    glass = np.dstack([picture(channels=3), np.full((40, 53), 128, np.uint8)])
    (tmp_path / 'in').mkdir()
    Image.fromarray(glass).save(tmp_path / 'in/glass.png')
    write_image(tmp_path / 'in/grey.png', picture())
    jobs = plan_jobs(tmp_path / 'in', tmp_path / 'out')
    notes = [outcome.notes for outcome in restore_jobs(Restorer(model_of()), jobs)]
    assert notes == [['transparency', 'color'], []]
    jobs = plan_jobs(tmp_path / 'in', tmp_path / 'colour')
    notes = [outcome.notes for outcome in restore_jobs(Restorer(model_of('color')), jobs)]
    assert notes == [['transparency'], ['grey']]


def test_scores_are_those_of_the_written_files(model_of, tmp_path):
    source = write_folder(tmp_path / 'in')
    clean = write_folder(tmp_path / 'clean', ('x', 'a', 'sub/b', 'sub/c'))
    jobs = plan_jobs(source, tmp_path / 'out', clean)
    outcome = next(restore_jobs(Restorer(model_of()), jobs))
    pair = [read_image(path, channels=None) for path in (clean / 'a.png', tmp_path / 'out/a.png')]
    name = 'PSNR(gray,uint8,border=0)'
    assert outcome.scores[name] == pytest.approx(peak_signal_noise_ratio(*pair), abs=1e-9)
    noisy = read_image(source / 'a.png', channels=None)
    assert outcome.before[name] == pytest.approx(peak_signal_noise_ratio(pair[0], noisy), abs=1e-9)
    assert set(outcome.scores) == {name, 'SSIM(gray,uint8,border=0)'}


def test_clean_image_of_another_size_is_an_error_of_that_image(model_of, tmp_path):
    source, clean = write_folder(tmp_path / 'in', ('a',)), tmp_path / 'clean'
    write_image(clean / 'a.png', picture(10, 10))
    outcome = next(restore_jobs(Restorer(model_of()), plan_jobs(source, tmp_path / 'o', clean)))
    assert 'got (10, 10); restored, but not compared' in outcome.error
    assert (tmp_path / 'o/a.png').exists()


def test_sixteen_bits_need_a_format_that_has_them(model_of, tmp_path):
    write_image(tmp_path / 'a.png', np.ones((20, 20, 1), np.float32), bits=16)
    jobs = plan_jobs(tmp_path / 'a.png', tmp_path / 'b.jpg')
    outcome = next(restore_jobs(Restorer(model_of()), jobs))
    assert '16 bits, which .jpg cannot hold' in outcome.error


def test_plans_that_would_lose_images_are_refused(tmp_path):
    source = write_folder(tmp_path / 'in')
    with pytest.raises(ConfigError, match='lies in the folder of the images'):
        plan_jobs(source, source / 'out')
    with pytest.raises(ConfigError, match='is the image itself'):
        plan_jobs(source / 'a.png', source / 'a.png')
    with pytest.raises(ConfigError, match='is the image itself'):
        plan_jobs(source / 'a.png', source)
    with pytest.raises(ConfigError, match=r'b.png is one file, but .*in a folder; name a folder'):
        plan_jobs(source, tmp_path / 'b.png')
    clean = write_folder(tmp_path / 'clean', ('a',))
    with pytest.raises(DataError, match='no clean image for 2 of 3: sub/b, sub/c'):
        plan_jobs(source, tmp_path / 'out', clean)
