import type { Reporter, TestModule } from 'vitest/node';

/**
 * Says why each skipped test is skipped, and ends with the line `N passed, N failed[, N skipped]` that CI reads. Where CI runs everything can be
 * had: a skip there is a failure.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const reasons: string[] = [];
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const result = test.result();
        count[result.state]++;
        // where a hook has failed, its tests have been skipped by that
        if (result.state !== 'skipped' || module.state() === 'failed') continue;
        reasons.push(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${result.note ?? 'see its condition'}\n`);
      }
      // a file that does not load has no tests to count
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) count.failed++;
    }
    const skipped = count.skipped + count.pending;
    if (skipped > 0 && process.env.CI) {
      reasons.push('CI fails on what is skipped: this machine must run everything\n');
      process.exitCode = 1;
    }
    // stdout of the default reporter comes first: it prints its summary in the same hook
    setImmediate(() =>
      process.stdout.write(
        `\n${reasons.join('')}${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
      ),
    );
  }
}
