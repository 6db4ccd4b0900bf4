import { defineConfig } from 'vitest/config';
import { sourceFiles } from './test/bed/graph.ts';
import { testFiles } from './test/bed/kinds.ts';

/** Pods of a real cluster take seconds to come and go, and its node may be no larger than this machine. */
const real = Boolean(process.env.NODEOPS_E2E_KUBECONFIG);
// half a minute of a quiet machine for each service: asked for by name (npm run test:why), not in every run
const sources = sourceFiles().filter(
  (file) => file !== 'test/why/services.test.ts' || process.env.NODEOPS_WHY_MAJORS !== undefined,
);
const { pure, process: withProcesses, e2e } = testFiles(sources);
// most of their time they wait for processes of their own; what needs another try on a busy machine is named at the end of a run
const maxWorkers = real ? 1 : Number(process.env.NODEOPS_TEST_WORKERS ?? 3);
const waiting = { retry: 2, pool: 'forks', maxWorkers, sequence: { groupOrder: 1 } } as const;

export default defineConfig({
  test: {
    reporters: ['default', './test/bed/reporter.ts'],
    globalSetup: './test/bed/once.ts',
    testTimeout: real ? 180_000 : 120_000,
    hookTimeout: real ? 400_000 : 120_000,
    // a test that leaves its processes behind is a failing test
    teardownTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: pure, retry: 0, pool: 'threads', isolate: false, maxWorkers: 1 },
      },
      { extends: true, test: { name: 'process', include: withProcesses, ...waiting } },
      { extends: true, test: { name: 'e2e', include: e2e, globalSetup: './test/e2e/shared-cluster.ts', ...waiting } },
    ],
  },
});
