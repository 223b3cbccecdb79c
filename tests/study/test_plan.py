"""Reading a study: what it says, what is refused, which commands it becomes."""

import shutil

import pytest

from noiseedit.config import load_config, shipped_root
from noiseedit.errors import CheckpointError, ConfigError, NoiseEditError, UnknownNameError
from noiseedit.evaluation.sweep import load_sweep
from noiseedit.study import load_study, make_study, parts_of

TOY = 'pix2pix/pix2pix_resnet_toy-pencil.py'
MODEL = {'name': 'one', 'baseline': TOY, 'injected': 'gaussian_v0.08'}
SPEC = {'models': [MODEL], 'sweep': 'gni_grid'}
STUDIES = sorted(path.stem for path in (shipped_root() / 'studies').glob('*.py'))


def commands(study, folder):
    return [' '.join(part.step) for part in parts_of(study, folder)]


@pytest.mark.parametrize('name', STUDIES)
@pytest.mark.parametrize('short', [False, True])
def test_shipped_studies_can_be_run(name, short, tmp_path):
    study = load_study(name, {'short': short})
    assert study.repetitions >= (1 if short else 3)
    parts = parts_of(study, tmp_path)
    assert len(parts) == 4 * len(study.models)
    assert not any(part.is_done for part in parts)


def test_a_noise_becomes_a_config_of_two_bases(tmp_path):
    steps = commands(make_study(SPEC), tmp_path)
    assert [step.split()[0] for step in steps] == ['train.py', 'train.py', 'test.py', 'test.py']
    assert TOY in steps[0]
    written = tmp_path / 'one' / 'injected.py'
    assert str(written) in steps[1]
    ours, theirs = load_config(written), load_config(TOY.replace('.py', '_gaussian-v0.08.py'))
    assert ours.to_dict() == theirs.to_dict()


def test_presets_and_recipes_inject_too(tmp_path):
    recipe = TOY.replace('.py', '_gaussian-v0.08.py')
    models = [
        {**MODEL, 'name': 'preset', 'injected': 'nrgan/G'},
        {**MODEL, 'name': 'recipe', 'injected': recipe},
        {**MODEL, 'name': 'twice', 'baseline': recipe, 'injected': 'poisson30'},
    ]
    steps = commands(make_study({**SPEC, 'models': models}), tmp_path)
    assert recipe in steps[5]
    noises = {
        name: load_config(tmp_path / name / 'injected.py').noise for name in ('preset', 'twice')
    }
    assert noises['preset'].train.to_dict() == {'preset': 'nrgan/G'}
    assert noises['twice'].train.type == 'PoissonNoise'


def test_metrics_of_the_study_replace_those_of_every_config(tmp_path):
    metrics = [{'type': 'PSNR', 'profile': 'gray-float'}]
    parts = parts_of(make_study({**SPEC, 'metrics': metrics}), tmp_path)
    for variant in ('baseline', 'injected'):
        config = load_config(tmp_path / 'one' / f'{variant}.py')
        assert [dict(entry) for entry in config.test_evaluator] == metrics
    assert all(str(tmp_path / 'one') in ' '.join(part.step) for part in parts)


def test_other_metrics_concern_the_sweep_alone(tmp_path):
    """Also those of no file, which need a config of their own."""
    before, after = (
        parts_of(make_study({**SPEC, 'metrics': metrics}), tmp_path)
        for metrics in ([{'type': 'PSNR'}], [{'type': 'SSIM'}])
    )
    for first, second in zip(before, after, strict=True):
        assert (first.settings == second.settings) == (first.kind == 'train')


def test_sweeps_are_put_together_with_the_repetitions_of_the_study(tmp_path):
    spec = {**SPEC, 'sweep': ['gni_grid', 'awgn_15_25_50'], 'repetitions': 4, 'limit': 2}
    steps = commands(make_study(spec), tmp_path)
    sweep = load_sweep(tmp_path / 'sweep.py')
    assert (len(sweep['noises']), sweep['repetitions']) == (6, 4)
    assert '--limit 2' in steps[-1]
    with pytest.raises(ConfigError, match='repeated'):
        parts_of(make_study({**SPEC, 'sweep': ['gni_grid', 'gni_grid']}), tmp_path)


def test_sweeps_of_other_seeds_are_not_put_together(tmp_path):
    other = tmp_path / 'other.py'
    other.write_text("sweep = dict(noises=[dict(preset='nrgan/A')], seed=7)\n")
    with pytest.raises(ConfigError, match=r'need one seed: gni_grid has 0, .*other.py has 7'):
        parts_of(make_study({**SPEC, 'sweep': ['gni_grid', str(other)]}), tmp_path)


def test_options_of_study_model_and_command_line_add_up(tmp_path):
    spec = {**SPEC, 'options': ['train_cfg.max_iters=9'], 'short': {'repetitions': 1}}
    spec['models'] = [{**MODEL, 'options': ['model.generator.width=4']}]
    study = make_study(spec, {'options': ['train_dataloader.batch_size=1'], 'short': True})
    assert study.repetitions == 1
    wanted = 'train_cfg.max_iters=9 train_dataloader.batch_size=1 model.generator.width=4'
    assert all(step.endswith(wanted) for step in commands(study, tmp_path))


def test_a_given_checkpoint_is_swept_and_not_trained(tmp_path):
    weights = tmp_path / 'mine.pth'
    weights.touch()
    spec = {**SPEC, 'models': [{**MODEL, 'checkpoint': {'injected': str(weights)}}]}
    steps = commands(make_study(spec), tmp_path)
    assert [step.split()[0] for step in steps] == ['train.py', 'test.py', 'test.py']
    assert f'{weights} ' in steps[2]
    weights.unlink()
    with pytest.raises(CheckpointError, match='no such checkpoint'):
        commands(make_study(spec), tmp_path)


@pytest.mark.parametrize(
    ('change', 'error', 'message'),
    [
        ({'sweeps': 'x'}, ConfigError, 'unknown key; nearest: sweep'),
        ({'sweep': None}, ConfigError, 'missing sweep'),
        ({'models': []}, ConfigError, 'missing models'),
        ({'models': [MODEL, MODEL]}, ConfigError, 'a name each'),
        ({'models': [{**MODEL, 'name': 'a/b'}]}, ConfigError, 'without slashes'),
        ({'models': [{**MODEL, 'injcted': 1}]}, ConfigError, r'models\[0\]\.injcted: unknown'),
        ({'models': [{'name': 'x', 'baseline': TOY}]}, ConfigError, 'missing injected'),
        ({'models': [{**MODEL, 'checkpoint': 'a.pth'}]}, ConfigError, 'expected dict'),
        ({'repetitions': 0}, ConfigError, 'repetitions: expected a whole number >= 1, got 0'),
        ({'models': [{**MODEL, 'injected': 'gaussan_v0.08'}]}, UnknownNameError, 'gaussian_v0.08'),
        ({'models': [{**MODEL, 'baseline': 'pix2pix/x.py'}]}, UnknownNameError, 'Nearest shipped'),
        ({'sweep': 'gni_gird'}, UnknownNameError, 'gni_grid'),
        ({'options': ['train_cfg.max_iter=1']}, NoiseEditError, 'max_iters'),
    ],
)
def test_mistakes_are_named_before_anything_runs(change, error, message, tmp_path):
    with pytest.raises(error, match=message):
        parts_of(make_study({**SPEC, **change}), tmp_path)


def test_a_study_is_found_by_file_and_by_name(tmp_path):
    shutil.copy(shipped_root() / 'studies' / 'gni_toy.py', tmp_path / 'own.py')
    assert load_study(tmp_path / 'own.py') == load_study('gni_toy')
    with pytest.raises(UnknownNameError, match='Nearest: gni_toy'):
        load_study('gni_toi')
    (tmp_path / 'empty.py').write_text('x = 1\n')
    with pytest.raises(ConfigError, match='no key study'):
        load_study(tmp_path / 'empty.py')
