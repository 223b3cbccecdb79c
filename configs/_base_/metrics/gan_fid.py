# Generated images as papers score them, on features of Inception-v3 with the weights of FID.
# Nothing is downloaded: without the file, building these metrics says where to get and put it.
# save_best='FID(inception,bilinear299)'
val_evaluator = [
    dict(type='FID'),
    dict(type='KID'),
    dict(type='PrecisionRecall'),
    dict(type='DensityCoverage'),
]
test_evaluator = val_evaluator
