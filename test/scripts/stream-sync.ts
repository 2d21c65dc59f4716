export function init() {}
export function* run(count: number) {
  for (let index = 0; index < count; index++) yield `${index}\n`;
}
