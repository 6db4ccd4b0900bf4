import type { Reporter, TestModule } from 'vitest/node';

/** Prints what needed another try and why, and the closing line `N passed, N failed[, N skipped]` that CI reads. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) count[test.result().state]++;
      // a file that does not load has no tests to count
      if (module.state() === 'failed' && !tests.some((test) => test.result().state === 'failed')) count.failed++;
    }
    const again = modules
      .flatMap((module) => [...module.children.allTests()])
      .filter((test) => (test.diagnostic()?.retryCount ?? 0) > 0)
      .map((test) => {
        const why = test.result().errors?.[0]?.message.slice(0, 2000) ?? 'no reason is known';
        return `needed another try: ${test.module.relativeModuleId} > ${test.fullName}\n  ${why.replaceAll('\n', '\n  ')}\n`;
      });
    const skipped = count.skipped + count.pending;
    // stdout of the default reporter comes first: it prints its summary in the same hook
    setImmediate(() =>
      process.stdout.write(
        `\n${again.join('')}${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ''}\n`,
      ),
    );
  }
}
