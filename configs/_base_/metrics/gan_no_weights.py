# Generated images of 32x32 pixels, scored without any downloaded weights: the noise left in them,
# and the distance of their patches from those of clean images (image_size: their side). For the
# best checkpoint take the distance, since an image of one colour has no noise either:
# save_best='SWDx1e3(mean,7x7x128,4x128,levels 32-16,images<=4096)'
val_evaluator = [dict(type='NoiseLevel'), dict(type='SlicedWasserstein', image_size=32)]
test_evaluator = val_evaluator
