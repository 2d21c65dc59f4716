import type { Block } from '../../../server/collection/encode/block.ts';
import { Capture } from '../../../server/collection/host/capture.ts';
import { CloudEvents } from '../../../server/collection/encode/cloud-events.ts';
import { HandOver } from '../../../server/collection/host/hand-over.ts';
import type { References } from '../../../server/collection/encode/place-data.ts';
import type { CollectionSettings } from '../../../server/collection/settings.ts';
import { BatchReader, type ExchangeRecord } from '../../../server/collection/records.ts';
import { settings } from '../../collection/start-writer.ts';

export const files: References = { reference: (name) => `/root/${name}`, largestInline: Infinity };
export const noFiles: References = { reference: () => undefined, largestInline: 1000 };

export interface Given {
  readonly id?: string;
  readonly url?: string;
  readonly method?: string;
  readonly status?: number;
  readonly type?: string;
  readonly headers?: readonly string[];
  readonly body?: readonly (Buffer | string)[] | undefined;
  readonly answerType?: string;
  readonly answer?: Buffer | string;
  /** Pieces of a streamed answer. */
  readonly pieces?: readonly (Buffer | string)[];
  /** False: the stream does not end. */
  readonly complete?: boolean;
}

/**
 * Requests on their whole way, one after the other: captured, handed over as bytes, read, made
 * CloudEvents.
 */
export async function collect(
  given: Given | readonly Given[],
  references = files,
  chosen: Partial<CollectionSettings> = {},
): Promise<{ events: Record<string, unknown>[]; blocks: Block[] }> {
  const blocks: Block[] = [];
  const events = new CloudEvents({ ...settings, endpoint: 'é p', ...chosen }, references, 'a/1', (block) => blocks.push(block));
  const reader = new BatchReader();
  const handOver = new HandOver((batch, bytes) => {
    reader.read(Buffer.from(batch, 0, bytes), { exchange: (record) => events.exchange(record), rows: () => undefined });
    events.flush();
    handOver.recycle(batch);
  });
  const keeper = {
    captureHeaders: chosen.captureHeaders ?? ['x-tenant'],
    hold: () => true,
    release: () => undefined,
    exchange: (record: ExchangeRecord) => handOver.exchange(record),
  };
  for (const each of [given].flat()) {
    capture(each, keeper);
    // The next one is written over it.
    handOver.flush();
  }
  await handOver.flushed();
  const lines = blocks.flatMap(({ data }) => data.toString().split('\n').slice(0, -1));
  return { events: lines.map((line) => JSON.parse(line) as Record<string, unknown>), blocks };
}

function capture(given: Given, keeper: ConstructorParameters<typeof Capture>[0]): void {
  const taken = new Capture(keeper, given.id ?? 'id "1"', true, true);
  const body = given.body?.map((piece) => Buffer.from(piece));
  taken.received(given.type, given.headers ?? [], body, body?.reduce((sum, { length }) => sum + length, 0) ?? 0);
  if (given.answer !== undefined) taken.answered(given.answerType ?? 'application/json', [], Buffer.from(given.answer));
  if (given.pieces !== undefined) {
    taken.answered(given.answerType ?? 'application/json', [], undefined);
    for (const piece of given.pieces) taken.piece(Buffer.from(piece));
    if (given.complete !== false) taken.complete();
  }
  taken.end({ method: given.method ?? 'POST', url: given.url ?? '/score', status: given.status ?? 200 });
}
