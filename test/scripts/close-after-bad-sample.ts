export const sample = 1;
export function init() {}
export function run() {
  throw new Error('no sample today');
}
export const close = () => console.log('close() begins');
