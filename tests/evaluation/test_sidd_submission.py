"""Files for the judges of the SIDD benchmark."""

import base64
import csv

import numpy as np
import pytest
import torch
from scipy.io import loadmat, savemat

from noiseedit.datasets import StandardSet
from noiseedit.errors import ConfigError, DataError
from noiseedit.evaluation import SIDDSubmission
from noiseedit.structures import EditSample

SHAPE = (40, 32, 2, 3, 3)


def sample_of(block, key):
    pred = torch.from_numpy(np.array(block, np.float32)).permute(2, 0, 1)
    return EditSample(metainfo={'key': key}, pred=pred)


@pytest.fixture(scope='module')
def blocks():
    return np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)


def test_files_hold_the_blocks_in_the_order_of_the_benchmark(tmp_path, blocks):
    name = 'BenchmarkNoisyBlocksSrgb'
    savemat(tmp_path / f'{name}.mat', {name: blocks})
    metric = SIDDSubmission(tmp_path, seconds_per_megapixel=0.5, about={'MethodName': 'copy'})
    images = StandardSet(tmp_path, 'sidd_benchmark')
    for index in reversed(range(1280)):  # any order
        item = images[index]
        item['data_samples'].set_data({'pred': item['inputs']['source'].float() / 255})
        metric.process(None, [item['data_samples'].to_dict()])
    assert metric.evaluate(1280) == {'SIDDSubmission/blocks': 1280}

    stored = loadmat(tmp_path / 'SubmitSrgb.mat')
    cells = stored['DenoisedBlocksSrgb']
    assert cells.shape == (40, 32)
    assert cells[0, 0].dtype == np.float32
    found = np.array(cells.tolist())
    np.testing.assert_allclose(found, blocks / np.float32(255), rtol=0, atol=1e-7)
    assert float(stored['TimeMPSrgb'].item()) == 0.5
    assert str(stored['OptionalData']['MethodName'][0, 0][0]) == 'copy'

    csv.field_size_limit(10**7)
    with (tmp_path / 'SubmitSrgb.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row['ID']) for row in rows] == list(range(1280))
    read = [np.frombuffer(base64.b64decode(row['BLOCK']), np.uint8) for row in rows]
    np.testing.assert_array_equal(np.reshape(read, SHAPE), blocks)


def test_values_are_clipped_and_only_the_table_is_rounded(tmp_path):
    metric = SIDDSubmission(tmp_path)
    for image in range(40):
        for number in range(32):
            block = np.full((1, 1, 3), [-0.5, 0.1, 1.5])
            metric.process(None, [sample_of(block, f'{image:02d}_{number:02d}')])
    metric.evaluate(1280)
    stored = loadmat(tmp_path / 'SubmitSrgb.mat')
    np.testing.assert_allclose(stored['DenoisedBlocksSrgb'][3, 4].ravel(), [0, 0.1, 1], atol=1e-7)
    assert not {'TimeMPSrgb', 'OptionalData'} & set(stored)
    line = (tmp_path / 'SubmitSrgb.csv').read_text().splitlines()[5]
    assert list(base64.b64decode(line.split(',')[1])) == [0, 26, 255]


def test_gaps_are_named(tmp_path):
    metric = SIDDSubmission(tmp_path)
    metric.process(None, [sample_of(np.zeros((1, 1, 3)), '00_00')])
    with pytest.raises(DataError, match='40 x 32 blocks, 00_00 to 39_31, got 1; missing 00_01, '):
        metric.evaluate(1)
    assert not (tmp_path / 'SubmitSrgb.csv').exists()


@pytest.mark.parametrize(
    ('block', 'key', 'message'),
    [
        (np.zeros((1, 1, 3)), '0001', "keys as '07_31'.*got '0001'"),
        (np.zeros((1, 1, 1)), '00_00', r'got \(1, 1, 1\), 0 values not finite'),
        (np.full((1, 1, 3), np.nan), '00_00', r'got \(3, 1, 1\), 3 values not finite'),
    ],
)
def test_other_predictions_are_refused(tmp_path, block, key, message):
    with pytest.raises(DataError, match=message):
        SIDDSubmission(tmp_path).process(None, [sample_of(block, key)])


def test_time_is_positive():
    with pytest.raises(ConfigError, match='a positive number or None, got 0'):
        SIDDSubmission('x', seconds_per_megapixel=0)
