import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, writeSync } from 'node:fs';
import { PROTOCOL_VERSION } from '../../server/ipc/kinds.ts';

export function init() {}

const frame = (kind: number, payload: string | Buffer): Buffer => {
  const body = Buffer.from(payload as string);
  const head = Buffer.alloc(9);
  head.writeUInt32LE(body.length + 5);
  head[8] = kind;
  return Buffer.concat([head, body]);
};
const bytes: Record<string, Buffer> = {
  'a length of 4 GiB': Buffer.from([255, 255, 255, 255]),
  'a length of nothing': Buffer.from([0, 0, 0, 0]),
  'a text': Buffer.from('hello, this is a log line\n'),
  'an unknown kind': frame(99, 'x'),
  'a kind of the host': frame(2, 'x'),
  'no JSON': frame(24, '{"level"'),
  'a log line of another form': frame(24, '{"level":"loud","msg":"x"}'),
  'an unknown code': frame(19, '{"code":"no_such_code","message":"x"}'),
  'metrics with null': frame(26, '{"defined":[],"changes":[{"name":"x","labels":[],"value":null}]}'),
  'a metric of another form': frame(26, '{"defined":[{"kind":"gauge"}],"changes":[]}'),
  'a counter that falls': frame(
    26,
    '{"defined":[{"kind":"counter","name":"falls","help":"h","labels":[]}],"changes":[{"name":"falls","labels":[],"value":-1}]}',
  ),
  'ready without models': frame(16, `{"version":${PROTOCOL_VERSION},"rawHttp":false}`),
  'ready again': frame(16, `{"version":${PROTOCOL_VERSION},"rawHttp":false,"parsesJson":true,"redacts":false,"concurrency":9,"models":[]}`),
  'a start that failed': frame(17, '{"code":"init_failed","message":"x"}'),
  'a model of another form': frame(31, '{"name":"m"}'),
  'a short reply': frame(18, Buffer.alloc(3)),
  'a reply of status 99': frame(18, Buffer.alloc(15)),
  'rows without a head': frame(28, Buffer.from([1, 0x61, 255, 0, 0, 0])),
  'counts of another form': frame(29, '[{"collection":"c","reason":"no reason","count":1}]'),
};

export function run(how: string) {
  if (how === 'fine') return 'fine';
  // Deeper than the host's own JSON.stringify goes.
  if (how === 'deep fields')
    return writeSync(3, frame(24, `{"level":"info","msg":"deep","fields":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}`));
  if (how === 'a child') spawnSync('sh', ['-c', 'printf abcdefghijk >&3'], { stdio: ['ignore', 'inherit', 'inherit', 3] });
  else if (how === 'no mark') ftruncateSync(4, 0);
  else if (how === 'a closed mark') closeSync(4);
  else writeSync(3, bytes[how] ?? frame(0, how));
  return new Promise(() => undefined);
}
