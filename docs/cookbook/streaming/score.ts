/**
 * Words are sent as they are made: as server-sent events to a client that accepts them, else as
 * lines of JSON. When the client leaves, the generator ends.
 *
 * npm start -- --entry-script docs/cookbook/streaming/score.ts
 * sh docs/cookbook/streaming/try.sh
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { RequestContext } from 'scoring-server';

/** Stands for the time that a model needs for a word. */
const STEP_MS = 20;

interface Word {
  readonly index: number;
  readonly word: string;
}

export function init() {}

export function run({ text }: { text: string }, { headers, signal }: RequestContext) {
  const words = generate(text, signal);
  // The server sends each item of an iterator as a line of JSON.
  if (!headers.get('accept')?.includes('text/event-stream')) return words;
  return eventStream(toEvents(words));
}

async function* generate(text: string, signal: AbortSignal): AsyncGenerator<Word> {
  for (const [index, word] of text.split(' ').entries()) {
    await delay(STEP_MS, undefined, { signal });
    yield { index, word: word.toUpperCase() };
  }
}

async function* toEvents(words: AsyncIterable<Word>): AsyncGenerator<string> {
  for await (const { index, word } of words) yield `id: ${index}\ndata: ${JSON.stringify({ word })}\n\n`;
  yield 'event: done\ndata: {}\n\n';
}

function eventStream(events: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await events.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await events.return(undefined);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
}
