"""Samples: by number and seed, interpolations on arcs, the level of the learnt noise; the tool."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from inference_models import write_model

from noiseedit.imaging import read_image
from noiseedit.inference import load_model
from noiseedit.inference.sampling import (
    generate,
    interpolate,
    noise_level,
    sample_file,
    slerp,
    streams,
    write_samples,
)

ROOT = Path(__file__).resolve().parents[2]


def model_of(trained, kind='sinrgan1', **settings):
    return load_model(*trained(kind), device='cpu', **settings)


def test_image_depends_on_number_and_seed_alone(trained, tmp_path):
    model = model_of(trained)
    assert list(write_samples(model, tmp_path / 'a', 5, batch_size=5)) == [0, 1, 2, 3, 4, 5]
    list(write_samples(model, tmp_path / 'b', 7, batch_size=2))
    list(write_samples(model, tmp_path / 'c', 5, seed=1))
    for number in range(5):
        first, second, other = (
            read_image(sample_file(tmp_path / folder, number)).astype(int) for folder in 'abc'
        )
        assert np.abs(first - second).max() <= 1  # batches of another size round otherwise
        assert np.abs(first - other).max() > 1
    direct = model.sample(1, streams(0, [4]))[0].permute(1, 2, 0).numpy()
    assert np.abs(direct * 255 - read_image(sample_file(tmp_path / 'a', 4))).max() <= 1


def test_existing_images_are_kept_and_missing_ones_added(trained, tmp_path):
    model = model_of(trained)
    list(write_samples(model, tmp_path, 4))
    sample_file(tmp_path, 2).unlink()
    sample_file(tmp_path, 1).write_bytes(b'mine')
    assert next(write_samples(model, tmp_path, 6)) == 3
    assert list(write_samples(model, tmp_path, 6))[-1] == 6
    assert sample_file(tmp_path, 1).read_bytes() == b'mine'
    assert sorted(path.name for path in tmp_path.glob('*')) == [f'{n:06d}.png' for n in range(6)]


def test_clean_part_of_pairs_is_the_sample(trained):
    model = model_of(trained, 'sdnrgan2')
    made = generate(model, 3, streams(0, range(3)))
    assert torch.equal(made.clean, model.sample(3, streams(0, range(3))))


def test_arc_keeps_the_length_and_meets_its_ends():
    first, last = torch.randn(2, 128, dtype=torch.float64, generator=torch.Generator())
    last = last * first.norm() / last.norm()
    arc = slerp(first, last, torch.linspace(0, 1, 9, dtype=torch.float64))
    torch.testing.assert_close(arc[[0, -1]], torch.stack([first, last]))
    torch.testing.assert_close(arc.norm(dim=1), first.norm().expand(9))
    steps = torch.nn.functional.cosine_similarity(arc[1:], arc[:-1])
    torch.testing.assert_close(steps, steps[:1].expand(8))
    same = slerp(first, first, torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64))
    torch.testing.assert_close(same, first.expand(3, -1))


def test_rows_of_interpolations_begin_and_end_with_images(trained):
    model = model_of(trained)
    rows = interpolate(model, 2, steps=5)
    assert rows.shape == (2, 5, 3, 16, 16)
    images = model.sample(4, streams(0, range(4)))
    torch.testing.assert_close(rows[:, 0], images[::2], rtol=0, atol=1e-5)
    torch.testing.assert_close(rows[:, -1], images[1::2], rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ('prior', 'factor'), [('AdditiveGaussianPrior', 127.5), ('PoissonPrior', 255.0)]
)
def test_level_of_a_prior_is_its_sigma(tmp_path, prior, factor):
    """A network of zero weights but for the last bias gives one sigma everywhere."""
    name = 'degradation__network__conv5__'
    zero = {f'{name}weight': 0.0, f'{name}bias': -0.2}
    model = load_model(*write_model(tmp_path, 'sinrgan1', prior, **zero), ema='off', device='cpu')
    found = noise_level(model, 7, batch_size=3)
    assert (found.of, found.to_8bit) == ('sigma', factor)
    assert found.level.shape == (16, 16)
    expected = torch.full((16, 16), 0.2, dtype=torch.float64).tanh()
    torch.testing.assert_close(found.level, expected, rtol=1e-5, atol=0)
    assert found.mean() == pytest.approx(float(expected[0, 0]), rel=1e-5)


def test_level_without_a_prior_is_that_of_the_noise(trained, tmp_path):
    name = 'degradation__network__conv5__'
    zero = {f'{name}weight': 0.0, f'{name}bias': -0.2}
    model = load_model(*write_model(tmp_path, 'sinrgan2', **zero), ema='off', device='cpu')
    found = noise_level(model, 5)
    assert (found.of, found.to_8bit) == ('rms', 127.5)
    assert found.mean() == pytest.approx(np.tanh(0.2), rel=1e-5)
    simulated = noise_level(model_of(trained, 'ambientgan'), 64)
    assert simulated.mean() == pytest.approx(50 / 255, rel=0.05)
    assert noise_level(model_of(trained, 'gan'), 5) is None


# The tool.


@pytest.fixture
def infer(monkeypatch, capsys):
    """Run the tool in this process; return exit code, output and errors."""
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['infer.py', 'sample', *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            runpy.run_path(str(ROOT / 'tools' / 'infer.py'), run_name='__main__')
        return stopped.value.code, *capsys.readouterr()

    return run


def test_tool_writes_images_pictures_and_a_record(infer, trained, tmp_path):
    config, checkpoint = trained()
    out = tmp_path / 'out'
    pictures = ['--grid', '--interpolate', 2, '--noise-map']
    code, printed, errors = infer(config, checkpoint, '--out', out, '-n', 5, *pictures)
    assert code == 0, errors
    assert 'learnt |sigma|, mean: ' in printed
    names = {f'{number:06d}.png' for number in range(5)}
    names |= {'grid.png', 'interpolations.png', 'noise_level_map.png', 'samples.json'}
    assert {path.name for path in out.iterdir()} == names
    for name in names - {'samples.json'}:
        assert read_image(out / name).std() > 0
    record = json.loads((out / 'samples.json').read_text())
    assert (record['images'], record['seed'], record['noise']['images']) == (5, 0, 5)
    assert record['noise']['level_255'] == pytest.approx(127.5 * record['noise']['level'])

    code, _, errors = infer(config, checkpoint, '--out', out, '-n', 5, '--seed', 1)
    assert code == 2
    assert 'holds images of another run (seed 0 instead of 1)' in errors
    assert infer(config, checkpoint, '--out', out, '-n', 6)[0] == 0
    assert json.loads((out / 'samples.json').read_text())['noise'] == record['noise']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['-n', '0'], 'got 0, 64 and 0'),
        (['--batch-size', '0'], 'got 64, 0 and 0'),
        (['--interpolate=-1'], 'got 64, 64 and -1'),
    ],
)
def test_tool_refuses_counts_that_are_none(infer, trained, tmp_path, arguments, message):
    code, _, errors = infer(*trained(), '--out', tmp_path / 'out', *arguments)
    assert code == 2
    assert message in errors
    assert not (tmp_path / 'out').exists()


def test_tool_leaves_folders_of_others_alone(infer, trained, tmp_path):
    (tmp_path / 'photo.png').write_bytes(b'mine')
    code, _, errors = infer(*trained(), '--out', tmp_path, '-n', '1')
    assert code == 2
    assert 'holds images but no samples.json' in errors
    assert [path.name for path in tmp_path.iterdir()] == ['photo.png']


# Conditional models.


def test_images_of_a_class(conditional, tmp_path):
    model = load_model(*conditional, device='cpu')
    list(write_samples(model, tmp_path / 'any', 4))
    list(write_samples(model, tmp_path / 'one', 4, label=1))
    latent, weights = model.draw(4, streams(0, range(4)))
    labels = weights.argmax(1)
    assert len(labels.unique()) > 1
    for number, label in enumerate(labels):
        mixed, single = (read_image(sample_file(tmp_path / f, number)) for f in ('any', 'one'))
        assert bool((mixed == single).all()) == (label == 1)
    expected = model.restored(latent, torch.ones(4).long()).clamp(0, 1)
    own = model.sample(4, streams(0, range(4)), torch.ones(4).long())
    torch.testing.assert_close(own, expected)


def test_classes_go_from_one_end_to_the_other(conditional):
    model = load_model(*conditional, device='cpu')
    rows = interpolate(model, 2, steps=5)
    images = model.sample(4, streams(0, range(4)))
    torch.testing.assert_close(rows[:, 0], images[::2], rtol=0, atol=1e-5)
    torch.testing.assert_close(rows[:, -1], images[1::2], rtol=0, atol=1e-5)


def test_tool_samples_classes(infer, conditional, tmp_path):
    out = tmp_path / 'out'
    wanted = ['--grid', '--interpolate', 2, '--noise-map', '--class', 2]
    code, printed, errors = infer(*conditional, '--out', out, '-n', 3, *wanted)
    assert code == 0, errors
    assert 'the model has no noise' in printed
    assert (out / 'grid.png').exists()
    assert json.loads((out / 'samples.json').read_text())['class'] == 2
    code, _, errors = infer(*conditional, '--out', out, '-n', 3)
    assert code == 2
    assert 'class 2 instead of None' in errors


@pytest.mark.parametrize(('label', 'known'), [(3, 'the classes 0 to 2'), (-1, 'classes 0 to 2')])
def test_tool_refuses_classes_that_are_none(infer, conditional, trained, tmp_path, label, known):
    code, _, errors = infer(*conditional, '--out', tmp_path / 'out', f'--class={label}')
    assert (code, known in errors) == (2, True), errors
    code, _, errors = infer(*trained(), '--out', tmp_path / 'out', '--class=0')
    assert (code, 'NRGAN has no classes' in errors) == (2, True), errors
    assert not (tmp_path / 'out').exists()


# Checkpoints without what only training needs.


def without(checkpoint, path, *networks):
    state = torch.load(checkpoint, weights_only=True)['state_dict']
    kept = {n: t for n, t in state.items() if not n.startswith(networks)}
    torch.save({'state_dict': kept}, path)
    return path


def test_generator_alone_gives_images_but_no_noise(infer, trained, tmp_path):
    config, checkpoint = trained()
    alone = without(checkpoint, tmp_path / 'netG.pth', 'discriminator', 'degradation')
    code, _, errors = infer(config, alone, '--out', tmp_path / 'a', '-n', 2, '--interpolate', 1)
    assert code == 0, errors
    assert infer(config, checkpoint, '--out', tmp_path / 'b', '-n', 2, '--no-ema')[0] == 0
    first, second = (sample_file(tmp_path / folder, 1).read_bytes() for folder in 'ab')
    assert first == second
    for asked in ('--grid', '--noise-map'):
        code, _, errors = infer(config, alone, '--out', tmp_path / 'c', asked)
        assert code == 2
        assert 'missing     degradation.network' in errors


def test_discriminator_may_be_missing_but_not_in_part(infer, trained, tmp_path):
    config, checkpoint = trained()
    both = without(checkpoint, tmp_path / 'both.pth', 'discriminator')
    pictures = ['--grid', '--noise-map']
    code, _, errors = infer(config, both, '--out', tmp_path / 'a', '-n', 2, *pictures)
    assert code == 0, errors
    part = without(checkpoint, tmp_path / 'part.pth', 'discriminator.block1')
    code, _, errors = infer(config, part, '--out', tmp_path / 'b', '-n', 2)
    assert code == 2
    assert 'missing     discriminator.block1' in errors
