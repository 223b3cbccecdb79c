# The levels of denoising tables: white Gaussian noise, neither clipped nor rounded.
sweep = dict(
    noises=[dict(type='GaussianNoise', sigma=25, unit=255, levels=[15, 25, 50])],
    repetitions=1,
    seed=0,
)
