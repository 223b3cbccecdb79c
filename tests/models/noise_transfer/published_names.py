"""Names and shapes of the released weights of NoiseTransfer."""

K = 128
HIDDEN = {64: 48, 128: 64, 256: 96}


def normalised(name, *shape, transposed=False):
    """Return the three entries of a weight (out, in, k, k) that is spectrally normalised."""
    if transposed:
        before, after, *kernel = shape
        rest = before
    else:
        after, rest, *kernel = shape
    for side in kernel:
        rest *= side
    return {
        f'{name}.weight_orig': shape,
        f'{name}.weight_u': (after,),
        f'{name}.weight_v': (rest,),
    }


def conv(name, *shape):
    return normalised(f'{name}.conv2d', *shape)


def two_branches(name, width, extra):
    r = HIDDEN[width]
    return {
        **conv(f'{name}.convs_gamma.0', r, K, 1, 1),
        **conv(f'{name}.convs_gamma.1', width, r, 1, 1),
        **conv(f'{name}.convs_beta.0', r, K + extra, 1, 1),
        **conv(f'{name}.convs_beta.1', width, r, 1, 1),
    }


def norm(name, width):
    return {f'{name}.weight': (width,), f'{name}.bias': (width,)}


def vunet_names():
    names = {
        **conv('conv_first', 64, 3, 3, 3),
        **conv('conv_down1', 128, 64, 4, 4),
        **conv('conv_down2', 256, 128, 4, 4),
        **normalised('conv_up2.tconv2d', 256, 128, 4, 4, transposed=True),
        **normalised('conv_up1.tconv2d', 128, 64, 4, 4, transposed=True),
        **conv('conv_skip2', 128, 256, 3, 3),
        **conv('conv_skip1', 64, 128, 3, 3),
        **conv('conv_last', 3, 64, 1, 1),
    }
    counts = {'blocks1': (64, 4), 'blocks1_': (64, 4), 'blocks2': (128, 3), 'blocks2_': (128, 3)}
    for group, (width, count) in {**counts, 'blocks3': (256, 2)}.items():
        for block in range(count):
            for s in (1, 2):
                names |= two_branches(f'{group}.{block}.sft{s}', width, 1)
                names |= conv(f'{group}.{block}.conv{s}', width, width, 3, 3)
    return names


def contrae_names():
    names = {
        **conv('pre_noise', 64, 3, 3, 3),
        **conv('pre_gan', 64, 6, 3, 3),
        **conv('conv_down1', 128, 64, 4, 4),
        **conv('conv_down2', 256, 128, 4, 4),
        **normalised('mlp_noise.linear1.linear', 448, 448),
        **normalised('mlp_noise.linear2.linear', 128, 448),
    }
    for level, (width, count) in enumerate([(64, 2), (128, 3), (256, 4)], 1):
        for block in range(count):
            for s in (1, 2):
                name = f'blocks{level}.{block}'
                names |= norm(f'{name}.noise_inorm{s}', width)
                names |= two_branches(f'{name}.gan_cin{s}', width, 0)
                names |= conv(f'{name}.conv{s}', width, width, 3, 3)
        names |= conv(f'post_noise{level}.0', width, width, 1, 1)
        names |= norm(f'post_noise{level}.1.norm', width)
        names |= conv(f'post_noise{level}.1', width, width, 3, 3)
        names |= conv(f'post_gan{level}.0', width, width, 1, 1)
        names |= two_branches(f'post_gan{level}.1', width, 0)
        names |= conv(f'post_gan{level}.2', width, width, 3, 3)
        names |= conv(f'conv_gan{level}', 1, width, 1, 1)
    return names
