# AmbientGAN (Bora et al. 2018) as NR-GAN compares with it: the noise of the data is known and
# simulated. exact=True: with Poisson counts and the gradient through the noise's strength.
_base_ = ['./gan.py']

model = dict(degradation=dict(type='SimulatedNoise', data_noise=None, exact=False))
