# 70 % each: truck -> automobile, bird -> airplane, deer -> horse, cat <-> dog; known=True tells the
# model.
label_noise = dict(transition=dict(name='cifar10_asymmetric', rate=0.7), seed=12345, known=False)
