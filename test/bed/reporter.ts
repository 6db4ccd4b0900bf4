import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** What no npm package brings, so that a bare machine has it not, and what has a run of its own: all else that is skipped in CI is a failure. */
const mayBeMissing = /^(?:(?:fish|zsh|groff|skopeo|buildah) is not installed|only npm run release:dry makes it)$/;

/** Says what needed another try, why each skipped test is skipped, and ends with the line `N passed, N failed[, N skipped]` that CI reads. */
export default class ClosingLine implements Reporter {
  #filtered = false;

  onInit({ config }: Vitest): void {
    // what a name was not asked for is not of interest
    this.#filtered = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const reasons: string[] = [];
    let mustRun = 0;
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const result = test.result();
        count[result.state]++;
        // where a hook has failed, its tests have been skipped by that
        if (result.state !== 'skipped' || module.state() === 'failed' || this.#filtered) continue;
        if (!mayBeMissing.test(result.note ?? '')) mustRun++;
        reasons.push(`skipped: ${module.relativeModuleId} > ${test.fullName}: ${result.note ?? 'see its condition'}\n`);
      }
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
    reasons.unshift(...again);
    const skipped = count.skipped + count.pending;
    if (mustRun > 0 && process.env.CI) {
      reasons.push(`CI fails: ${mustRun} tests were skipped that must run there\n`);
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
