# SD-NR-GAN-I: noise whose relation to the image is known, multiplicative or Poisson, as the
# training noise says; other noises are refused. For noisy files of your own name the relation:
# --cfg-options model.degradation.prior.relation=poisson (or multiplicative).
_base_ = ['./sinrgan1.py']

model = dict(degradation=dict(prior=dict(type='SignalPrior', relation=None, data_noise=None)))
