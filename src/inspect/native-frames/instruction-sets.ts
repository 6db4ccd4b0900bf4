/** The instructions of frame translations by version of V8: see translations.ts. */
import { instructions } from './translations.ts';

const values12 = `int32Register:1 int32Slot:1 int64Register:1 int64Slot:1 signedBigInt64Register:1 signedBigInt64Slot:1
  unsignedBigInt64Register:1 unsignedBigInt64Slot:1 optimizedOut:0 literal:1 register:1 slot:1 uint32Register:1 uint32Slot:1
  updateFeedback:2 match:1`;

export const instructionSets = {
  '11.3': instructions(`
    argumentsElements:1 argumentsLength:0 beginWithoutFeedback:3 beginWithFeedback:3 boolRegister:1 boolSlot:1
    builtinContinuationFrame:3 capturedObject:1 constructStubFrame:3 doubleRegister:1 doubleSlot:1 duplicatedObject:1
    floatRegister:1 floatSlot:1 inlinedExtraArgumentsFrame:2 int32Register:1 int32Slot:1 int64Register:1 int64Slot:1
    signedBigInt64Register:1 signedBigInt64Slot:1 unsignedBigInt64Register:1 unsignedBigInt64Slot:1
    interpretedWithReturnFrame:5 interpretedFrame:3 scriptBuiltinContinuationFrame:3
    scriptBuiltinContinuationWithCatchFrame:3 wasmBuiltinContinuationFrame:4 optimizedOut:0 literal:1 register:1 slot:1
    uint32Register:1 uint32Slot:1 updateFeedback:2 match:1`),
  '12.4': instructions(`
    interpretedWithReturnFrame:5 interpretedFrame:3 scriptBuiltinContinuationFrame:3
    scriptBuiltinContinuationWithCatchFrame:3 constructCreateStubFrame:2 constructInvokeStubFrame:1
    builtinContinuationFrame:3 wasmBuiltinContinuationFrame:4 wasmInlinedFrame:3 inlinedExtraArgumentsFrame:2
    argumentsElements:1 argumentsLength:0 beginWithoutFeedback:3 beginWithFeedback:3 boolRegister:1 boolSlot:1
    capturedObject:1 doubleRegister:1 doubleSlot:1 holeyDoubleRegister:1 holeyDoubleSlot:1 duplicatedObject:1
    floatRegister:1 floatSlot:1 ${values12}`),
  '13.6': instructions(`
    interpretedWithReturnFrame:6 interpretedFrame:4 scriptBuiltinContinuationFrame:3
    scriptBuiltinContinuationWithCatchFrame:3 constructCreateStubFrame:2 constructInvokeStubFrame:1
    builtinContinuationFrame:3 wasmBuiltinContinuationFrame:4 wasmInlinedFrame:3 liftoffFrame:3
    inlinedExtraArgumentsFrame:2 argumentsElements:1 argumentsLength:0 restLength:0 beginWithoutFeedback:3
    beginWithFeedback:3 boolRegister:1 boolSlot:1 capturedObject:1 stringConcat:0 doubleRegister:1 doubleSlot:1
    simd128Slot:1 holeyDoubleRegister:1 holeyDoubleSlot:1 simd128Register:1 duplicatedObject:1 floatRegister:1 floatSlot:1
    ${values12}`),
} as const;
