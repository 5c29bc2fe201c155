#!/opt/venv/bin/python3
"""Compiles a vector add and a softmax, for an NVIDIA and an AMD GPU, or runs them in Triton's interpreter against numpy.

    selftest.py compile      needs no GPU and no torch
    selftest.py interpret    the same kernels, by Triton's interpreter
"""

import os
import sys
import time

if sys.argv[1:] == ["interpret"]:
    os.environ["TRITON_INTERPRET"] = "1"

import numpy as np
import triton
import triton.language as tl


@triton.jit
def add(x_ptr, y_ptr, o_ptr, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    mask = i < n
    tl.store(o_ptr + i, tl.load(x_ptr + i, mask=mask) + tl.load(y_ptr + i, mask=mask), mask=mask)


@triton.jit
def softmax(o_ptr, x_ptr, columns, B: tl.constexpr):
    i = tl.arange(0, B)
    mask = i < columns
    row = tl.load(x_ptr + tl.program_id(0) * columns + i, mask=mask, other=-float("inf"))
    powers = tl.exp(row - tl.max(row, axis=0))
    tl.store(o_ptr + tl.program_id(0) * columns + i, powers / tl.sum(powers, axis=0), mask=mask)


KERNELS = (
    (add, {"x_ptr": "*fp32", "y_ptr": "*fp32", "o_ptr": "*fp32", "n": "i32", "B": "constexpr"}),
    (softmax, {"o_ptr": "*fp32", "x_ptr": "*fp32", "columns": "i32", "B": "constexpr"}),
)


def compile_all():
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    targets = ((GPUTarget("cuda", 90, 32), "cubin"), (GPUTarget("hip", "gfx942", 64), "hsaco"))
    for kernel, signature in KERNELS:
        for target, kind in targets:
            begin = time.monotonic()
            source = ASTSource(kernel, signature=signature, constexprs={"B": 1024})
            compiled = triton.compile(source, target=target)
            size = len(compiled.asm[kind])
            print(f"compiled {kernel.__name__} {target.backend}:{target.arch} {kind} {size} bytes {time.monotonic() - begin:.2f} s")


class Array:
    """A numpy array as Triton's interpreter wants a tensor: there is no torch in this image. It is its own storage, and lies where the CPU sees it."""

    dtype = "float32"

    def __init__(self, array):
        self.array = array

    def data_ptr(self):
        return self.array.ctypes.data

    def untyped_storage(self):
        return self

    def cpu(self):
        return self

    def new_empty(self, *_, **__):
        return Array(self.array)

    def set_(self, *_):
        pass

    def copy_(self, _):
        pass

    def storage_offset(self):
        return 0

    def size(self):
        return self.array.shape

    def stride(self):
        return tuple(step // self.array.itemsize for step in self.array.strides)


def interpret_all():
    random = np.random.default_rng(0)
    x, y = (random.random(5000, dtype=np.float32) for _ in range(2))
    out = np.zeros_like(x)
    add[(5, 1, 1)](Array(x), Array(y), Array(out), x.size, B=1024)
    is_sum = bool(np.array_equal(out, x + y))
    print("add equal", is_sum)
    rows = random.standard_normal((7, 781), dtype=np.float32)
    soft = np.zeros_like(rows)
    softmax[(7, 1, 1)](Array(soft), Array(rows), rows.shape[1], B=1024)
    powers = np.exp(rows - rows.max(axis=1, keepdims=True))
    is_softmax = bool(np.allclose(soft, powers / powers.sum(axis=1, keepdims=True), rtol=0, atol=1e-6))
    print("softmax equal", is_softmax)
    return is_sum and is_softmax


print("triton", triton.__version__)
if sys.argv[1:] == ["compile"]:
    compile_all()
elif sys.argv[1:] == ["interpret"]:
    sys.exit(0 if interpret_all() else 1)
else:
    sys.exit(__doc__)
