import { byteLength } from '../guards/built-ins.ts';
import { writeUint32, type FrameWriter } from './frames.ts';
import { HostKind, type HostKindName } from './kinds.ts';
import { redactParts, type RedactHead } from './redaction.ts';
import { headText, SCORE_HEAD_BYTES, writeScoreHead, type ScoreHead } from './score-head.ts';
import { startText, type StartMessage } from './start-message.ts';

/** Writes the frames of the host: a method a kind. */
export class ToWorker implements Readonly<Record<HostKindName, (...args: never[]) => void>> {
  readonly #frames: FrameWriter;
  /** Fixed part of `score` frames, which is copied at once. */
  readonly #scoreHead = new Uint8Array(SCORE_HEAD_BYTES);

  constructor(frames: FrameWriter) {
    this.#frames = frames;
  }

  start(message: StartMessage): void {
    this.#frames.write(0, HostKind.start, [startText(message)]);
  }

  /** @param written called once the kernel has the whole body, or the worker is gone */
  score(id: number, head: ScoreHead, rawHeaders: readonly string[], body: readonly Uint8Array[], written?: () => void): void {
    const text = headText(head, rawHeaders);
    writeScoreHead(this.#scoreHead, head.protocol, byteLength(text));
    this.#frames.write(id, HostKind.score, [this.#scoreHead, text, ...body], written);
  }

  cancel(id: number): void {
    this.#frames.write(id, HostKind.cancel, []);
  }

  credit(id: number, bytes: number): void {
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, bytes);
    this.#frames.write(id, HostKind.credit, [payload]);
  }

  redact(id: number, head: RedactHead, bodies: readonly Uint8Array[]): void {
    this.#frames.write(id, HostKind.redact, redactParts(head, bodies));
  }
}
