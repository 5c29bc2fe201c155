"""Compares what launch.py left in a folder with what torch computes on the same GPU."""

import sys

import numpy as np
import torch


def load(name):
    return torch.from_numpy(np.load(f"{sys.argv[1]}/{name}.npy")).cuda()


is_sum = torch.equal(load("x") + load("y"), load("sum"))
is_softmax = torch.allclose(torch.softmax(load("rows"), dim=1), load("softmax"), rtol=0, atol=1e-6)
print(f"torch {torch.__version__}: sum equal {is_sum}, softmax equal {is_softmax}")
sys.exit(0 if is_sum and is_softmax else 1)
