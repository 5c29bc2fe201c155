import { relative } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Runs test files in the order of the command line, so that those which are likely to fail come first. */
class InOrder extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      process.argv.indexOf(relative(process.cwd(), moduleId));
    return specifications.toSorted((a, b) => place(a) - place(b));
  }
}

/** A run that records which functions each file enters asks every file, each with modules of its own. */
const isTraced = process.env['TCF_TRACE'] !== undefined;

const config: ViteUserConfig = defineConfig({
  test: {
    root: process.cwd(),
    include: ['test/**/*.test.ts'],
    // A machine under load may be late; what never ends is ended from outside.
    testTimeout: 600_000,
    // One process for all files: most of the time of a short run goes into loading the same modules again.
    isolate: isTraced,
    maxWorkers: 1,
    bail: isTraced ? 0 : 1,
    setupFiles: isTraced ? ['test/mutation/record.ts'] : [],
    // Each copy keeps what its files became without their types.
    fsModuleCachePath: 'modules',
    sequence: { sequencer: InOrder },
  },
});

export default config;
