export function init() {}
export function run(data) {
  return data +* 2;
}
