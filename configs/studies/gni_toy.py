# Three kinds of models on photographs that ship inside scikit-image, each trained clean and with
# Gaussian noise of variance 0.08, under the five noises of the noise-injection paper.
# In the short form every training is a smoke test.
study = dict(
    models=[
        dict(
            name='pix2pix',
            baseline='pix2pix/pix2pix_resnet_toy-pencil.py',
            injected='gaussian_v0.08',
        ),
        dict(
            name='cyclegan',
            baseline='cyclegan/cyclegan_resnet_toy-pencil.py',
            injected='gaussian_v0.08',
        ),
    ],
    sweep='gni_grid',
    repetitions=3,
    image='chelsea/000_096',
    short=dict(repetitions=2, limit=4, options=['train_cfg.max_iters=20']),
)
