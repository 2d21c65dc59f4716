import { EventEmitter, once } from 'node:events';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import type { Config } from '../../server/config/config.ts';
import type { GrpcLimits } from '../../server/grpc/limits.ts';
import { type GrpcListening, listenGrpc } from '../../server/grpc/listen.ts';
import { Lifecycle } from '../../server/lifecycle.ts';
import { Metrics } from '../../server/telemetry/metrics.ts';
import { FakeScorer } from '../http/fake-scorer.ts';
import { config, type LogLine } from '../http/start.ts';
import { GrpcClient } from './client.ts';

interface Started {
  readonly scorer: FakeScorer;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly listening: GrpcListening;
  readonly client: GrpcClient;
  readonly lines: LogLine[];
  /** Resolves with the first line, past or future, that the test accepts. */
  readonly line: (accepts: (line: LogLine) => boolean) => Promise<LogLine>;
}

/** The gRPC front door on a free port of 127.0.0.1, with a fake scorer, ready, and a client; closed after the test. */
export async function start(t: TestContext, changes: Partial<Config> = {}, limits: Partial<GrpcLimits> = {}): Promise<Started> {
  const lines: LogLine[] = [];
  const heard = new EventEmitter();
  const write = (text: string): void => {
    lines.push(JSON.parse(text) as LogLine);
    heard.emit('line');
  };
  const log = pino({ level: 'debug', base: null, formatters: { level: (level) => ({ level }) } }, { write });
  const line = async (accepts: (line: LogLine) => boolean): Promise<LogLine> => {
    for (;;) {
      const found = lines.find(accepts);
      if (found !== undefined) return found;
      await once(heard, 'line');
    }
  };
  const scorer = new FakeScorer();
  const lifecycle = new Lifecycle();
  lifecycle.to('ready');
  const metrics = new Metrics();
  const parts = { scorer, lifecycle, metrics, log, limits };
  const listening = await listenGrpc({ config: config({ grpcPort: 0, modelName: 'wine', ...changes }), ...parts });
  const client = new GrpcClient(listening.port);
  t.after(() => {
    client.close();
    listening.closeAll();
  });
  return { scorer, lifecycle, metrics, listening, client, lines, line };
}
