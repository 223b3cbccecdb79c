# Photon noise; multiplicative: --cfg-options model.degradation.prior.relation=multiplicative
_base_ = ['../_base_/models/sdnrgan1.py', '../_base_/nr_gan_folder.py']

model = dict(degradation=dict(prior=dict(relation='poisson')), view=dict(always=True))
