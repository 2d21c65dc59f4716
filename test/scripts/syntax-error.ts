export function init() {}
export function run(data: number) {
  return data +* 2;
}
