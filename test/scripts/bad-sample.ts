export const sample = 1;
export function init() {}
export function run(data: number) {
  if (data < 2) throw new Error('too small');
  return data;
}
