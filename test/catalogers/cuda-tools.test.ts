import { expect, test } from 'vitest';
import { cudaTools } from '../../src/catalogers/cuda-tools.ts';
import { catalogFiles, elf } from '../support/elf.ts';

const nvidia = 'opt/venv/lib/python3.12/site-packages/triton/backends/nvidia';
const line = (version: string) =>
  `Cuda compilation tools, release ${version.split('.').slice(0, 2).join('.')}, V${version}\nBuild cuda.r/compiler`;

test('each tool says its own version', () => {
  const { components, skipped } = catalogFiles(cudaTools, {
    [`${nvidia}/bin/ptxas`]: elf(['Cuda compilation tools, release %d.%d,', line('12.9.86')]),
    [`${nvidia}/bin/ptxas-blackwell`]: elf([line('13.3.33')]),
  });
  expect(components.map(({ type, purl }) => [type, purl])).toEqual([
    ['application', 'pkg:generic/nvidia/ptxas@12.9.86'],
    ['application', 'pkg:generic/nvidia/ptxas-blackwell@13.3.33'],
  ]);
  expect(components[0]).toMatchObject({
    supplier: { name: 'NVIDIA' },
    licenses: [{ expression: 'LicenseRef-NVIDIA-CUDA-EULA' }],
    hashes: [
      { algorithm: 'SHA-256', subject: 'file' },
      { algorithm: 'SHA-512', subject: 'file' },
    ],
  });
  expect(skipped).toEqual([]);
});

test('equal copies of CUPTI are one component, and the build lines in it are not its version', () => {
  const copy = elf([line('12.8.13')]);
  const { components } = catalogFiles(cudaTools, {
    [`${nvidia}/lib/cupti/libcupti.so`]: copy,
    [`${nvidia}/lib/cupti/libcupti.so.12`]: copy,
    [`${nvidia}/lib/cupti/libcupti.so.2025.1.1`]: copy,
    [`${nvidia}/lib/cupti-blackwell/libcupti.so.2026.2.0`]: elf([line('13.3.1')]),
  });
  expect(components.map(({ purl, evidence }) => [purl, evidence?.occurrences?.length])).toEqual([
    ['pkg:generic/nvidia/cupti@2026.2.0', 1],
    ['pkg:generic/nvidia/cupti@2025.1.1', 3],
  ]);
});

test('libraries say their version in their name, or nothing', () => {
  const { components, skipped } = catalogFiles(cudaTools, {
    'usr/local/cuda-12.8/lib64/libcudart.so.12.8.90': elf(['x']),
    'usr/lib/x86_64-linux-gnu/libcudnn.so.9.8.0': elf(['y']),
    'usr/lib/x86_64-linux-gnu/libnccl.so.2.26.2': elf(['z']),
    'opt/v/lib/python3.11/site-packages/nvidia/cuda_runtime/lib/libcudart.so.12': elf(['x']),
    'usr/lib/libcudnn_ops.so.9.8.0': elf(['w']),
  });
  expect(components.map(({ purl }) => purl).sort()).toEqual([
    'pkg:generic/nvidia/cudart@12.8.90',
    'pkg:generic/nvidia/cudnn@9.8.0',
    'pkg:generic/nvidia/nccl@2.26.2',
  ]);
  expect(skipped).toEqual([]);
});

test.for([
  [
    'a library with a complete line of another version',
    `${nvidia}/lib/cupti/libnvperf_host.so`,
    elf([line('12.7.0')]),
  ],
  ['a script called nvcc', 'usr/local/bin/nvcc', Buffer.from(`#!/bin/sh\necho ${line('12.8.93')}`)],
  ['a text called libdevice.10.bc', 'srv/libdevice.10.bc', Buffer.from('none')],
] as const)('no tool: %s', ([, path, content]) => {
  expect(catalogFiles(cudaTools, { [path]: content }).components).toEqual([]);
});

test('a tool without a build line has no version, and that is said', () => {
  const { components, skipped } = catalogFiles(cudaTools, { 'usr/local/cuda/bin/nvlink': elf(['nothing']) });
  expect(components[0]?.version).toBeUndefined();
  expect(skipped).toEqual([{ path: 'usr/local/cuda/bin/nvlink', reason: 'nvlink does not say its version' }]);
});

test('a library whose name has no whole version has none, and nothing of it was skipped', () => {
  const path = 'opt/venv/lib/python3.12/site-packages/nvidia/cuda_cupti/lib/libcupti.so.12';
  const { components, skipped } = catalogFiles(cudaTools, { [path]: elf(['nothing']) });
  expect(components).toMatchObject([{ name: 'cupti' }]);
  expect(components[0]?.version).toBeUndefined();
  expect(skipped).toEqual([]);
});

test.for([
  [1_700_000_000, ['2023-11-14T22:13:20Z']],
  [0, ['1970-01-01T00:00:00Z']],
  [-1, []],
  [253_402_300_800, []],
  [Number.NaN, []],
] as const)('a file without a version changed at %d says so as %j', ([modified, expected]) => {
  const dates = (entries: Parameters<typeof catalogFiles>[1]) =>
    catalogFiles(cudaTools, entries, { modified }).components.flatMap(({ properties = [] }) =>
      properties.filter(({ name }) => name === 'tcf:file:modified').map(({ value }) => value),
    );
  expect(dates({ 'opt/nvlink': elf(['nothing']) })).toEqual(expected);
  expect(dates({ 'opt/nvlink': elf([line('12.9.86')]) })).toEqual([]);
});

test('libdevice has no version, whatever its bytes', () => {
  const { components, skipped } = catalogFiles(cudaTools, {
    [`${nvidia}/lib/libdevice.10.bc`]: Buffer.concat([Buffer.from('4243c0de', 'hex'), Buffer.alloc(100)]),
  });
  expect(components.map(({ name, purl }) => [name, purl])).toEqual([
    ['libdevice', 'pkg:generic/nvidia/libdevice'],
  ]);
  expect(skipped).toEqual([]);
});

test("an override of the image's environment is reported with the tool it replaces", () => {
  const { components } = catalogFiles(
    cudaTools,
    { [`${nvidia}/bin/ptxas`]: elf([line('12.9.86')]), [`${nvidia}/bin/nvdisasm`]: elf([line('13.1.80')]) },
    { env: ['TRITON_PTXAS_PATH=/tmp/\u001b[2Jptxas'] },
  );
  expect(components.map(({ name, properties }) => [name, properties?.[0]?.value])).toEqual([
    ['nvdisasm', undefined],
    ['ptxas', 'TRITON_PTXAS_PATH=/tmp/\\x1b[2Jptxas'],
  ]);
});
