import { ServerError } from '../errors.ts';
import { FrameError, readUint32 } from './frames.ts';
import { HostKind } from './kinds.ts';
import { readRedact, type RedactHead } from './redaction.ts';
import { readStart, type StartMessage } from './start-message.ts';

/** Receives the frames of the host: a method a kind. */
export interface FromHost {
  start(message: StartMessage): void;
  /** The host is of another version. */
  startRefused(error: ServerError): void;
  /** @param payload whose head is read when the run begins: score-head.ts */
  score(id: number, payload: Buffer): void;
  cancel(id: number): void;
  /** @param bytes of a stream that the client's side has taken */
  credit(id: number, bytes: number): void;
  redact(id: number, head: RedactHead, bodies: readonly Buffer[]): void;
}

type Read = (to: FromHost, id: number, payload: Buffer) => void;

const readers: Readonly<Record<HostKind, Read>> = {
  [HostKind.start]: (to, _id, payload) => {
    const message = readStart(payload);
    if (message instanceof ServerError) to.startRefused(message);
    else to.start(message);
  },
  [HostKind.score]: (to, id, payload) => to.score(id, payload),
  [HostKind.cancel]: (to, id) => to.cancel(id),
  [HostKind.credit]: (to, id, payload) => {
    if (payload.length !== 4) throw new FrameError(`a message 'credit' of ${payload.length} bytes: expected 4`);
    to.credit(id, readUint32(payload, 0));
  },
  [HostKind.redact]: (to, id, payload) => {
    const { head, bodies } = readRedact(payload);
    to.redact(id, head, bodies);
  },
};
const byNumber: Readonly<Record<number, Read | undefined>> = readers;

/**
 * Reads one frame of the host.
 * @throws FrameError when a host sends no such kind, or the payload is not one of its kind
 */
export function readFromHost(to: FromHost, id: number, kind: number, payload: Buffer): void {
  const read = byNumber[kind];
  if (read === undefined) throw new FrameError(`a frame of kind ${kind} and ${payload.length} bytes, which a host does not send`);
  read(to, id, payload);
}
