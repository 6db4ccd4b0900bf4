/** The rules in force: of NODEOPS_TRIGGERS, and of a file that is read again when it changes. */
import { readFileSync, statSync } from 'node:fs';
import { parseRules, type Rule } from '../../protocol/triggers.ts';
import type { TriggerSettings } from '../settings/trigger-settings.ts';

/** A ConfigMap that was changed arrives within a minute or so; more often is not needed. */
const lookEveryMs = 5_000;
const fileBytes = 64 * 1024;

export interface RuleInForce extends Rule {
  /** `NODEOPS_TRIGGERS`, or the path of the file. */
  readonly source: string;
}

export interface Rules {
  /** Looks at the file when it is time. The same list as before where nothing changed. */
  look(): readonly RuleInForce[];
  errors(): readonly string[];
}

/** `clock` gives milliseconds that never go back. */
export function readRules({ text, file }: TriggerSettings, clock = () => performance.now()): Rules {
  const fixed = parse(text ?? '', 'NODEOPS_TRIGGERS');
  let fromFile = none;
  let all = fixed.rules;
  let version = '';
  let lookedAt = Number.NEGATIVE_INFINITY;
  let missing = false;

  function lookAt(path: string): void {
    try {
      // through the links by which a kubelet swaps the files of a ConfigMap
      const { mtimeMs, size, ino, dev, isFile } = statOf(path);
      const found = `${mtimeMs} ${size} ${ino} ${dev}`;
      missing = false;
      if (found === version) return;
      // a pipe or a device would never end
      if (!isFile) throw new Error(`${path} is not a file`);
      if (size > fileBytes) throw new Error(`it is larger than ${fileBytes} bytes`);
      fromFile = parse(readFileSync(path, 'utf8'), path);
      version = found;
    } catch (error) {
      // in the middle of a swap a link may lead nowhere for a moment: rules go when they are missing a second later, too
      const first = !missing && version !== '';
      missing = true;
      if (first) {
        lookedAt = Number.NEGATIVE_INFINITY;
        return;
      }
      version = '';
      fromFile = { rules: [], errors: [`NODEOPS_TRIGGERS_FILE cannot be read: ${(error as Error).message}`] };
    }
    const known = new Set(fixed.rules.map((rule) => rule.text));
    all = [...fixed.rules, ...fromFile.rules.filter((rule) => !known.has(rule.text))];
  }

  return {
    look() {
      if (file && clock() - lookedAt >= lookEveryMs) {
        lookedAt = clock();
        lookAt(file);
      }
      return all;
    },
    errors: () => [...fixed.errors, ...fromFile.errors],
  };
}

interface Parsed {
  readonly rules: readonly RuleInForce[];
  readonly errors: readonly string[];
}
const none: Parsed = { rules: [], errors: [] };

function parse(text: string, source: string): Parsed {
  const { rules, errors } = parseRules(text, source);
  return { rules: rules.map((rule) => ({ ...rule, source })), errors };
}

function statOf(path: string) {
  const stats = statSync(path);
  return { ...stats, isFile: stats.isFile() };
}
