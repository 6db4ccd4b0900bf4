import { defineConfig } from 'vitest/config';

/** Pods of a real cluster take seconds to come and go, and its node may be no larger than this machine. */
const real = Boolean(process.env.NODEOPS_E2E_KUBECONFIG);

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/bed/reporter.ts'],
    pool: 'forks',
    // most of their time they wait for processes of their own
    maxWorkers: real ? 1 : 3,
    // a machine that is shared stands still for seconds now and then; what needs another try is named at the end of a run, with its reason
    retry: 2,
    testTimeout: real ? 180_000 : 120_000,
    hookTimeout: real ? 400_000 : 120_000,
    // a test that leaves its processes behind is a failing test
    teardownTimeout: 20_000,
  },
});
