"""CUFS, CUFSF and folders like them: lists, counts, hashes, directions, and what is refused."""

from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from torch.utils.data import DataLoader

from noiseedit.datasets import CUFS, CUFSF, FaceSketches, FirstImages, PairedFolder, edit_collate
from noiseedit.datasets.face_sketch import PUBLISHED_COUNTS
from noiseedit.datasets.identities import DEFAULT_LIST, default_list, read_list
from noiseedit.engine.plain import to_plain
from noiseedit.errors import ConfigError, DataError
from noiseedit.imaging import write_image

NAMES = {database: [f'{n:04d}' for n in range(sum(c))] for database, c in PUBLISHED_COUNTS.items()}
SIX = [f'p{n}' for n in range(6)]


@pytest.fixture
def six(make_sketches):
    make_sketches('data/mine', SIX)
    return make_sketches('data/other', SIX).parent


def pairs(root, split='train', **kwargs):
    return FaceSketches(root, split, **{'databases': {'mine': (4, 2)}, **kwargs})


def write(path, *lines):
    path.write_text('\n'.join(lines) + '\n')
    return path


# Counts and the default list.


def test_published_counts_add_up():
    cufs = [PUBLISHED_COUNTS[name] for name in ('CUHK', 'AR', 'XM2VTS')]
    assert [sum(c) for c in cufs] == [188, 123, 295]
    assert (sum(c[0] for c in cufs), sum(c[1] for c in cufs)) == (268, 338)
    assert (PUBLISHED_COUNTS['CUFSF'], sum(PUBLISHED_COUNTS['CUFSF'])) == ((250, 944), 1194)


def test_cufs_is_three_databases_and_two_disjoint_splits(make_cufs):
    root = make_cufs('CUHK', 'AR', 'XM2VTS')
    train, test = CUFS(root), CUFS(root, 'test')
    assert (len(train), len(test)) == (268, 338)
    assert not set(train.keys) & set(test.keys)
    counts = {'CUHK': 100, 'AR': 43, 'XM2VTS': 195}
    assert Counter(key.partition('/')[0] for key in test.keys) == counts
    assert test.metainfo['databases'] == counts
    assert train.identities == test.identities
    assert len(CUFS(root, 'test', databases=['AR'])) == 43


def test_cufsf(make_cufs):
    root = make_cufs('CUFSF')
    assert (len(CUFSF(root)), len(CUFSF(root, 'test'))) == (250, 944)


def test_the_default_list_is_always_the_same():
    found = default_list(NAMES, PUBLISHED_COUNTS)
    assert found.name == DEFAULT_LIST == 'noiseedit-v1'
    golden = '3fd78a338ba2c3d8e79b0dc6f2e38d04afc25b4876506fc689e33d09d2e320a3'
    assert found.sha256 == golden
    backwards = {name: list(reversed(members)) for name, members in reversed(NAMES.items())}
    assert default_list(backwards, PUBLISHED_COUNTS) == found


def test_the_default_list_mixes_sorted_names():
    train = [int(i.photo) for i in default_list(NAMES, PUBLISHED_COUNTS).of('CUFSF', 'train')]
    expected, error = 1193 / 2, 1194 / np.sqrt(12 * 250)  # of the mean of 250 uniform draws
    assert abs(np.mean(train) - expected) < 3 * error


def test_an_incomplete_database_is_counted(make_cufs):
    root = make_cufs('AR')
    (root / 'AR/photo/0007.png').unlink()
    message = r'AR: 122 identities found, expected 80 for training \+ 43 for the test = 123; comp'
    with pytest.raises(DataError, match=message):
        CUFS(root, databases=['AR'])


# List files.


def test_a_list_file_decides(six, tmp_path):
    file = write(
        tmp_path / 'list.txt',
        '# mine', 'mine test p3', '', 'mine\ttrain\tp5', 'other train p0', 'mine train p1',
    )  # fmt: skip
    train = pairs(six, list_file=file, databases={'mine': (2, 1)})
    assert train.keys == ['mine/p1', 'mine/p5']
    assert pairs(six, 'test', list_file=file, databases={'mine': None}).keys == ['mine/p3']
    both = pairs(six, list_file=file, databases={'other': None, 'mine': (2, 1)})
    assert both.keys == ['other/p0', 'mine/p1', 'mine/p5']


def test_the_hash_is_that_of_the_written_list(six, tmp_path):
    identities = pairs(six).identities
    identities.write(tmp_path / 'a.txt')
    assert identities.sha256 == sha256((tmp_path / 'a.txt').read_bytes()).hexdigest()
    shuffled = ['# a comment', *reversed((tmp_path / 'a.txt').read_text().splitlines()), '']
    again = pairs(six, list_file=write(tmp_path / 'b.txt', *shuffled)).identities
    assert (again.name, again.identities) == ('b.txt', identities.identities)
    assert again.sha256 == identities.sha256
    moved = (tmp_path / 'a.txt').read_text().replace('train', 'x').replace('test', 'train')
    other = read_list(write(tmp_path / 'c.txt', moved.replace('x', 'test')), ['mine'])
    assert other.sha256 != identities.sha256


def test_windows_line_ends_and_byte_order_marks_do_not_matter(tmp_path):
    plain, other = tmp_path / 'plain.txt', tmp_path / 'other.txt'
    plain.write_bytes(b'mine\ttrain\tp 1\tq 1\nmine\ttest\tp2\n')
    other.write_bytes(b'\xef\xbb\xbfmine\ttest\tp2\r\nmine\ttrain\tp 1\tq 1\r\n')
    found = [read_list(path, ['mine']) for path in (plain, other)]
    assert found[0].identities == found[1].identities
    assert found[0].of('mine', 'train')[0].sketch == 'q 1'


def test_every_sample_and_the_set_say_which_list(six):
    dataset = pairs(six, 'test')
    item = dataset[0]
    sha = dataset.identities.sha256
    sample = item['data_samples']
    assert (sample.identity_list, sample.identity_list_sha256) == ('noiseedit-v1', sha)
    assert sample.database == 'mine'
    expected = {
        'dataset': 'FaceSketches', 'length': 2, 'split': 'test', 'direction': 'photo2sketch',
        'databases': {'mine': 2}, 'identity_list': 'noiseedit-v1', 'identity_list_sha256': sha,
    }  # fmt: skip
    assert dataset.metainfo == expected
    assert FirstImages(dataset, 1).metainfo == {**expected, 'length': 1}
    assert to_plain(dataset.metainfo) == expected
    batch = next(iter(DataLoader(dataset, batch_size=2, collate_fn=edit_collate)))
    assert {s.identity_list_sha256 for s in batch['data_samples']} == {sha}


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        (['mine train'], r"list\.txt, line 1: expected one identity per line: .*got 'mine train'"),
        (['', 'mine val p1'], r"line 2: .*got 'mine val p1'"),
        (['mine train a b c'], 'line 1'),
        (['mine train p1', 'mine test p1'], r"photo 'p1' of mine is in line 1 and in line 2"),
        (['mine train p1 s', 'mine test p2 s'], r"sketch 's' of mine is in line 1 and in line 2"),
        (['yours train p1'], r'list\.txt: no identity of mine; the first word'),
        (
            ['mine train p1', 'mine test p2'],
            r'list\.txt: mine: 1 identities for train, expected 4; correct the list, or set',
        ),
        (
            [f'mine train p{n}' for n in range(4)] + ['mine test p8', 'mine test p4'],
            None,
        ),
    ],
)
def test_wrong_lists_are_refused(six, tmp_path, lines, message):
    file = write(tmp_path / 'list.txt', *lines)
    if message is None:  # the missing file belongs to the test
        assert len(pairs(six, list_file=file)) == 4
        with pytest.raises(DataError, match=r'1 of 2 images are missing in .*mine.photo: mine/p8'):
            pairs(six, 'test', list_file=file)
        return
    with pytest.raises(DataError, match=message):
        pairs(six, list_file=file)


def test_another_number_is_taken_on_demand(six, tmp_path):
    file = write(tmp_path / 'list.txt', 'mine train p1', 'mine test p2')
    assert len(pairs(six, list_file=file, check_counts=False)) == 1


def test_a_missing_list_is_named(six, tmp_path):
    with pytest.raises(DataError, match=r'no\.txt: the identity list cannot be read'):
        pairs(six, list_file=tmp_path / 'no.txt')


def test_without_counts_and_list_there_is_no_split(six):
    with pytest.raises(ConfigError, match='without counts of identities'):
        pairs(six, databases={'mine': None})


# Files and names.


def test_a_missing_folder_names_the_layout(tmp_path):
    with pytest.raises(DataError, match=r'no such folder .*DATABASE/photo/NAME.*CUHK, AR, XM2VTS'):
        CUFS(tmp_path)


def test_sketches_of_other_names_are_asked_for(make_sketches):
    root = make_sketches('data/mine', SIX, sketch='{}-sz1').parent
    with pytest.raises(DataError, match=r'4 of 4 images are missing .*set pattern or ending'):
        pairs(root)
    dataset = pairs(root, sketch={'ending': '-sz1'})
    assert dataset[0]['data_samples'].paths['target'].endswith('-sz1.png')


def test_the_list_may_name_sketches(make_sketches, tmp_path):
    root = make_sketches('data/mine', SIX, photo='f-{}', sketch='F2-{}').parent
    lines = [f'mine {"train" if n < 4 else "test"} f-p{n} F2-p{n}' for n in range(6)]
    file = write(tmp_path / 'list.txt', *lines)
    dataset = pairs(root, 'test', list_file=file)
    assert dataset.keys == ['mine/f-p4', 'mine/f-p5']
    assert [path[-10:] for path in dataset[1]['data_samples'].paths.values()] == [
        'o/f-p5.png',
        '/F2-p5.png',
    ]


def test_patterns_pair_names_that_share_numbers(make_sketches):
    numbers = ['1/{}0001', '1/{}0002', '2/{}0001']
    root = make_sketches(
        'FS2K', [n.format('image') for n in numbers], photo='photo{}', sketch='x{}'
    )
    sketches = make_sketches('other', [n.format('sketch') for n in numbers], sketch='sketch{}')
    for kind, folder in (('photo', root), ('sketch', sketches)):
        assert len(list((folder / kind).rglob('*.png'))) == 3
    dataset = PairedFolder(
        root / 'photo',
        sketches / 'sketch',
        source_pattern=r'photo(\d+)/\D*(\d+)',
        target_pattern=r'sketch(\d+)/\D*(\d+)',
    )
    assert dataset.keys == ['1/0001', '1/0002', '2/0001']
    with pytest.raises(DataError, match=r"no image whose name matches 'nothing'"):
        PairedFolder(root / 'photo', sketches / 'sketch', source_pattern='nothing')
    with pytest.raises(ConfigError, match=r"pattern '\(' is no regular expression"):
        PairedFolder(root / 'photo', sketches / 'sketch', source_pattern='(')


@pytest.mark.parametrize('size', [(250, 200), None])
def test_sizes_are_checked(six, size):
    key = pairs(six).keys[0].removeprefix('mine/')
    file = six / f'mine/sketch/{key}.png'
    file.unlink()
    write_image(file, np.zeros((200, 250, 3), np.uint8))
    with pytest.raises(DataError, match=r'sketch.*expected \(250, 200\) .*got \(200, 250\)'):
        pairs(six, size=size)[0]


def test_sizes_other_than_aligned_ones_are_welcome_on_demand(make_sketches):
    root = make_sketches('data/mine', SIX, size=(40, 30)).parent
    with pytest.raises(DataError, match=r'expected \(250, 200\)'):
        pairs(root)[0]
    assert pairs(root, size=None)[0]['inputs']['source'].shape == (3, 40, 30)


# Directions and options.


def test_directions_swap_roles_and_nothing_else(six):
    there, back = pairs(six), pairs(six, direction='sketch2photo')
    assert there.keys == back.keys
    a, b = there[0], back[0]
    assert (a['inputs']['source'] == 90).all()
    assert (b['inputs']['source'] == 240).all()
    assert (a['inputs']['target'] == b['inputs']['source']).all()
    assert a['data_samples'].paths['source'] == b['data_samples'].paths['target']
    assert list(b['inputs']) == ['source', 'target']


@pytest.mark.parametrize(
    'wrong', [{'split': 'val'}, {'direction': 'sketch2sketch'}, {'databases': {}}]
)
def test_wrong_options_are_refused(six, wrong):
    with pytest.raises(ConfigError, match='expected'):
        pairs(six, **wrong)


def test_unknown_databases_name_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"CUFS: no database 'CUKH'; nearest: CUHK"):
        CUFS(tmp_path, databases=['CUKH'])


@pytest.mark.parametrize('cache', ['memory', 'file'])
def test_caches_change_nothing(six, tmp_path, cache):
    cached = pairs(six, cache=tmp_path / 'cache' if cache == 'file' else cache)
    for plain, other in zip(pairs(six), cached, strict=True):
        assert (plain['inputs']['source'] == other['inputs']['source']).all()


def test_the_log_names_the_list(six, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'noiseedit.datasets.face_sketch.print_log', lambda text, *args: lines.append(text)
    )
    sha = pairs(six, 'test').identities.sha256
    assert lines == [f'FaceSketches, test: 2 pairs; identity list noiseedit-v1, SHA-256 {sha}']
