# No noise yet; --noise nrgan/G then adds it to the images to imitate, the same at every visit.
noise = dict(where='pipeline', target='real')
