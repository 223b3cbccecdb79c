# Noise2Noise: the target is another noisy version of the image, not the clean one.
scheme = dict(where='model', type='Noise2Noise')
