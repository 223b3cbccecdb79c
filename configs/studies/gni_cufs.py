# The study of the noise-injection paper on CUFS, photograph -> sketch: three models, each trained
# clean and with Gaussian noise of variance 0.04, under the five noises of the paper and the fifteen
# corruptions of ImageNet-C. Needs the face images (docs/data.md), the weights of VGG-19, of FID's
# Inception and of LPIPS's three networks, and a GPU. The short form needs the images and VGG-19.
study = dict(
    models=[
        dict(
            name='sketch_transformer',
            baseline='sketch_transformer/sketch_transformer_cufs_photo2sketch.py',
            injected='gaussian_v0.04',
        ),
        dict(
            name='pix2pix',
            baseline='pix2pix/pix2pix_unet256_cufs_photo2sketch.py',
            injected='gaussian_v0.04',
        ),
        dict(
            name='cyclegan',
            baseline='cyclegan/cyclegan_resnet_cufs_photo2sketch.py',
            injected='gaussian_v0.04',
        ),
    ],
    sweep=['gni_grid', 'imagenet_c'],
    repetitions=3,
    metrics=[
        dict(type='FSIM', profile='sketch'),
        dict(type='SSIM', profile='sketch'),
        dict(type='FSIM', profile='sketch-smooth'),
        dict(type='SSIM', profile='sketch-smooth'),
        dict(type='LPIPS', net='alex'),
        dict(type='LPIPS', net='squeeze'),
        dict(type='LPIPS', net='vgg'),
        dict(type='FID'),
        dict(type='KID'),
        dict(type='NLDA', split='cufs'),
    ],
    short=dict(
        repetitions=2,
        limit=4,
        metrics=[dict(type='FSIM', profile='sketch'), dict(type='SSIM', profile='sketch')],
        options=['train_cfg.max_iters=20'],
    ),
)
