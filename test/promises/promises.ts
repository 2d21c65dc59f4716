import * as limits from './limits.ts';

/** A test that injects the fault of a promise. */
export interface Proof {
  /** The number and the condition. */
  readonly precisely: string;
  readonly file: string;
  /** The name of the test, as it is reported. */
  readonly test: string;
  /** Constants of the test file that `precisely` quotes. Those of limits.ts need no entry. */
  readonly constants?: Readonly<Record<string, number>>;
  /** A file beside the test that has its other numbers. */
  readonly numbersIn?: string;
}

const PROBES = 'test/promises/probes.test.ts';
const CONNECTIONS = 'test/promises/connections.test.ts';
const ROLLOUT = 'test/front/rollout.test.ts';
const DEADLINE = 'test/e2e/client-deadline.test.ts';
const thousands = (count: number): string => count.toLocaleString('en');
const quick = `p99 of probes is at most ${limits.PROBE_P99_MS} ms, or ${limits.PROBE_RATIO} times an idle server's`;

/** What the server promises, and where each part is proven. docs/promises.md shows it. */
export const promises: Readonly<Record<string, readonly Proof[]>> = {
  'Exactly one answer': [
    {
      precisely: 'a killed worker: its requests get 503, all others 200; none of 32 connections is reset',
      file: 'test/faults/losses.test.ts',
      test: 'SIGKILL: what was sent is answered, and no connection is reset',
      constants: { CONNECTIONS: 32 },
    },
    {
      precisely: 'a worker in an endless loop: 504 at the deadline, 503 for what it held',
      file: 'test/faults/losses.test.ts',
      test: 'an endless loop: what was sent is answered, and no connection is reset',
    },
    {
      precisely: 'a script that writes to the pipe: 503, and a new worker',
      file: 'test/faults/pipe.test.ts',
      test: 'bytes on fd 3 that are no frames end their worker at once: its requests get 503, and it is replaced',
    },
    {
      precisely: 'replacements that fail: waiting requests get 503 before the server exits',
      file: 'test/faults/replacements.test.ts',
      test: 'requests that wait when replacements keep failing get their 503 before the server ends, and each attempt is in the log',
    },
    {
      precisely: 'SIGTERM: admitted requests finish; the exit code is 0',
      file: 'test/e2e/draining.test.ts',
      test: 'SIGTERM: readiness is 503 at once, scoring goes on through the delay, admitted requests finish, exit 0',
    },
    {
      precisely: 'SIGTERM: an upload that has begun is read to its end and answered',
      file: 'test/e2e/draining.test.ts',
      test: 'a body that is still being uploaded when the signal comes is read to its end and answered',
    },
    {
      precisely: 'random requests and losses on 32 connections: each request has one end, none is reset',
      file: 'test/faults/soak.test.ts',
      test: 'random requests and random losses of workers leave every request one end, and the host as it was',
      numbersIn: 'test/soak/soak.ts',
    },
  ],
  'Zero-loss rollout': [
    {
      precisely: 'behind nginx, no request of undici, Python requests, Go and curl fails',
      file: ROLLOUT,
      test: 'behind nginx loses no request, under load and on idle connections',
    },
    {
      precisely: 'behind HAProxy, the same',
      file: ROLLOUT,
      test: 'behind haproxy loses no request, under load and on idle connections',
    },
    {
      precisely: 'behind a Service of Kubernetes, the same',
      file: ROLLOUT,
      test: 'behind a Service, which hands on whole connections loses no request, under load and on idle connections',
    },
    {
      precisely: 'a worker that exits between two requests: none is lost',
      file: ROLLOUT,
      test: 'that ends while no request runs loses none',
    },
    {
      precisely: 'a worker that is killed under load: 503 with `Retry-After` for what it held, no reset',
      file: ROLLOUT,
      test: 'of 1 that ends under load costs what it held: 503 with Retry-After, and no connection',
    },
    {
      precisely: 'each new connection is refused or answered; at most one is reset, by the kernel',
      file: 'test/abuse/closing.test.ts',
      test: 'under SIGTERM each new connection is refused, or gets its answer: at most one is reset, by the kernel',
    },
    {
      precisely: 'requests on idle connections after the listener has stopped get 200 with `Connection: close`',
      file: 'test/abuse/closing.test.ts',
      test: 'requests on idle and silent connections after the listener has stopped are answered with Connection: close',
    },
  ],
  'True and quick probes': [
    { precisely: quick, file: PROBES, test: 'probes are true and quick beside more requests than workers and queue take' },
    { precisely: quick, file: PROBES, test: 'probes are true and quick beside runs of a script in Python that hold the GIL' },
    {
      precisely: `p99 is at most ${limits.UPLOADS_P99_MS} ms, beside bodies of 30 MB at full speed and 50 slow ones`,
      file: PROBES,
      test: 'probes are true and quick beside large uploads and slow ones',
    },
    {
      precisely: `p99 is at most ${limits.CHUNKS_P99_MS} ms, or on a slower machine ${limits.CHUNKS_BARE_SHARE} times a bare \`node:http\` server's`,
      file: PROBES,
      test: 'probes are true and quick beside uploads in chunks of one byte',
    },
    { precisely: quick, file: PROBES, test: 'probes are true and quick beside log floods of a script' },
    { precisely: quick, file: PROBES, test: 'probes are true and quick beside scrapes of /metrics' },
    { precisely: `${quick}, on the plain health port`, file: PROBES, test: 'probes are true and quick beside handshakes of TLS' },
    { precisely: quick, file: PROBES, test: 'probes are true and quick beside broken clients' },
    {
      precisely: 'a host that blocks for 20 ms fails this measurement',
      file: PROBES,
      test: 'the measurement of probes finds a host that blocks for 20 ms',
    },
    {
      precisely: `503 at most ${limits.TRUTH_MS} ms after the only worker is killed, 200 with its replacement`,
      file: PROBES,
      test: 'readiness reports the loss of the only worker and its replacement, under saturation',
    },
    {
      precisely: 'the deep check finds a script that fails later',
      file: 'test/e2e/deep-check.test.ts',
      test: 'finds a script that fails later, and tells apart how; then it succeeds again',
    },
    {
      precisely: 'a database that is away: readiness is 503, liveness 200',
      file: 'test/faults/replacements.test.ts',
      test: 'a database that is away for a while delays requests only, and probes report it',
    },
  ],
  "A client's own deadline": [
    {
      precisely: 'shortens SCORING_TIMEOUT_MS and never lengthens it, over HTTP and gRPC',
      file: DEADLINE,
      test: 'never lengthens SCORING_TIMEOUT_MS, over HTTP and over gRPC, and its absence is no limit beyond that',
    },
    {
      precisely: 'a deadline and an answer in one turn: the client gets exactly one of both',
      file: 'test/http/client-deadline.test.ts',
      test: 'that passes in the turn of the answer gives exactly one of both',
    },
    {
      precisely: 'a queued request is never run after its deadline',
      file: DEADLINE,
      test: 'takes a request out of the queue at once, so that a full queue is free again, and none of it runs',
    },
  ],
  'Honest overload': [
    {
      precisely:
        `at ${limits.OVERLOAD} times the capacity, good answers stay at ${limits.GOODPUT} of it; ` +
        `429 in ${limits.REFUSAL_P99_MS} ms (p99)`,
      file: 'test/promises/overload.test.ts',
      test: 'ten times the capacity: as many good answers as before, the rest are 429 at once, and nothing grows',
    },
    {
      precisely: `at most ${limits.OVERLOAD_MB} MB more; no 5xx, no reset; p99 is back within ${limits.RECOVERED_RATIO} times`,
      file: 'test/promises/overload.test.ts',
      test: 'ten times the capacity: as many good answers as before, the rest are 429 at once, and nothing grows',
    },
  ],
  'Broken clients cost nothing': [
    {
      precisely:
        `${limits.BROKEN_PER_SECOND} a second: no failed answer; throughput at least ${limits.BESIDE_BROKEN}, ` +
        `p99 at most ${limits.BROKEN_P99_RATIO} times`,
      file: 'test/promises/broken.test.ts',
      test: 'broken clients, hundreds a second, cost a good client no answer and little time',
    },
    {
      precisely: `at most ${limits.BROKEN_MB} MB more after thousands`,
      file: 'test/promises/broken.test.ts',
      test: 'broken clients, hundreds a second, cost a good client no answer and little time',
    },
    {
      precisely: 'random bytes on each port leave the server alive and nothing in flight',
      file: 'test/abuse/connections.test.ts',
      test: 'thousands of connections with random bytes on each port leave the server alive, nothing in flight and no memory taken',
    },
    {
      precisely: 'clients that do not read are cut off; others get their answers',
      file: 'test/faults/memory.test.ts',
      test: 'clients that do not read their answers take no more memory of the host than its limit, and no answer of others',
    },
    {
      precisely: 'large uploads get 429, small bodies never',
      file: 'test/abuse/uploads.test.ts',
      test: 'large uploads end each other with 429, never small bodies, and leave nothing behind',
    },
    {
      precisely: '1,500 broken HTTP/2 connections',
      file: 'test/abuse/grpc.test.ts',
      test: '1,500 connections without gRPC, or with broken gRPC, leave the server as it was',
    },
  ],
  'Thousands of connections': [
    {
      precisely:
        `${thousands(limits.IDLE_CONNECTIONS)} idle: at most ${limits.CONNECTION_KB} KB each; ` +
        `${limits.IDLE_CLOSED_MS} ms from SIGTERM to the exit`,
      file: CONNECTIONS,
      test: 'ten thousand idle connections cost little memory, delay nobody, and end in order with a drain',
    },
    {
      precisely: 'those that reach KEEP_ALIVE_TIMEOUT_MS end in order, none with a reset',
      file: CONNECTIONS,
      test: 'ten thousand idle connections end in order with their time, and the server serves on',
    },
    {
      precisely: 'beyond open files less 48 they are closed without an answer; workers are still replaced',
      file: CONNECTIONS,
      test: 'connections beyond the limit are closed without an answer, those below it serve, and a lost worker is replaced',
    },
  ],
  'Bounded memory': [
    {
      precisely: 'a body of 100 MB costs the host at most 2.5 times its size',
      file: 'test/e2e/memory.test.ts',
      test: 'a body of 100 MB costs the host at most 2.5 times its size, and nothing afterwards',
      constants: { LARGEST_COST: 2.5 },
    },
    {
      precisely: 'random abuse: the host grows by less than 120 MB',
      file: 'test/faults/soak.test.ts',
      test: 'random requests and random losses of workers leave every request one end, and the host as it was',
      numbersIn: 'test/soak/check.ts',
    },
    {
      precisely: 'a worker that keeps memory is replaced before the kernel kills',
      file: 'test/faults/memory.test.ts',
      test: 'a script that keeps memory, outside the heap or in it, is replaced before the kernel kills, again and again',
    },
    {
      precisely: 'a sink that is away costs no more than its limits',
      file: 'test/collection/memory.test.ts',
      test: 'a server survives an outage of its sink, with a spool at its limit, under many small requests',
    },
  ],
  'Secrets stay inside': [
    {
      precisely: 'planted values of each secret option are in no line, answer, metric or record',
      file: 'test/e2e/secrets.test.ts',
      test: 'nothing that the server writes shows a secret: MDC_HTTP_URL is an address',
    },
    {
      precisely: 'a script gets no variable of a secret option',
      file: 'test/e2e/script-environment.test.ts',
      test: 'a script gets no variable of a secret option, and all the others',
    },
    {
      precisely: 'a worker holds no socket and no file of the host',
      file: 'test/e2e/script-environment.test.ts',
      test: 'a worker, and what its script starts, hold no socket, log, spool or file of the host',
    },
    {
      precisely: 'keys are in no log line, metric, error, record or answer',
      file: 'test/e2e/keys.test.ts',
      test: 'a key is in no log line, metric, error, record, help text or answer',
    },
    {
      precisely: 'tokens reach no script, record or span',
      file: 'test/e2e/tokens.test.ts',
      test: 'no script, record or span gets a token',
    },
  ],
  'Nobody gets in': [
    {
      precisely: 'keys rotate under load; no request fails',
      file: 'test/e2e/keys.test.ts',
      test: 'keys rotate under load without a failed request: a Secret of Kubernetes changes its links',
    },
    {
      precisely: 'a wrong or lost file of keys leaves the keys as they are',
      file: 'test/e2e/keys.test.ts',
      test: 'a file of keys that becomes wrong or is lost leaves the keys as they are',
    },
    {
      precisely: 'certificates change under load; no connection is lost',
      file: 'test/e2e/tls.test.ts',
      test: 'while the certificate changes: by a write, by a rename, by a link',
    },
    {
      precisely: 'a request whose end is ambiguous reaches no other client, behind nginx and HAProxy',
      file: 'test/front/smuggling.test.ts',
      test: 'runs as often as the proxy means it, and reaches no other client, sent in one packet',
    },
    {
      precisely: 'a thousand unfinished handshakes are closed; others are served',
      file: 'test/abuse/tls.test.ts',
      test: 'closes a thousand clients that do not finish their handshake, and serves others meanwhile',
    },
    {
      precisely: 'TLS 1.2 and 1.3 only, with modern ciphers',
      file: 'test/e2e/tls.test.ts',
      test: 'gets TLS 1.2 and 1.3 with modern ciphers only: ECDSA',
    },
  ],
};
