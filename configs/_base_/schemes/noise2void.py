# Noise2Void: noisy images alone; one pixel in 8x8 is hidden and predicted from its surroundings.
scheme = dict(where='model', type='Noise2Void', cell=8, radius=2)
