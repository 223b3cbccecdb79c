# CIFAR-10 in five classes that overlap: class t is t // 2 or, as likely, t // 2 + t mod 2, mod 5.
# Generator 1,210,627 parameters, discriminator 1,054,470.
_base_ = ['../_base_/models/cp_gan.py', '../_base_/conditional_cifar10.py']

model = dict(
    data_preprocessor=dict(num_classes=5),
    generator=dict(num_classes=5),
    discriminator=dict(num_classes=5),
)
overlap = dict(type='NoisyLabel', transition='cifar10to5', seed=12345)
train_dataloader = dict(
    dataset=dict(dataset=dict(pipeline=[overlap, dict(type='NoiseSlot', key='real', fixed=True)]))
)
val_dataloader = dict(dataset=dict(pipeline=[overlap]))
test_dataloader = dict(dataset=dict(pipeline=[overlap]))
