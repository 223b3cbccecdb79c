# Photographs as they are scored: RGB, 8-bit; FSIM on the luma. FID, KID, LPIPS: configs/studies.
val_evaluator = [dict(type='PSNR'), dict(type='SSIM'), dict(type='FSIM')]
test_evaluator = val_evaluator
