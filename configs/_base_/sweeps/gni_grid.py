# Five noises matched in variance, six levels (variance in [-1,1] units) with mean 0.08.
levels = [0, 0.032, 0.064, 0.096, 0.128, 0.16]
sweep = dict(
    noises=[
        dict(preset='gni/gaussian', levels=levels),
        dict(preset='gni/uniform', levels=levels),
        dict(preset='gni/laplace', levels=levels),
        dict(preset='gni/color', levels=levels),
        dict(preset='gni/salt_pepper', levels=levels),
    ],
    repetitions=1,
    seed=0,
)
