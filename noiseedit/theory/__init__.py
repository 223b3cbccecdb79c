"""Theory of noise injection: spectra, divergences, and the training level they recommend.

Float64 NumPy and SciPy; no torch, no GPU. After Shi et al., "On the Analysis of GAN-based
Image-to-Image Translation with Gaussian Noise Injection", ICLR 2024.
"""
