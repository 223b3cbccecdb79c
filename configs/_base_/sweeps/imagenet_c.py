# The 15 corruptions of the ImageNet-C benchmark at severities 1 to 5. Frost is drawn by our own
# procedure; with the published photographs:
# dict(preset='imagenet_c/frost', arguments=dict(textures='FOLDER'), levels=severities).
severities = [1, 2, 3, 4, 5]
sweep = dict(
    noises=[
        dict(preset='imagenet_c/gaussian_noise', levels=severities),
        dict(preset='imagenet_c/shot_noise', levels=severities),
        dict(preset='imagenet_c/impulse_noise', levels=severities),
        dict(preset='imagenet_c/defocus_blur', levels=severities),
        dict(preset='imagenet_c/glass_blur', levels=severities),
        dict(preset='imagenet_c/motion_blur', levels=severities),
        dict(preset='imagenet_c/zoom_blur', levels=severities),
        dict(preset='imagenet_c/snow', levels=severities),
        dict(preset='imagenet_c/frost', levels=severities),
        dict(preset='imagenet_c/fog', levels=severities),
        dict(preset='imagenet_c/brightness', levels=severities),
        dict(preset='imagenet_c/contrast', levels=severities),
        dict(preset='imagenet_c/elastic_transform', levels=severities),
        dict(preset='imagenet_c/pixelate', levels=severities),
        dict(preset='imagenet_c/jpeg_compression', levels=severities),
    ],
    repetitions=1,
    seed=0,
)
