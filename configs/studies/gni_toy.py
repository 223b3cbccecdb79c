# Three kinds of models on photographs that ship inside scikit-image (the drawings are computed: a
# stand-in for sketches), each trained clean and with Gaussian noise of variance 0.08, under the
# five noises of the noise-injection paper and the corruptions of ImageNet-C. In the short form
# every training is a smoke test.
study = dict(
    models=[
        dict(
            name='sketch_transformer',
            baseline='sketch_transformer/sketch_transformer_small_sketch-toy.py',
            injected='gaussian_v0.08',
            options=['train_dataloader.batch_size=2', 'test_dataloader.dataset.length=16'],
            image='chelsea/000_150',
        ),
        dict(
            name='pix2pix',
            baseline='pix2pix/pix2pix_resnet_toy-pencil.py',
            injected='gaussian_v0.08',
            image='chelsea/000_096',
        ),
        dict(
            name='cyclegan',
            baseline='cyclegan/cyclegan_resnet_toy-pencil.py',
            injected='gaussian_v0.08',
            image='chelsea/000_096',
        ),
    ],
    sweep=['gni_grid', 'imagenet_c'],
    repetitions=3,
    short=dict(sweep='gni_grid', repetitions=2, limit=4, options=['train_cfg.max_iters=20']),
)
