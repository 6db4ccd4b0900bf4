/** Counters in Prometheus' text format. */
import type { Outcome } from './review.ts';

const outcomes = ['injected', 'left-alone', 'not-asked', 'error', 'bad-request', 'overloaded'] as const;
export type Counted = Outcome | (typeof outcomes)[number];

/** Upper bounds in seconds: the API server waits for 2 s by default. */
const bounds = [0.001, 0.005, 0.025, 0.1, 0.5, 2] as const;

export class Metrics {
  private readonly reviews = new Map<Counted, number>(outcomes.map((outcome) => [outcome, 0]));
  private readonly buckets = bounds.map(() => 0);
  private seconds = 0;
  private count = 0;
  /** Unix seconds; undefined before a certificate is loaded. */
  certificateExpiry: number | undefined;

  /** Counts one request and the seconds it took. */
  observe(outcome: Counted, seconds: number): void {
    this.reviews.set(outcome, (this.reviews.get(outcome) ?? 0) + 1);
    this.seconds += seconds;
    this.count++;
    for (const [index, bound] of bounds.entries()) if (seconds <= bound) this.buckets[index]!++;
  }

  render(version: string): string {
    const lines = [
      '# HELP nodeops_inject_build_info Version of the injector.',
      '# TYPE nodeops_inject_build_info gauge',
      `nodeops_inject_build_info{version="${version}"} 1`,
      '# HELP nodeops_inject_reviews_total Admission reviews by outcome.',
      '# TYPE nodeops_inject_reviews_total counter',
      ...[...this.reviews].map(([outcome, count]) => `nodeops_inject_reviews_total{outcome="${outcome}"} ${count}`),
      '# HELP nodeops_inject_review_duration_seconds From the head of a request to its answer.',
      '# TYPE nodeops_inject_review_duration_seconds histogram',
      ...bounds.map(
        (bound, index) => `nodeops_inject_review_duration_seconds_bucket{le="${bound}"} ${this.buckets[index]}`,
      ),
      `nodeops_inject_review_duration_seconds_bucket{le="+Inf"} ${this.count}`,
      `nodeops_inject_review_duration_seconds_sum ${this.seconds}`,
      `nodeops_inject_review_duration_seconds_count ${this.count}`,
    ];
    if (this.certificateExpiry !== undefined)
      lines.push(
        '# HELP nodeops_inject_certificate_expiry_timestamp_seconds When the certificate in use expires.',
        '# TYPE nodeops_inject_certificate_expiry_timestamp_seconds gauge',
        `nodeops_inject_certificate_expiry_timestamp_seconds ${this.certificateExpiry}`,
      );
    return `${lines.join('\n')}\n`;
  }
}
