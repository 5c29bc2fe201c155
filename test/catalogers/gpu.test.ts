import { expect, test } from 'vitest';
import { amdBitcode } from '../../src/catalogers/amd-bitcode.ts';
import { gpuHeaders } from '../../src/catalogers/gpu-headers.ts';
import { gpuToolkits } from '../../src/catalogers/gpu-toolkits.ts';
import { catalogFiles } from '../support/elf.ts';

test.for([
  [
    'the driver API of CUDA',
    'usr/local/cuda-12.8/include/cuda.h',
    '#define CUDA_VERSION 12080',
    'nvidia/cuda-headers@12.8',
  ],
  ['CUDA 13.5', 'x/include/cuda.h', '#define CUDA_VERSION 13050', 'nvidia/cuda-headers@13.5'],
  [
    'the runtime of CUDA',
    'x/cuda_runtime_api.h',
    '#define CUDART_VERSION  12080',
    'nvidia/cudart-headers@12.8',
  ],
  [
    'cuDNN',
    'usr/include/cudnn_version.h',
    '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 8\n#define CUDNN_PATCHLEVEL 0\n#define CUDNN_VERSION (CUDNN_MAJOR * 10000)',
    'nvidia/cudnn-headers@9.8.0',
  ],
  [
    'NCCL',
    'x/nccl.h',
    '#define NCCL_MAJOR 2\r\n#define NCCL_MINOR 26\r\n#define NCCL_PATCH 2\r\n#define NCCL_SUFFIX ""',
    'nvidia/nccl-headers@2.26.2',
  ],
  [
    'CUPTI',
    'x/cupti_version.h',
    ' * v24 : CUDA Toolkit 12.6\n * v26 : CUDA Toolkit 12.8\n */\n#define CUPTI_API_VERSION 26',
    'nvidia/cupti-headers@12.8',
  ],
  ['CUPTI of 13.0', 'x/cupti_version.h', '#define CUPTI_API_VERSION 130000', 'nvidia/cupti-headers@13.0'],
  [
    'HIP',
    'x/hip/hip_version.h',
    '#define HIP_VERSION_MAJOR 7\n#define HIP_VERSION_MINOR 1\n#define HIP_VERSION_PATCH 25424\n',
    'amd/hip-headers@7.1.25424',
  ],
] as const)('%s by the macros of its header', ([, path, text, purl]) => {
  const { components, skipped } = catalogFiles(gpuHeaders, { [path]: text });
  expect(components.map((component) => component.purl)).toEqual([`pkg:generic/${purl}`]);
  expect(skipped).toEqual([]);
});

test.for([
  ['a header of the same name about another thing', 'usr/include/linux/cuda.h', '#define CUDA_PACKET 1', []],
  ['a macro in a comment', 'x/cuda.h', '// #define CUDA_VERSION 12080', []],
  [
    'a macro without a number',
    'x/nccl.h',
    '#define NCCL_MAJOR x\n#define NCCL_MINOR 26\n#define NCCL_PATCH 2',
    ['nccl-headers'],
  ],
  ['a number of many digits', 'x/cuda.h', `#define CUDA_VERSION ${'9'.repeat(400)}`, ['cuda-headers']],
  [
    'CUPTI of an interface that no comment explains',
    'x/cupti_version.h',
    '#define CUPTI_API_VERSION 27',
    ['cupti-headers'],
  ],
] as const)('no version: %s', ([, path, text, names]) => {
  const { components, skipped } = catalogFiles(gpuHeaders, { [path]: text });
  expect(components.map(({ name, version }) => [name, version])).toEqual(
    names.map((name) => [name, undefined]),
  );
  expect(skipped.map((entry) => entry.path)).toEqual(names.map(() => path));
});

test('what lies in the cache of a package manager is a copy', () => {
  const header = '#define CUDA_VERSION 12080';
  const found = (path: string) => catalogFiles(gpuHeaders, { [path]: header }).components.length;
  expect(found('opt/uv/lib/python3.11/site-packages/triton/backends/nvidia/include/cuda.h')).toBe(1);
  expect(found('root/.cache/uv/archive-v0/Ja8CzJiV/triton/backends/nvidia/include/cuda.h')).toBe(0);
  expect(found('cache/archive-v0/Ja8CzJiV/triton/backends/nvidia/include/cuda.h')).toBe(0);
});

test('a toolkit names itself, and its parts are what the file says they are', () => {
  const { components, skipped } = catalogFiles(gpuToolkits, {
    'usr/local/cuda-12.8/version.json': JSON.stringify({
      cuda: { name: 'CUDA SDK', version: '12.8.1' },
      cuda_nvcc: { name: 'CUDA NVCC', version: '12.8.93' },
      cuda_cudart: { name: 'CUDA Runtime (cudart)', version: '12.8.90' },
    }),
    'opt/rocm-7.1.1/.info/version': '7.1.1-38\n',
  });
  expect(components.map(({ purl, properties = [] }) => [purl, properties.map(({ value }) => value)])).toEqual(
    [
      ['pkg:generic/amd/rocm@7.1.1-38', []],
      ['pkg:generic/nvidia/cuda-toolkit@12.8.1', ['cuda_cudart 12.8.90', 'cuda_nvcc 12.8.93']],
    ],
  );
  expect(skipped).toEqual([]);
});

test.for([
  ['no JSON', 'usr/local/cuda/version.json', '{', 1],
  ['a list', 'usr/local/cuda/version.json', '[]', 1],
  ['the version of another program', 'srv/cuda/version.json', '{"version": "1"}', 0],
  ['a version that is a sentence', 'usr/local/cuda/version.json', '{"cuda":{"version":"\u001b[2Jnew"}}', 1],
  ['a part without a version', 'usr/local/cuda/version.json', '{"cuda":{"version":"12.8.1"},"x":{}}', 1],
  ['ROCm without a version', 'opt/rocm/.info/version', '\n', 1],
  ['a file of the same name elsewhere', 'srv/version.json', '{"cuda":{"version":"12.8.1"}}', 0],
] as const)('no toolkit: %s', ([, path, text, complaints]) => {
  const { components, skipped } = catalogFiles(gpuToolkits, { [path]: text });
  expect(components).toEqual([]);
  expect(skipped).toHaveLength(complaints);
  expect(JSON.stringify(skipped)).not.toContain('\\u001b');
});

test('bitcode of AMD has a hash and, where nobody knows it, no version', () => {
  const bitcode = Buffer.from('4243c0de00000000', 'hex');
  const { components } = catalogFiles(amdBitcode, {
    'opt/rocm/amdgcn/bitcode/ockl.bc': bitcode,
    'opt/rocm/amdgcn/bitcode/ocml.bc': 'a text',
    'opt/rocm/amdgcn/bitcode/oclc_abi_version_500.bc': bitcode,
  });
  expect(components.map(({ name, version, hashes }) => [name, version, hashes?.[0]?.subject])).toEqual([
    ['rocm-device-libs-ockl', undefined, 'file'],
  ]);
});
