/**
 * Where V8 keeps what is read here. Most of it the executable tells itself, by V8's postmortem symbols (`v8dbg_*`); what they do
 * not tell is in a table per version of V8. Offsets are in bytes.
 */
import type { Elf } from './elf.ts';
import { type Table, tables } from './tables.ts';

const told = {
  mapType: 'type_Map__MAP_TYPE',
  sharedType: 'type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE',
  scopeInfoType: 'type_ScopeInfo__SCOPE_INFO_TYPE',
  bytecodesType: 'type_BytecodeArray__BYTECODE_ARRAY_TYPE',
  codeType: 'type_Code__CODE_TYPE',
  streamType: 'type_InstructionStream__INSTRUCTION_STREAM_TYPE',
  functionType: 'type_JSFunction__JS_FUNCTION_TYPE',
  scriptType: 'type_Script__SCRIPT_TYPE',
  debugInfoType: 'type_DebugInfo__DEBUG_INFO_TYPE',
  oddballType: 'type_Oddball__ODDBALL_TYPE',
  fixedArrayType: 'type_FixedArray__FIXED_ARRAY_TYPE',
  firstContextType: 'FirstContextType',
  lastContextType: 'LastContextType',
  firstNonString: 'FirstNonstringType',
  nullKind: 'OddballNull',
  trueKind: 'OddballTrue',
  falseKind: 'OddballFalse',
  map: 'class_HeapObject__map__Map',
  mapInstanceType: 'class_Map__instance_type__uint16_t',
  functionShared: 'class_JSFunction__shared__SharedFunctionInfo',
  stringLength: 'class_String__length__int32_t',
  chars: 'class_SeqOneByteString__chars__char',
  consFirst: 'class_ConsString__first__String',
  consSecond: 'class_ConsString__second__String',
  slicedParent: 'class_SlicedString__parent__String',
  slicedOffset: 'class_SlicedString__offset__SMI',
  thinActual: 'class_ThinString__actual__String',
  externalResource: 'class_ExternalString__resource__Object',
  scriptName: 'class_Script__name__Object',
  scriptSource: 'class_Script__source__Object',
  scriptLineEnds: 'class_Script__line_ends__Object',
  arrayLength: 'class_FixedArrayBase__length__SMI',
  arrayData: 'class_FixedArray__data__uintptr_t',
  bytecodes: 'class_BytecodeArray__data__uintptr_t',
  scopeInfoLocals: 'scopeinfo_idx_ncontextlocals',
  scopeInfoFirst: 'scopeinfo_idx_first_vars',
  frameFunction: 'off_fp_function',
  frameContext: 'off_fp_context',
  frameBytecodes: 'off_fp_bytecode_array',
  frameBytecodeOffset: 'off_fp_bytecode_offset',
  deoptLiterals: 'DeoptimizationDataLiteralArrayIndex',
  deoptInlinings: 'DeoptimizationDataInliningPositionsIndex',
  entryFrame: 'frametype_EntryFrame',
  constructEntryFrame: 'frametype_ConstructEntryFrame',
  exitFrame: 'frametype_ExitFrame',
  builtinExitFrame: 'frametype_BuiltinExitFrame',
  wasmFrame: 'frametype_WasmFrame',
} as const;

/** By version of V8: the name carries the type of the field. */
const toldVariously = {
  oddballKind: ['class_Oddball__kind__int', 'class_Oddball__kind_offset__int'],
  sharedName: ['NameOrScopeInfoT_', 'Object_', 'Object'].map((type) =>
    type === 'Object'
      ? 'class_SharedFunctionInfo__name_or_scope_info__Object'
      : `class_SharedFunctionInfo__name_or_scope_info__Tagged_${type}`,
  ),
  sharedScript: [
    'class_SharedFunctionInfo__script__Tagged_HeapObject_',
    'class_SharedFunctionInfo__script_or_debug_info__HeapObject',
  ],
} as const;

type Told = Record<keyof typeof told | keyof typeof toldVariously, number>;
export type Layout = Readonly<Told> & Omit<Table, 'entryExitFrame'> & { readonly entryExitFrame: number };

/** Throws, saying what is missing, where the executable is of a V8 that is not known here. */
export function readLayout(elf: Elf): Layout {
  const values: Partial<Told> = {};
  const take = (key: keyof Told, names: readonly string[]): void => {
    for (const name of names) {
      const symbol = elf.exported(`v8dbg_${name}`);
      // a symbol whose value is 0 has no bytes in the file
      if (symbol) values[key] ??= elf.bytesAt(symbol.address, 4)?.readInt32LE(0) ?? 0;
    }
    if (values[key] === undefined) throw new Error(`no v8dbg_${names[0]} in the executable`);
  };
  for (const [key, name] of Object.entries(told)) take(key as keyof Told, [name]);
  for (const [key, names] of Object.entries(toldVariously)) take(key as keyof Told, names);
  const known = values as Told;
  const table = tables.find(({ types }) =>
    [known.mapType, known.sharedType, known.scopeInfoType, known.bytecodesType].every((type, i) => type === types[i]),
  );
  if (!table) throw new Error('a version of V8 whose layout is not known');
  return { ...known, ...table, entryExitFrame: table.entryExitFrame[elf.machine] };
}
