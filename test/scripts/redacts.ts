import type { RedactInfo } from 'scoring-server';

interface Data {
  readonly die?: boolean;
  readonly name?: string;
  readonly secret?: string;
  readonly broken?: boolean;
  readonly hang?: boolean;
  readonly loop?: boolean;
  /** The hook ends the process. */
  readonly exit?: boolean;
}

export const init = (): void => {};
export const run = (data: Data): unknown => {
  if (data.die) process.exit(7);
  return { hello: data.name, secret: 'of the answer' };
};

export function redact(body: Data, { collection }: RedactInfo): unknown {
  if (typeof body !== 'object') throw new Error(`expected an object, got ${String(body)}`);
  if (body.exit) process.exit(9);
  if (body.hang) return new Promise(() => {});
  if (body.broken) throw new Error(`cannot redact ${body.secret}`);
  while (body.loop) Math.random();
  if (body.name === 'nobody') return undefined;
  return { ...body, secret: collection };
}
