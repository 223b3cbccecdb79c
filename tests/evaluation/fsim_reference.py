"""FSIM by its published definition, step by step in NumPy: what the fast form is held against.

Zhang, Zhang, Mou, Zhang, FSIM: A Feature Similarity Index for Image Quality Assessment, IEEE TIP
20(8), 2011, with phase congruency after Kovesi. Conventions (grids, borders, medians) are
MATLAB's. One image pair at a time, one filter at a time, float64; nothing is kept between calls.
"""

import math

import numpy as np
from scipy.signal import convolve2d

SCALES, ORIENTATIONS = 4, 4
EPSILON = 1e-4


def conv2_same(image, kernel):
    """MATLAB's conv2(image, kernel, 'same'): of even kernels another part than SciPy takes."""
    top, left = (math.ceil((side - 1) / 2) for side in kernel.shape)
    full = convolve2d(image, kernel, 'full')
    return full[top : top + image.shape[0], left : left + image.shape[1]]


def axis(n):
    if n % 2:
        return np.arange(-(n - 1) / 2, (n - 1) / 2 + 1) / (n - 1)
    return np.arange(-n / 2, n / 2) / n


def filters(rows, columns):
    """[orientation][scale] -> (rows, columns), zero frequency at the corner."""
    x, y = np.meshgrid(axis(columns), axis(rows))
    radius = np.fft.ifftshift(np.sqrt(x**2 + y**2))
    theta = np.fft.ifftshift(np.arctan2(-y, x))
    low_pass = 1 / (1 + (radius / 0.45) ** 30)
    radius[0, 0] = 1
    bank = []
    for orientation in range(ORIENTATIONS):
        angle = orientation * math.pi / ORIENTATIONS
        sine = np.sin(theta) * math.cos(angle) - np.cos(theta) * math.sin(angle)
        cosine = np.cos(theta) * math.cos(angle) + np.sin(theta) * math.sin(angle)
        distance = np.abs(np.arctan2(sine, cosine))
        spread = np.exp(-(distance**2) / (2 * (math.pi / ORIENTATIONS / 1.2) ** 2))
        bank.append([])
        for scale in range(SCALES):
            wavelength = 6 * 2**scale
            log_gabor = np.exp(-(np.log(radius * wavelength) ** 2) / (2 * math.log(0.55) ** 2))
            log_gabor = log_gabor * low_pass
            log_gabor[0, 0] = 0
            bank[-1].append(log_gabor * spread)
    return bank


def phase_congruency(image):
    rows, columns = image.shape
    spectrum = np.fft.fft2(image)
    energy_all, amplitude_all = np.zeros(image.shape), np.zeros(image.shape)
    for bank in filters(rows, columns):
        responses = [np.fft.ifft2(spectrum * one) for one in bank]
        spatial = [np.real(np.fft.ifft2(one)) * math.sqrt(rows * columns) for one in bank]
        sum_even = sum(np.real(response) for response in responses)
        sum_odd = sum(np.imag(response) for response in responses)
        norm = np.sqrt(sum_even**2 + sum_odd**2) + EPSILON
        mean_even, mean_odd = sum_even / norm, sum_odd / norm
        energy = np.zeros(image.shape)
        for response in responses:
            even, odd = np.real(response), np.imag(response)
            energy += even * mean_even + odd * mean_odd
            energy -= np.abs(even * mean_odd - odd * mean_even)
        mean_square = -np.median(np.abs(responses[0]) ** 2) / math.log(0.5)
        power = mean_square / np.sum(bank[0] ** 2)
        squares = sum(np.sum(one**2) for one in spatial)
        products = 0.0
        for s in range(SCALES - 1):
            for t in range(s + 1, SCALES):
                products += np.sum(spatial[s] * spatial[t])
        noise_energy = 2 * power * squares + 4 * power * products
        tau = math.sqrt(noise_energy / 2)
        mean, deviation = tau * math.sqrt(math.pi / 2), math.sqrt((2 - math.pi / 2) * tau**2)
        threshold = (mean + 2.0 * deviation) / 1.7
        energy_all += np.maximum(energy - threshold, 0)
        amplitude_all += sum(np.abs(response) for response in responses)
    return energy_all / amplitude_all


def gradient(image):
    kernel = np.array([[3, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    return np.sqrt(conv2_same(image, kernel) ** 2 + conv2_same(image, kernel.T) ** 2)


def reduced(plane):
    """Mean of F x F pixels, every F-th taken; F = 1 up to a shorter side of 383."""
    factor = max(1, math.floor(min(plane.shape) / 256 + 0.5))
    return conv2_same(plane, np.full((factor, factor), 1 / factor**2))[::factor, ::factor]


def planes(image):
    """Y, I, Q of an RGB image (H, W, 3) in 0..255; of a grey one (H, W), Y and no colour."""
    image = np.asarray(image, np.float64)
    if image.ndim == 2:
        return [image, np.ones(image.shape), np.ones(image.shape)]
    r, g, b = (image[..., channel] for channel in range(3))
    return [
        0.299 * r + 0.587 * g + 0.114 * b,
        0.596 * r - 0.274 * g - 0.322 * b,
        0.211 * r - 0.523 * g + 0.312 * b,
    ]


def similarity(a, b, constant):
    return (2 * a * b + constant) / (a**2 + b**2 + constant)


def fsim(first, second):
    """Return (FSIM, FSIMc) of two images in 0..255, (H, W) or (H, W, 3)."""
    y1, i1, q1 = (reduced(plane) for plane in planes(first))
    y2, i2, q2 = (reduced(plane) for plane in planes(second))
    pc1, pc2 = phase_congruency(y1), phase_congruency(y2)
    weight = np.maximum(pc1, pc2)
    local = similarity(pc1, pc2, 0.85) * similarity(gradient(y1), gradient(y2), 160.0) * weight
    colour = similarity(i1, i2, 200.0) * similarity(q1, q2, 200.0)
    coloured = local * np.real(colour.astype(np.complex128) ** 0.03)
    return local.sum() / weight.sum(), coloured.sum() / weight.sum()
