# Three white noises over nine levels (variance in [-1,1] units), finest near zero: where theory
# expects clean-trained and noise-trained networks to change places, and every trained level of
# benchmarks/theory_in_practice.py.
levels = [0, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.12, 0.16]
sweep = dict(
    noises=[
        dict(preset='gni/gaussian', levels=levels),
        dict(preset='gni/uniform', levels=levels),
        dict(preset='gni/laplace', levels=levels),
    ],
    repetitions=1,
    seed=0,
)
