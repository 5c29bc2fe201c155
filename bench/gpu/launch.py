"""Compiles the kernels of selftest.py for the GPU that is there, launches them through the driver's own library, and writes input and output to a folder.

No torch and no C compiler: a cubin is loaded with libcuda by ctypes. check.py compares with torch, outside of the container.
"""

import ctypes
import sys
import time

folder = sys.argv[1]

import numpy as np
import triton
import triton.language as tl
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource


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


cuda = ctypes.CDLL("libcuda.so.1")


def ok(code):
    if code:
        sys.exit(f"the driver answered {code}")


ok(cuda.cuInit(0))
device, context, major, minor = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
ok(cuda.cuDeviceGet(ctypes.byref(device), 0))
name = ctypes.create_string_buffer(100)
ok(cuda.cuDeviceGetName(name, 100, device))
ok(cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device))
ok(cuda.cuDeviceGetAttribute(ctypes.byref(minor), 76, device))
ok(cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device))
ok(cuda.cuCtxSetCurrent(context))
print("triton", triton.__version__, "on", name.value.decode(), f"sm_{major.value}{minor.value}")


def upload(array):
    pointer = ctypes.c_uint64()
    ok(cuda.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(array.nbytes)))
    ok(cuda.cuMemcpyHtoD_v2(pointer, ctypes.c_void_p(array.ctypes.data), ctypes.c_size_t(array.nbytes)))
    return pointer


def launch(kernel, signature, grid, arguments):
    begin = time.monotonic()
    source = ASTSource(kernel, signature=signature, constexprs={"B": 1024})
    compiled = triton.compile(source, target=GPUTarget("cuda", 10 * major.value + minor.value, 32))
    print(f"compiled {kernel.__name__}: cubin of {len(compiled.asm['cubin'])} bytes in {time.monotonic() - begin:.2f} s")
    module, function = ctypes.c_void_p(), ctypes.c_void_p()
    ok(cuda.cuModuleLoadData(ctypes.byref(module), compiled.asm["cubin"]))
    ok(cuda.cuModuleGetFunction(ctypes.byref(function), module, compiled.metadata.name.encode()))
    # Two more parameters of every kernel: scratch memory and that of the profiler, which these do not use.
    values = [*arguments, ctypes.c_uint64(0), ctypes.c_uint64(0)]
    pointers = (ctypes.c_void_p * len(values))(*[ctypes.cast(ctypes.byref(value), ctypes.c_void_p) for value in values])
    shared, threads = compiled.metadata.shared, 32 * compiled.metadata.num_warps
    ok(cuda.cuLaunchKernel(function, grid, 1, 1, threads, 1, 1, shared, None, pointers, None))
    ok(cuda.cuCtxSynchronize())


def download(pointer, like):
    out = np.empty_like(like)
    ok(cuda.cuMemcpyDtoH_v2(ctypes.c_void_p(out.ctypes.data), pointer, ctypes.c_size_t(out.nbytes)))
    return out


random = np.random.default_rng(0)
x, y = (random.random(1 << 20, dtype=np.float32) for _ in range(2))
out = upload(np.zeros_like(x))
signature = {"x_ptr": "*fp32", "y_ptr": "*fp32", "o_ptr": "*fp32", "n": "i32", "B": "constexpr"}
launch(add, signature, x.size // 1024, [upload(x), upload(y), out, ctypes.c_int32(x.size)])
rows = random.standard_normal((4096, 1000), dtype=np.float32)
soft = upload(np.zeros_like(rows))
signature = {"o_ptr": "*fp32", "x_ptr": "*fp32", "columns": "i32", "B": "constexpr"}
launch(softmax, signature, rows.shape[0], [soft, upload(rows), ctypes.c_int32(rows.shape[1])])
for file, array in (("x", x), ("y", y), ("sum", download(out, x)), ("rows", rows), ("softmax", download(soft, rows))):
    np.save(f"{folder}/{file}.npy", array)
print("launched both")
