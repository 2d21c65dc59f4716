import { BasicCorrelationContext, Collector, ModelDataCollector, type InitContext, type RequestContext } from 'scoring-server';
// Lists every member of every object that a script is handed, and calls each function by itself.
const roots: Record<string, unknown> = {
  correlation: new BasicCorrelationContext(),
  collector: new Collector({ name: 'model_inputs' }),
  modelDataCollector: new ModelDataCollector('m'),
};
export async function init(context: InitContext) {
  const { metrics } = context;
  Object.assign(roots, {
    context,
    model: await context.openModel(),
    counter: metrics.counter('a_total', 'a'),
    gauge: metrics.gauge('b', 'b'),
    histogram: metrics.histogram('c', 'c'),
  });
}
export const redact = (body: unknown, info: object) => {
  roots['redactInfo'] = info;
  return body;
};
export async function run(_data: unknown, request: RequestContext) {
  const lists: Record<string, string[]> = {};
  const broken: string[] = [];
  for (const [name, value] of Object.entries({ ...roots, request })) await walk(name, value as object, lists, broken);
  return { lists, broken };
}
async function walk(path: string, object: object, lists: Record<string, string[]>, broken: string[]) {
  lists[path] = membersOf(object);
  for (const name of lists[path]) {
    const member = (object as Record<string, unknown>)[name];
    if (name === 'log' || name === 'metrics') await walk(`${path}.${name}`, member as object, lists, broken);
    if (typeof member !== 'function') continue;
    try {
      await member();
    } catch (thrown) {
      // Wrong arguments are fine, a missing `this` is not.
      if (/private|of undefined|receiver/i.test(String(thrown))) broken.push(`${path}.${name}: ${thrown}`);
    }
  }
}
function membersOf(object: object): string[] {
  const found = new Set<string>();
  for (let at = object; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const name of Object.getOwnPropertyNames(at)) if (name !== 'constructor') found.add(name);
  return [...found].sort();
}
