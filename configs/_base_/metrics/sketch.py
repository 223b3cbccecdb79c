# Face sketches as they are scored: grey, 8-bit; in the test also with the prediction smoothed by a
# bilateral filter (another number, never instead). FID, KID, LPIPS and NLDA: configs/studies.
val_evaluator = [dict(type='FSIM', profile='sketch'), dict(type='SSIM', profile='sketch')]
test_evaluator = [
    dict(type='FSIM', profile='sketch'),
    dict(type='SSIM', profile='sketch'),
    dict(type='FSIM', profile='sketch-smooth'),
    dict(type='SSIM', profile='sketch-smooth'),
]
