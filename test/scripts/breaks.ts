// Ways to break a worker by a request.
const kept: unknown[] = [];
export function init() {}
export function run(how: unknown): unknown {
  switch (how) {
    case 'abort':
      process.abort();
      break;
    case 'exit':
      process.exit(7);
      break;
    case 'loop':
      for (;;);
    case 'promise':
      return new Promise(() => undefined);
    case 'heap':
      for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
    case 'rejection':
      void Promise.reject(new Error('nobody listens'));
      return Promise.reject(new Error('run failed'));
    case 'throw':
      setTimeout(() => {
        throw new Error('nobody catches');
      });
      return 'fine';
    default:
      return how;
  }
}
