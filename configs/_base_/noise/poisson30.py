# Photon noise, peak 30 counts at white, for training and testing a denoiser.
noise = dict(
    where='batch',
    target='source',
    train=dict(type='PoissonNoise', peak=30),
    test=dict(type='PoissonNoise', peak=30),
)
