import type { RedactInfo } from 'scoring-server';

export const init = (): void => {};
export const run = (data: { die?: boolean; name?: string }): unknown => {
  if (data.die) process.exit(7);
  return { hello: data.name, secret: 'of the answer' };
};

export function redact(body: { name?: string; secret?: string; broken?: boolean; hang?: boolean }, { collection }: RedactInfo): unknown {
  if (body.hang) return new Promise(() => {});
  if (body.broken) throw new Error('cannot');
  if (body.name === 'nobody') return undefined;
  return { ...body, secret: collection };
}
