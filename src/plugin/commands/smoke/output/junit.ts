/** JUnit XML as Jenkins, GitLab and GitHub's reporters read it: a suite for each process, a case for each check. */
import type { Result, Status } from '../judge.ts';
import type { SmokeReport, Subject } from '../report.ts';

export function junitXml(report: SmokeReport): string {
  const { problem, forMs, at } = report;
  const suites = report.subjects.map((subject) => suite(subject, at, forMs));
  if (problem) {
    const attributes = { name: 'smoke', tests: 1, failures: 0, errors: 1, skipped: 0, time: 0, timestamp: stamp(at) };
    const text = `${problem.code}: ${problem.message}${problem.hint ? `\n${problem.hint}` : ''}`;
    suites.push(
      element('testsuite', attributes, [
        element('testcase', { name: 'targets', classname: 'smoke', time: 0 }, [
          element('error', { message: problem.message, type: problem.code }, [escaped(text)]),
        ]),
      ]),
    );
  }
  const { counts } = report;
  const attributes = {
    name: 'nodeops smoke',
    tests: counts.pass + counts.fail + counts.unknown + counts.skip + (problem ? 1 : 0),
    failures: counts.fail,
    errors: counts.unknown + (problem ? 1 : 0),
    skipped: counts.skip,
    time: seconds(forMs),
  };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', attributes, suites)}\n`;
}

function suite({ name, results, evidence, nodeVersion }: Subject, at: string, forMs: number): string {
  const count = (wanted: Status) => results.filter(({ status }) => status === wanted).length;
  const attributes = {
    name,
    tests: results.length,
    failures: count('fail'),
    errors: count('unknown'),
    skipped: count('skip'),
    time: seconds(forMs),
    timestamp: stamp(at),
  };
  const kept = [...evidence.files.map((file) => `[[ATTACHMENT|${file}]]`), ...evidence.problems];
  return element('testsuite', attributes, [
    ...(nodeVersion === null
      ? []
      : [element('properties', {}, [element('property', { name: 'node', value: nodeVersion }, [])])]),
    ...results.map((result) => testcase(name, result)),
    ...(kept.length === 0 ? [] : [element('system-out', {}, [escaped(kept.join('\n'))])]),
  ]);
}

const outcomes = { fail: 'failure', unknown: 'error', skip: 'skipped' } as const;

function testcase(classname: string, { check, status, message, limit }: Result): string {
  const inner =
    status === 'pass'
      ? []
      : status === 'skip'
        ? [element('skipped', { message }, [])]
        : [element(outcomes[status], { message, type: check }, [escaped(`${message}\nlimit: ${limit}`)])];
  return element('testcase', { name: limit === '' ? check : `${check} ${limit}`, classname, time: 0 }, inner);
}

function element(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  children: readonly string[],
): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`);
  const open = `<${name}${written.join('')}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join('\n')}</${name}>`;
}

/** For text and attributes. Characters that XML 1.0 cannot have at all, escaped or not, are replaced. */
export function escaped(text: string): string {
  // half a surrogate pair is no character either
  return Buffer.from(text)
    .toString()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"'\n\r\t]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

/** xs:dateTime as the schema has it: without a zone. */
function stamp(at: string): string {
  return at.replace(/\.\d+Z$/, '');
}
