"""The code of docs/add_a_method.md works as it is printed, inside the package."""

import re
import subprocess
import sys
from pathlib import Path

from noiseedit.config import shipped_root

ROOT = Path(__file__).resolve().parents[2]
DOC = ROOT / 'docs' / 'add_a_method.md'

# The page puts its files into this repository; here they lie in a copy of its folders.
USE = """
import sys
import noiseedit

noiseedit.__path__.append('noiseedit')
import noiseedit.models

noiseedit.models.__path__.append('noiseedit/models')
from pkgutil import iter_modules
from importlib import import_module

found = [m.name for m in iter_modules(noiseedit.models.__path__) if m.ispkg]
assert 'noise2noise' in found, found
import_module('noiseedit.models.noise2noise')

import torch
from mmengine.optim import OptimWrapper
from noiseedit.config import load_config
from noiseedit.registry import MODELS

config = load_config('configs/noise2noise/noise2noise_gray_awgn25.py')
config.model.generator.update(depth=3, width=4, norm=False)
model = MODELS.build(config.model)
clean = torch.rand(2, 1, 12, 12)


def step():
    model.data_preprocessor.seed_iteration(1)
    batch = model.data_preprocessor(dict(inputs=dict(target=clean)), training=True)['inputs']
    return model.loss(batch)['pixel'], batch


loss, batch = step()
assert torch.equal(loss, step()[0])
model.data_preprocessor.seed_iteration(1)
noise = model.data_preprocessor.noises['train']
first = noise(clean, generator=model.data_preprocessor.generator)
second = noise(clean, generator=model.data_preprocessor.generator)
assert torch.equal(batch['source'], first) and not torch.equal(first, second)
expected = (model.generator(first) - second).square().sum() / 4
torch.testing.assert_close(loss, expected)
model.data_preprocessor.seed_iteration(1)
wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
logs = model.train_step(dict(inputs=dict(target=clean)), wrapper)
assert set(logs) == {'loss', 'loss/pixel'}

from noiseedit.models.noise2noise.convert import convert
from noiseedit.networks import DnCNN

weights = DnCNN(depth=4, width=4, norm=False).state_dict()
made = convert({key.replace('body.', 'model.'): tensor for key, tensor in weights.items()})
assert made.generator['depth'] == 4
"""


def test_the_page_works_as_printed(tmp_path):
    blocks = re.findall(r'```python\n# (\S+)\n(.*?)```', DOC.read_text(), flags=re.DOTALL)
    assert len(blocks) == 4
    for name, code in blocks:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(code)
    for name in ('dncnn', '_base_'):
        (tmp_path / 'configs' / name).symlink_to(shipped_root() / name)
    run = subprocess.run(
        [sys.executable, '-c', f'import sys; sys.path.insert(0, {str(ROOT)!r})\n{USE}'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
