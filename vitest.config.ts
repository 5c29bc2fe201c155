import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // One core less is the default, which leaves a machine of two cores with one.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/browser/**',
            'test/consumers/**',
            'test/e2e/**',
            'test/interop/**',
            'test/program/**',
          ],
          // Half of the time went into loading the same modules for each file, and into code that V8 had not
          // compiled yet. A test that changes something outside of itself puts it back.
          isolate: false,
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'program',
          include: ['test/program/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 900_000,
          globalSetup: ['test/e2e/global-setup.ts'],
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['test/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          globalSetup: ['test/interop/global-setup.ts'],
        },
      },
      {
        test: {
          // Readers of SBOMs take most of an hour to build, so they belong to interop; the images are those
          // of e2e.
          name: 'consumers',
          include: ['test/consumers/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 7_200_000,
          globalSetup: ['test/e2e/global-setup.ts'],
        },
      },
    ],
  },
});
