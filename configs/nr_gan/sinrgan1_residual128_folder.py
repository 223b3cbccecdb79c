# 128 x 128 pixels: residual generators of 14,115,523 parameters, discriminator of 12,018,881.
_base_ = ['./sinrgan1_residual64_folder.py']

model = dict(
    generator=dict(image_size=128),
    degradation=dict(network=dict(image_size=128)),
    discriminator=dict(image_size=128),
)
train_dataloader = dict(dataset=dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=128)])))
val_dataloader = dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=128)]))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='CenterCrop', size=128)]))
