import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes that all uploads together may bring in a turn of the event loop; each piece costs more. */
const TURN_BUDGET = 128 * 1024;
/** A piece takes as much time as so many bytes, however small it is. */
const PIECE_COST = 1024;
/** Cost of a read that takes the event loop some 2 ms: 1,000 tiny pieces. */
const HEAVY_READ = 1024 * 1024;
/** Rest after a heavy read, for each of its bytes of cost: three times what the read takes. */
const REST_MS_PER_COST = 6 / HEAVY_READ;

/** The part of a socket's handle that begins and ends reading. It is no part of Node's API. */
interface Handle {
  /** False: Node itself has stopped reading, and starts again when its answers have left. */
  readonly reading?: boolean;
  readStop?(): unknown;
  readStart?(): unknown;
}

/**
 * Bounds what uploads take of a turn of the event loop, so that probes are answered between their
 * pieces. Why: libuv reads a socket up to 32 times in a turn, and each read may bring 11,000 chunks
 * of one byte. That took half a second. Above the budget an upload is stopped after its read, and
 * the stopped ones go on in their order. Uploads in tiny pieces leave most of the time to others.
 */
export class Pacing {
  turn = 0;
  #spent = 0;
  #turning = false;
  readonly #stopped: PacedUpload[] = [];
  readonly #resting: PacedUpload[] = [];

  /** Begins to count an upload. */
  pace(request: IncomingMessage): PacedUpload {
    return new PacedUpload(this, request);
  }

  /** Counts a cost of this turn. Returns false if the upload must be stopped. */
  spend(cost: number): boolean {
    this.#spent += cost;
    this.#schedule();
    return this.#spent < TURN_BUDGET;
  }

  /** Starts an upload again in a later turn. */
  queue(upload: PacedUpload): void {
    this.#stopped.push(upload);
  }

  #schedule(): void {
    if (this.#turning) return;
    this.#turning = true;
    setImmediate(() => this.#next());
  }

  /** Starts as many of the stopped uploads as cost about one budget. */
  #next(): void {
    this.#turning = false;
    this.turn++;
    this.#spent = 0;
    let cost = 0;
    for (let next = this.#stopped[0]; next !== undefined && cost < TURN_BUDGET; next = this.#stopped[0]) {
      this.#stopped.shift();
      if (next.cost >= HEAVY_READ) this.#rest(next);
      else {
        cost += next.cost;
        next.start();
      }
    }
    if (this.#stopped.length > 0) this.#schedule();
  }

  #rest(upload: PacedUpload): void {
    this.#resting.push(upload);
    if (this.#resting.length === 1) this.#wakeLater(upload);
  }

  #wakeLater(upload: PacedUpload): void {
    setTimeout(() => {
      upload.start();
      this.#resting.shift();
      const [next] = this.#resting;
      if (next !== undefined) this.#wakeLater(next);
    }, upload.cost * REST_MS_PER_COST).unref();
  }
}

/** An upload whose pieces are counted. */
export class PacedUpload {
  readonly #pacing: Pacing;
  readonly #request: IncomingMessage;
  #turn = 0;
  #stopped = false;
  /** What it cost in the last turn in which it was read. */
  cost = 0;

  constructor(pacing: Pacing, request: IncomingMessage) {
    this.#pacing = pacing;
    this.#request = request;
  }

  /** Counts a piece. A body that came with its head costs nothing. */
  took(bytes: number): void {
    if (this.#request.complete) return;
    const cost = bytes + PIECE_COST;
    const { turn } = this.#pacing;
    this.cost = this.#turn === turn ? this.cost + cost : cost;
    this.#turn = turn;
    if (this.#pacing.spend(cost) || this.#stopped) return;
    this.#stopped = true;
    this.#handle?.readStop?.();
    this.#pacing.queue(this);
  }

  start(): void {
    this.#stopped = false;
    const handle = this.#handle;
    if (handle?.reading !== false) handle?.readStart?.();
  }

  /** Undefined: the connection has ended. */
  get #handle(): Handle | undefined {
    const { socket }: { readonly socket: Socket & { readonly _handle?: Handle | null } } = this.#request;
    return socket._handle ?? undefined;
  }
}
