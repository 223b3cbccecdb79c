# Blur, noise and JPEG, each of random strength per image, the same at every visit.
noise = dict(where='pipeline', target='real', train=dict(preset='bncr/blur_noise_jpeg'))
