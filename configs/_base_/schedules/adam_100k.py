# One network, Adam, learning rate halved twice. `end` is explicit: a longer run keeps its schedule.
train_cfg = dict(type='IterTrainLoop', max_iters=100_000, val_interval=5_000)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[50_000, 80_000], gamma=0.5, by_epoch=False, end=100_000)
]
