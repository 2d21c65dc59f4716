export function init() {}
export async function run() {
  console.log('said %s', 'before');
  await new Promise(setImmediate);
  console.warn({ warned: 'after' });
  console.table([{ column: 1 }]);
  process.stdout.write('past the console\n');
  return 'done';
}
