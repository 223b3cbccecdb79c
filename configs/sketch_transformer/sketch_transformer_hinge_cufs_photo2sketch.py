# The losses of SPADE: hinge, feature matching, discriminators on two scales.
_base_ = ['./sketch_transformer_cufs_photo2sketch.py']

model = dict(
    discriminator=dict(num_scales=2),
    gan_loss=dict(_delete_=True, type='HingeGANLoss', weight=1.0),
    feature_matching=dict(type='FeatureMatchingLoss', weight=10.0),
)
