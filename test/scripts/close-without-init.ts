export function init() {
  throw new Error('no licence');
}
export const run = () => 1;
export const close = () => console.log('close() begins');
