export const init = (): void => undefined;
export function run(data: unknown): unknown {
  console.log('scoring one');
  return data;
}
