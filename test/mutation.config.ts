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

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A machine under load may be late; what never ends is ended from outside.
    testTimeout: 600_000,
    // One process for all files: most of the time of a short run goes into loading the same modules again.
    isolate: false,
    maxWorkers: 1,
    bail: 1,
    sequence: { sequencer: InOrder },
  },
});

export default config;
