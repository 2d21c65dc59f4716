// Packages do such things for their own data; the server's own words must not go through them.
interface Context {
  log: { info(message: unknown, fields?: unknown): void };
  metrics: { gauge(name: string, help: string, options?: unknown): { add(by: number): void } };
}
let context: Context;
export function init(given: Context) {
  context = given;
  const { stringify } = JSON;
  JSON.stringify = ((value: unknown) => (typeof value === 'object' ? 'replaced' : stringify(value))) as typeof stringify;
  JSON.parse = () => {
    throw new Error('replaced');
  };
  Object.defineProperty(Object.prototype, 'toJSON', { value: () => 'object', configurable: true, writable: true });
  Object.defineProperty(Array.prototype, 'toJSON', { value: () => 'array', configurable: true, writable: true });
  Buffer.byteLength = () => 0;
  Buffer.from = (() => new Uint8Array(0)) as unknown as typeof Buffer.from;
  Buffer.prototype.write = () => 0;
  Buffer.prototype.writeUInt32LE = () => 0;
  Buffer.prototype.subarray = () => Buffer.alloc(0);
}
export function run(how: string) {
  if (how === 'throw') throw new Error('thrown by the script');
  if (how === 'log') context.log.info('a line', { at: new Date(0), list: [1] });
  if (how === 'odd log') context.log.info(Symbol('a symbol'), 'no object');
  if (how === 'metric') {
    const gauge = context.metrics.gauge('overflows', 'grows beyond all numbers');
    gauge.add(1.7e308);
    gauge.add(1.7e308);
  }
  return how;
}
