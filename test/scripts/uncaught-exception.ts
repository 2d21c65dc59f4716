export function init() {}
export function run(data: unknown) {
  if (data === 'throw later')
    setTimeout(() => {
      throw new Error('out of reach');
    }, 1);
  return 'fine';
}
