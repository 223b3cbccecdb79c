# SD-NR-GAN-III: noise of unknown kind and unknown relation to the image, the same under inversion
# of colours.
_base_ = ['./sdnrgan2.py']

model = dict(degradation=dict(prior=None, constraints=[dict(type='NoiseColorInversion')]))
