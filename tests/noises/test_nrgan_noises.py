"""NR-GAN's sixteen noises: measured statistics, and the released code's pixels replayed."""

import numpy as np
import pytest
import torch

from noiseedit.errors import ConfigError
from noiseedit.noises import SampleStreams, build

GREY = 128 / 255
LETTERS = 'ABCDEFGHIJKLMNOP'

# Mid-grey image, 2,000 images: analytic standard deviation without clipping (whole image), then
# measured over the indices 0..1999 of the released code without and with clipping, and kurtosis.
STATISTICS = {
    'A': (0.09804, 0.09803, 0.09803, 3.00),
    'B': (0.11927, 0.11721, 0.11691, 5.00),
    'C': (0.04902, 0.04906, 0.04906, 11.99),
    'D': (0.04902, 0.04870, 0.04870, 12.2),
    'E': (0.11321, 0.11319, 0.11319, 1.80),
    'F': (0.07501, 0.07499, 0.07499, 3.48),
    'G': (0.09646, 0.09639, 0.09639, 3.02),
    'H': (0.16963, 0.16963, 0.16912, 3.00),
    'I': (0.04921, 0.04921, 0.04921, 3.00),
    'J': (0.05987, 0.05884, 0.05884, 5.00),
    'K': (0.05297, 0.05297, 0.05297, 3.00),
    'L': (0.10970, 0.10972, 0.10971, 3.00),
    'M': (0.12935, 0.12936, 0.12930, 3.07),
    'N': (0.14212, 0.14389, 0.14295, 3.86),
    'O': (0.13083, 0.13084, 0.13078, 3.06),
    'P': (0.16231, 0.16230, 0.16191, 3.03),
}
TOLERANCE = {**dict.fromkeys('ACEFGHIKLMOP', 0.005), **dict.fromkeys('BJN', 0.03), 'D': 0.02}

# Index 0, data seed 0, clipped: RGB at (0, 0), then at (16, 16).
GOLDEN = {
    'A': (0.674907, 0.541192, 0.597915, 0.407051, 0.548732, 0.467064),
    'B': (0.588325, 0.682809, 0.237797, 0.496337, 0.657512, 0.686308),
    'C': (0.501961, 0.501961, 0.501961, 0.497227, 0.632911, 0.657153),
    'D': (0.501961, 0.501961, 0.501961, 0.467064, 0.751003, 0.592800),
    'E': (0.521103, 0.586349, 0.542260, 0.658363, 0.535968, 0.536532),
    'F': (0.564812, 0.489412, 0.455024, 0.541581, 0.553643, 0.503225),
    'G': (0.678195, 0.687679, 0.493577, 0.679985, 0.697520, 0.432972),
    'H': (0.851141, 0.726910, 0.589532, 0.585075, 0.744292, 0.398075),
    'I': (0.588773, 0.521653, 0.550126, 0.454320, 0.525438, 0.484444),
    'J': (0.545312, 0.592739, 0.369361, 0.499138, 0.580042, 0.594496),
    'K': (0.553007, 0.510306, 0.531991, 0.473081, 0.530922, 0.489967),
    'L': (0.409942, 0.464917, 0.459450, 0.548124, 0.552859, 0.512061),
    'M': (0.533333, 0.533333, 0.466667, 0.600000, 0.300000, 0.933333),
    'N': (0.594632, 0.532039, 0.563335, 0.719818, 0.563335, 0.469446),
    'O': (0.559259, 0.509440, 0.482386, 0.542601, 0.312956, 0.935936),
    'P': (0.662963, 0.413866, 0.545264, 0.313006, 0.364778, 0.946348),
}

# Clipped, (grey level, mean shift, standard deviation), the last two in 1e-4.
OTHER_GREYS = {
    'A': [(0, 392, 573), (32, 47, 897), (255, -391, 572)],
    'E': [(0, 490, 633), (224, -71, 1034)],
    'F': [(32, 19, 711), (255, -291, 443)],
    'G': [(0, 386, 564), (32, 46, 885)],
    'H': [(0, 678, 992), (224, -233, 1361)],
    'I': [(32, 0, 123), (224, -30, 803), (255, -391, 572)],
    'K': [(0, 78, 115), (255, -399, 583)],
    'L': [(224, -124, 1113)],
    'M': [(32, 0, 647), (224, -250, 1338), (255, -726, 1029)],
    'O': [(0, 78, 115), (255, -733, 1034)],
    'P': [(32, 82, 1042), (255, -827, 1181)],
}


def grey(count: int, value: float = GREY) -> torch.Tensor:
    return torch.full((count, 3, 32, 32), value)


def draws(letter: str, count: int = 2000, value: float = GREY, clip: bool = False) -> torch.Tensor:
    noise = build({'preset': f'nrgan/{letter}', 'clip': clip})
    generator = torch.Generator().manual_seed(LETTERS.index(letter))
    return noise(grey(count, value), generator=generator)


def replay(letter: str, indices: list[int], clip: bool = True, **changes) -> torch.Tensor:
    noise = build({'preset': f'nrgan/{letter}:compat', 'clip': clip, **changes})
    return noise.per_sample(grey(len(indices)), indices)


@pytest.mark.parametrize('letter', LETTERS)
def test_own_streams_have_the_statistics(letter):
    expected, measured, clipped, kurtosis = STATISTICS[letter]
    n = draws(letter) - GREY
    tolerance = TOLERANCE[letter]
    assert n.std() == pytest.approx(expected, rel=tolerance)
    assert n.mean().abs() < 4e-4
    shrinkage = (n + GREY).clamp(0, 1).std() / n.std()
    assert shrinkage == pytest.approx(clipped / measured, rel=tolerance)
    standard = n / n.std()
    assert (standard**4).mean() == pytest.approx(kurtosis, rel=max(0.02, 4 * tolerance))


@pytest.mark.parametrize('letter', LETTERS)
def test_replayed_streams_meet_the_measured_column(letter):
    _, measured, clipped, _ = STATISTICS[letter]
    y = replay(letter, list(range(2000)), clip=False).double()
    assert (y - GREY).std(correction=0) == pytest.approx(measured, abs=1e-5)
    assert (y.clamp(0, 1) - GREY).std(correction=0) == pytest.approx(clipped, abs=1e-5)


def corners(y: torch.Tensor) -> list[float]:
    return [*y[0, :, 0, 0].tolist(), *y[0, :, 16, 16].tolist()]


@pytest.mark.parametrize('letter', LETTERS)
def test_golden_pixels(letter):
    assert corners(replay(letter, [0])) == pytest.approx(GOLDEN[letter], abs=1e-6)


@pytest.mark.parametrize(
    ('letter', 'expected'),
    [
        ('A', (0.500125, 0.443559, 0.539757, 0.638259, 0.565018, 0.545935)),
        ('N', (0.512449, 0.683266, 0.683266, 0.683266, 0.597857, 0.768674)),
    ],
)
def test_golden_pixels_of_the_last_image(letter, expected):
    assert corners(replay(letter, [49999])) == pytest.approx(expected, abs=1e-6)


def test_golden_pixels_of_another_data_seed():
    y = replay('A', [0], data_seed=1)
    assert corners(y)[:3] == pytest.approx((0.550057, 0.606759, 0.771889), abs=1e-6)


def test_offsets_of_the_local_noise():
    hit = (replay('C', list(range(5))) != GREY).any(1).any(1)
    assert [int(columns.nonzero()[0]) for columns in hit] == [12, 5, 8, 10, 14]


def test_replay_depends_on_the_index_alone(images):
    noise = build('nrgan/P:compat')
    batch = noise.per_sample(images, [3, 1, 4, 1], seed=0)
    assert torch.equal(batch, noise.per_sample(images, [3, 1, 4, 1], seed=9, repetition=2))
    text = noise(images, generator=SampleStreams([0] * 4, ['train/00003', '1', 'x/4', 1]))
    assert torch.equal(batch, text)


def test_replay_says_what_it_needs(images):
    noise = build('nrgan/A:compat')
    with pytest.raises(ConfigError, match='needs the index of every image'):
        noise(images, generator=torch.Generator())
    with pytest.raises(ConfigError, match="expected an image index as key, got 'cat'"):
        noise.per_sample(images, ['cat', 1, 2, 3])
    with pytest.raises(ConfigError, match=r'index 50000 is not in 0\.\.49999'):
        noise.per_sample(images, [50000, 1, 2, 3])
    with pytest.raises(ConfigError, match='letter: expected one of A'):
        build({'type': 'NRGANCompatNoise', 'letter': 'Q'})


@pytest.mark.parametrize('letter', OTHER_GREYS)
def test_clipped_statistics_of_other_greys(letter):
    for level, shift, std in OTHER_GREYS[letter]:
        n = draws(letter, 400, level / 255, clip=True) - level / 255
        assert 1e4 * n.mean() == pytest.approx(shift, abs=max(3, 0.02 * abs(shift)))
        assert 1e4 * n.std() == pytest.approx(std, rel=0.01, abs=1)


def test_local_patches():
    fixed = draws('C') != GREY
    assert torch.equal(fixed.any(1), fixed.all(1))
    assert (fixed.sum((1, 2, 3)) == 768).all()
    variable = (draws('D') != GREY).any(1)
    heights, widths = variable.any(2).sum(1), variable.any(1).sum(1)
    assert set(heights.tolist()) == set(widths.tolist()) == set(range(8, 25))
    assert torch.equal(heights * widths, variable.sum((1, 2)))
    assert variable.float().mean() == pytest.approx(0.25, abs=0.01)
    left = fixed.any(1).any(1).float().argmax(1)
    assert set(left.tolist()) == set(range(17))


def test_mixture_components_are_shared_by_the_channels():
    square = (255 * (draws('F') - GREY)) ** 2
    red, green = square[:, 0].flatten().double(), square[:, 1].flatten().double()
    covariance = (red * green).mean() - red.mean() * green.mean()
    variances = np.array([15**2, 25**2, 50**2 / 3])
    shares = np.array([0.7, 0.2, 0.1])
    assert covariance == pytest.approx(shares @ variances**2 - (shares @ variances) ** 2, rel=0.05)


def lag(n: torch.Tensor, step: int) -> float:
    inner = n[..., 4:-4, 4:-4]
    shifted = n[..., 4:-4, 4 + step : n.shape[-1] - 4 + step]
    return float((inner * shifted).mean() / inner.square().mean())


def test_brown_correlation_and_border():
    n = draws('G') - GREY
    inner = n[..., 4:-4, 4:-4].std()
    assert inner == pytest.approx(25 / 255, rel=0.005)
    assert (lag(n, 1), lag(n, 2)) == pytest.approx((0.8, 0.4), abs=0.01)
    assert n[..., 0, 4:-4].std() / inner == pytest.approx(0.870, abs=0.01)
    assert n[..., 0, 0].std() / inner == pytest.approx(0.757, abs=0.03)


def test_additive_brown_shares_its_draw_unless_told_otherwise():
    n = draws('H') - GREY
    assert n[..., 4:-4, 4:-4].std() == pytest.approx(0.17062, rel=0.005)
    assert lag(n, 1) == pytest.approx(0.4906, abs=0.01)
    noise = build({'preset': 'nrgan/H', 'clip': False, 'shared': False})
    apart = noise(grey(2000), generator=torch.Generator().manual_seed(0)) - GREY
    assert apart.std() == pytest.approx(0.1373, rel=0.005)


def test_per_image_scales_of_the_released_streams():
    sigma = [np.random.RandomState(index).uniform(5, 50) for index in range(2000)]
    stds = replay('B', list(range(2000)), clip=False).sub(GREY).std((1, 2, 3)) * 255
    np.testing.assert_allclose(stds, sigma, rtol=0.06)
