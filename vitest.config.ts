import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/reporter.ts'],
    pool: 'forks',
    // most of their time they wait for processes of their own
    maxWorkers: 3,
    // a machine that is shared stands still for seconds now and then; what needs a second try is named at the end of a run
    retry: 1,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // a test that leaves its processes behind is a failing test
    teardownTimeout: 20_000,
  },
});
