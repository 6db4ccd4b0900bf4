/**
 * The `v4.channel.k8s.io` and `v5.channel.k8s.io` framing of port-forward and exec: one binary message is one channel byte
 * and a payload. A codec without state; the streams around it are in `socket.ts`.
 */

/** Channels of exec. Port-forward: 2i is port i's data, 2i+1 its errors. */
export const stdin = 0;
export const stdout = 1;
export const stderr = 2;
export const execStatus = 3;
/** v5 only: the payload is the channel to close. */
export const closeChannel = 255;

export function encodeFrame(channel: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(payload.length + 1);
  frame[0] = channel;
  frame.set(payload, 1);
  return frame;
}

/** undefined: an empty message, which carries nothing and is allowed. */
export function decodeFrame(message: Buffer): { channel: number; payload: Buffer } | undefined {
  return message.length === 0 ? undefined : { channel: message[0]!, payload: message.subarray(1) };
}

/** The port that the first message on each channel of a port-forward carries; undefined for anything else. */
export function decodePort(payload: Buffer): number | undefined {
  return payload.length === 2 ? payload.readUInt16LE() : undefined;
}

/** Exit code and message in exec's closing Status; undefined when it is not one. */
export function decodeExit(payload: Buffer): { code: number; message: string } | undefined {
  try {
    const status = JSON.parse(payload.toString());
    if (status.status === 'Success') return { code: 0, message: '' };
    if (status.status !== 'Failure') return undefined;
    const causes: { reason?: string; message?: string }[] = status.details?.causes ?? [];
    const exit = causes.find(({ reason }) => reason === 'ExitCode')?.message;
    // a command that could not be started has no exit code of its own; shells call that 126
    return { code: exit === undefined ? 126 : Number(exit), message: String(status.message ?? '') };
  } catch {
    return undefined;
  }
}
