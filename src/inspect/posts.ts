import { NodeopsError } from '../protocol/errors.ts';

/** The error of a command that the main thread did not answer in time. */
export function stuckAfter(method: string, timeoutMs: number): NodeopsError {
  return new NodeopsError('stuck', `the main thread did not answer ${method} within ${timeoutMs} ms`, {
    hint: 'it is in native code that JavaScript cannot interrupt; ask again, or see `stack` for what the kernel shows',
    detail: { timeoutMs },
  });
}

/** The error of a command that the inspector answered with an error. */
export function refusedCommand(method: string, error: { message: string }): NodeopsError {
  return new NodeopsError('failed', `the inspector refused ${method}: ${error.message}`, { cause: error });
}
