import { instructionSets } from './instruction-sets.ts';
import type { Steps } from './positions.ts';
import type { Instructions } from './translations.ts';

/** What V8's postmortem symbols do not tell, per version of V8. Read off the executables of Node's own releases; offsets in bytes. */
export interface Table {
  readonly v8: string;
  /** The instance types of Map, SharedFunctionInfo, ScopeInfo and BytecodeArray: no two of these versions number all four alike. */
  readonly types: readonly [number, number, number, number];
  readonly isolate: {
    /** The roots null, true and false lie one after the other from here: by them an Isolate is told from other memory. */
    readonly nullRoot: number;
    /** Frame pointer of the innermost frame that left JavaScript for C++; 0 while JavaScript runs. */
    readonly exitFrame: number;
    /** Frame pointer and return address of a call from compiled code straight into C, which makes no such frame. */
    readonly fastCallFrame: number;
    readonly fastCallPc: number;
    /** Frame pointer of the outermost frame that entered JavaScript; 0 where there is none. */
    readonly entryFrame: number;
    /** The C++ function that the innermost frame called. */
    readonly cFunction: number;
  };
  /** Where an entry frame keeps the exit frame that it was entered from. */
  readonly entryExitFrame: { readonly x64: number; readonly arm64: number };
  /** Whether an entry frame also keeps the fast call that it was entered from. */
  readonly entryKeepsFastCall: boolean;
  /** Types of what tables are kept in. */
  readonly byteArrayTypes: readonly number[];
  readonly bytecodePositions: number;
  readonly positionSteps: Steps;
  /** Whether a ScopeInfo has its function's place before its variables, not after. */
  readonly positionsFirst: boolean;
  /** Of Script. */
  readonly scriptLineOffset: number;
  readonly scriptColumnOffset: number;
  readonly scriptSourceUrl: number;
  /** The kind of a scope. */
  readonly moduleScope: number;
  /** Of Code's flags. */
  readonly kindMask: number;
  readonly baselineKind: number;
  readonly maglevKind: number;
  readonly turbofanKind: number;
  /** Of InstructionStream. */
  readonly streamCode: number;
  /** Of Code. */
  readonly codeDeoptimization: number;
  readonly codeBytecodeOffsets: number;
  readonly codeStream: number;
  readonly codeStart: number;
  readonly codeFlags: number;
  readonly codeSize: number;
  /** What the data for going back to bytecode is kept in, and its elements. */
  readonly deoptimizationTypes: readonly number[];
  readonly deoptFirstEntry: number;
  /** Where the count is in the header of Maglev's table of safepoints. */
  readonly maglevHeader: number;
  /** A frame that called the embedder's C++: its slot with the FunctionTemplateInfo, and that one's field with the function. */
  readonly apiFrame: { readonly marker: number; readonly template: number; readonly shared: number } | null;
  readonly sharedData: number;
  readonly sharedWrapperType: number | null;
  readonly instructions: Instructions;
}

const same = {
  sharedData: 8,
  entryExitFrame: { x64: -64, arm64: -24 },
  scriptLineOffset: 24,
  scriptColumnOffset: 32,
  scriptSourceUrl: 112,
  kindMask: 15,
  streamCode: 8,
  codeStream: 32,
  codeStart: 40,
};

export const tables: readonly Table[] = [
  {
    ...same,
    v8: '11.3',
    types: [255, 262, 261, 191],
    isolate: {
      nullRoot: 0x220,
      exitFrame: 0x180,
      fastCallFrame: 0xe8,
      fastCallPc: 0xf0,
      entryFrame: 0x1a0,
      cFunction: 0x190,
    },
    entryKeepsFastCall: false,
    byteArrayTypes: [190],
    bytecodePositions: 32,
    positionSteps: 'sign',
    positionsFirst: false,
    moduleScope: 3,
    baselineKind: 11,
    maglevKind: 12,
    turbofanKind: 13,
    codeDeoptimization: 16,
    codeBytecodeOffsets: 24,
    codeFlags: 48,
    codeSize: 56,
    deoptimizationTypes: [175],
    deoptFirstEntry: 11,
    apiFrame: null,
    maglevHeader: 0,
    sharedWrapperType: null,
    instructions: instructionSets['11.3'],
  },
  {
    ...same,
    v8: '12.4',
    types: [264, 274, 272, 205],
    isolate: {
      nullRoot: 0x280,
      exitFrame: 0x110,
      fastCallFrame: 0xf0,
      fastCallPc: 0xf8,
      entryFrame: 0x1a8,
      cFunction: 0x118,
    },
    entryKeepsFastCall: false,
    byteArrayTypes: [186, 212],
    bytecodePositions: 24,
    positionSteps: 'sign',
    positionsFirst: false,
    moduleScope: 3,
    baselineKind: 10,
    maglevKind: 11,
    turbofanKind: 12,
    codeDeoptimization: 8,
    codeBytecodeOffsets: 16,
    codeFlags: 48,
    codeSize: 52,
    deoptimizationTypes: [174, 211, 213],
    deoptFirstEntry: 11,
    apiFrame: { marker: 27, template: 16, shared: 64 },
    maglevHeader: 0,
    sharedWrapperType: null,
    instructions: instructionSets['12.4'],
  },
  {
    ...same,
    v8: '13.6',
    types: [272, 282, 280, 186],
    isolate: {
      nullRoot: 0x2b0,
      exitFrame: 0x140,
      fastCallFrame: 0x128,
      fastCallPc: 0x120,
      entryFrame: 0x1d8,
      cFunction: 0x148,
    },
    entryKeepsFastCall: true,
    byteArrayTypes: [217, 196],
    bytecodePositions: 24,
    positionSteps: 'sign',
    positionsFirst: true,
    moduleScope: 5,
    baselineKind: 10,
    maglevKind: 11,
    turbofanKind: 12,
    codeDeoptimization: 8,
    codeBytecodeOffsets: 16,
    codeFlags: 52,
    codeSize: 56,
    deoptimizationTypes: [193, 197],
    deoptFirstEntry: 12,
    apiFrame: { marker: 28, template: 48, shared: 72 },
    maglevHeader: 4,
    sharedWrapperType: 195,
    instructions: instructionSets['13.6'],
  },
  {
    ...same,
    v8: '14.6',
    types: [278, 288, 286, 185],
    isolate: {
      nullRoot: 0x2c0,
      exitFrame: 0x148,
      fastCallFrame: 0x130,
      fastCallPc: 0x128,
      entryFrame: 0x1e0,
      cFunction: 0x150,
    },
    entryKeepsFastCall: true,
    byteArrayTypes: [218, 196],
    bytecodePositions: 24,
    positionSteps: 'flags',
    positionsFirst: true,
    moduleScope: 5,
    baselineKind: 11,
    maglevKind: 12,
    turbofanKind: 13,
    codeDeoptimization: 8,
    codeBytecodeOffsets: 16,
    codeFlags: 52,
    codeSize: 56,
    deoptimizationTypes: [193, 197],
    deoptFirstEntry: 12,
    apiFrame: { marker: 18, template: 40, shared: 72 },
    maglevHeader: 4,
    sharedWrapperType: 195,
    instructions: instructionSets['13.6'],
  },
];
