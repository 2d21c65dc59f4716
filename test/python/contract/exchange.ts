import { request, type IncomingMessage } from 'node:http';

/** A request as a case writes it. Without a method: POST where it has a body, else GET. */
export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
  /** In place of the body: sent with `Transfer-Encoding: chunked`. */
  readonly chunks?: readonly string[];
}

export interface Answer {
  readonly status: number;
  /** Names in lower case and values, in the order of the wire. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
}

/** Sends a request on a connection of its own. Resolves to undefined if it ends unanswered. */
export async function exchange(port: number, call: Call): Promise<Answer | undefined> {
  const hasBody = call.body !== undefined || call.chunks !== undefined;
  const sent = request({
    host: '127.0.0.1',
    port,
    agent: false,
    method: call.method ?? (hasBody ? 'POST' : 'GET'),
    path: call.path ?? '/score',
    headers: { ...call.headers, ...(call.chunks === undefined ? {} : { 'transfer-encoding': 'chunked' }) },
  });
  const answered = new Promise<IncomingMessage | undefined>((resolve) => {
    sent.once('response', resolve).once('error', () => resolve(undefined));
  });
  for (const chunk of call.chunks ?? []) sent.write(chunk);
  sent.end(call.body);
  const answer = await answered;
  if (answer === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode ?? 0, headers: pairs(answer.rawHeaders), body: Buffer.concat(chunks) };
}

function pairs(raw: readonly string[]): [string, string][] {
  const names = raw.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name.toLowerCase(), raw[index * 2 + 1] ?? '']);
}
