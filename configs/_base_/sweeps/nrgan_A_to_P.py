# The sixteen noises of the NR-GAN family, each as defined (no levels).
sweep = dict(
    noises=[
        dict(preset='nrgan/A'),
        dict(preset='nrgan/B'),
        dict(preset='nrgan/C'),
        dict(preset='nrgan/D'),
        dict(preset='nrgan/E'),
        dict(preset='nrgan/F'),
        dict(preset='nrgan/G'),
        dict(preset='nrgan/H'),
        dict(preset='nrgan/I'),
        dict(preset='nrgan/J'),
        dict(preset='nrgan/K'),
        dict(preset='nrgan/L'),
        dict(preset='nrgan/M'),
        dict(preset='nrgan/N'),
        dict(preset='nrgan/O'),
        dict(preset='nrgan/P'),
    ],
    repetitions=1,
    seed=0,
)
