/** Profiles seen from further away: without what is not the app's own, or package by package. */
import { emptyStack, type FunctionInfo, Profile } from './model.ts';

/** Name of what ran without any frame that was kept. */
const outside = '(outside the app)';

/** Whether a function is the app's: not Node's, not a package's, not V8's. */
export function isOwn({ file }: FunctionInfo): boolean {
  return file !== '' && !/^(?:node:|evalmachine|internal\/)|[\\/]node_modules[\\/]/.test(file);
}

/** Only the app's own frames; what Node, packages and V8 did counts for the function of the app that called it. */
export function appFrames(profile: Profile): Profile {
  const own = profile.functions.map(isOwn);
  return refold(profile, (frame) => (own[profile.frameFunction[frame]!] ? 'keep' : 'drop'));
}

/** One frame for each package that a stack passes through: `(app)`, `express`, `@scope/name`, `node:http`, `(garbage collector)`. */
export function byPackage(profile: Profile): Profile {
  const names = profile.functions.map(packageOf);
  return refold(profile, (frame) => names[profile.frameFunction[frame]!]!);
}

function packageOf(info: FunctionInfo): string {
  const [, name] = /.*[\\/]node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/.exec(info.file) ?? [];
  if (name !== undefined) return name.replace('\\', '/');
  const [node] = /^node:(?:internal\/)?[^/:]+/.exec(info.file) ?? [];
  if (node !== undefined) return node.replace('internal/', '');
  if (isOwn(info)) return '(app)';
  return info.name.startsWith('(') ? info.name : '(native code)';
}

/** `keep`, `drop` into the caller, or the name of what stands for the frame; the same name twice in a row is one frame. */
function refold(profile: Profile, choose: (frame: number) => string): Profile {
  const result = new Profile(profile.sampleTypes, profile.facts);
  const named = (name: string) => result.frame(result.function({ name, systemName: name, file: '', line: 0 }), 0);
  const frames = profile.frameFunction.map((id, frame) => {
    const choice = choose(frame);
    if (choice === 'drop') return undefined;
    return choice === 'keep'
      ? result.frame(result.function(profile.functions[id]!), profile.frameLine[frame]!)
      : named(choice);
  });
  const stacks = [emptyStack];
  for (let stack = 1; stack < profile.stackParent.length; stack++) {
    const parent = stacks[profile.stackParent[stack]!]!;
    const frame = frames[profile.stackFrame[stack]!];
    const again = frame !== undefined && result.stackFrame[parent] === frame;
    stacks.push(frame === undefined || again ? parent : result.stack(parent, frame));
  }
  for (let sample = 0; sample < profile.sampleCount; sample++) {
    const stack = stacks[profile.sampleStack[sample]!]!;
    result.add(
      stack === emptyStack ? result.stack(emptyStack, named(outside)) : stack,
      result.labels(profile.labelSets[profile.sampleLabels[sample]!]!),
      profile.values.map((column) => column[sample]!),
    );
  }
  return result;
}
