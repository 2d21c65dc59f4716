import { parse } from '../guards/built-ins.ts';
import { ServerError } from '../errors.ts';
import { object, type Check } from '../guards/checks.ts';
import { FrameError, readUint32 } from './frames.ts';
import { PROTOCOL_VERSION } from './kinds.ts';
import { MOST_MESSAGE_BYTES } from './limits.ts';

/**
 * Reads payloads that are JSON.
 * @throws FrameError that names the message and shows how the payload begins
 */
export const messageReader =
  <T>(name: string, check: Check<T>) =>
  (payload: Buffer): T =>
    checked(name, check, parsed(name, payload), payload);

/**
 * Reads `start` and `ready`, whose version is compared before anything else.
 * @returns the error that names both versions where they differ
 * @throws FrameError as `messageReader`
 */
export const versionedReader =
  <T extends object>(name: string, check: Check<T>) =>
  (payload: Buffer): T | ServerError => {
    const value = parsed(name, payload);
    if (!object(value)) return checked(name, check, value, payload);
    const { version, ...message } = value;
    return version === PROTOCOL_VERSION ? checked(name, check, message, payload) : otherVersion(name, version);
  };

function parsed(name: string, payload: Buffer): unknown {
  if (payload.length > MOST_MESSAGE_BYTES)
    throw new FrameError(`a message '${name}' of ${payload.length} bytes: expected at most ${MOST_MESSAGE_BYTES}`);
  try {
    return parse(payload.toString());
  } catch {
    throw new FrameError(`a message '${name}' that is not JSON: ${beginning(payload)}`);
  }
}

function checked<T>(name: string, check: Check<T>, value: unknown, payload: Buffer): T {
  if (!check(value)) throw new FrameError(`a message '${name}' of another form than expected: ${beginning(payload)}`);
  return value;
}

function otherVersion(name: string, version: unknown): ServerError {
  const got = version === undefined ? 'none' : JSON.stringify(version)?.slice(0, 20);
  return new ServerError(
    'version_mismatch',
    `Host and worker are of different installations: the message '${name}' has version ${got} of their protocol, expected ${PROTOCOL_VERSION}. Restart the server; if that does not help, install it again.`,
  );
}

/** The beginning of a payload, for the log. */
export function beginning(payload: Buffer): string {
  return JSON.stringify(payload.toString('latin1', 0, 100));
}

/**
 * End of a part that has its u32 length before it.
 * @throws FrameError when the payload ends earlier
 */
export function lengthPrefixedEnd(payload: Buffer, at: number, name: string): number {
  const end = payload.length < at + 4 ? Infinity : at + 4 + readUint32(payload, at);
  if (end > payload.length) throw new FrameError(`a message '${name}' that is too short: ${payload.length} bytes`);
  return end;
}
