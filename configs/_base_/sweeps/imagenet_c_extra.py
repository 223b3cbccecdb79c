# The 4 corruptions that ImageNet-C keeps for validation, at severities 1 to 5.
severities = [1, 2, 3, 4, 5]
sweep = dict(
    noises=[
        dict(preset='imagenet_c/speckle_noise', levels=severities),
        dict(preset='imagenet_c/gaussian_blur', levels=severities),
        dict(preset='imagenet_c/spatter', levels=severities),
        dict(preset='imagenet_c/saturate', levels=severities),
    ],
    repetitions=1,
    seed=0,
)
