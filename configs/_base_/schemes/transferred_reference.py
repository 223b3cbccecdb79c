# Generated noise like that of a reference which every item of the data set brings.
scheme = dict(
    where='model',
    type='TransferredReference',
    checkpoint='work_dirs/noise_transfer_div2k-sidd',
    border=4,
)
