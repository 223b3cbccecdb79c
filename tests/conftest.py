"""One thread per process: tests fork ranks and workers, which OpenMP threads do not survive."""

import torch

torch.set_num_threads(1)
