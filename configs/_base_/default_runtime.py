default_scope = 'noiseedit'
runner_type = 'NoiseRunner'

default_hooks = dict(
    runtime_info=dict(type='RuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    sampler_seed=None,  # CounterSampler needs no epochs
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False, interval_exp_name=10**9),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', interval=1000, max_keep_ckpts=2),
    iter_seed=dict(type='IterSeedHook'),
    nan_guard=dict(type='NaNGuardHook'),
    progress=dict(type='ProgressHook'),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),  # gloo is taken where there is no GPU
)
log_processor = dict(by_epoch=False)
log_level = 'INFO'
# for a tracker add dict(type='TensorboardVisBackend'), WandbVisBackend or MLflowVisBackend
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])

randomness = dict(seed=0)  # every rank, worker and iteration derives its own from it
load_from = None
resume = False
