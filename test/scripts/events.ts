import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
export function init() {}
/** Streams an event, and another one once there is the file `released` in the folder; echoes anything else. */
export function run(data: { events?: string }) {
  const folder = data.events;
  if (folder === undefined) return data;
  return new Response(ReadableStream.from(events(folder)), { headers: { 'content-type': 'text/event-stream' } });
}
async function* events(folder: string) {
  yield new TextEncoder().encode('data: first\n\n');
  while (!existsSync(`${folder}/released`)) await setTimeout(5);
  yield new TextEncoder().encode('data: second\n\n');
}
