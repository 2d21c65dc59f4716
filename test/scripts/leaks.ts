/** Keeps as many megabytes as it is asked for, outside V8's heap or in it. */
const kept: unknown[] = [];

export function init(): void {
  kept.push(Buffer.alloc(Number(process.env['LEAK_AT_INIT'] ?? 0) * 2 ** 20, 1));
}

export function run({ buffers = 0, heap = 0 }: { buffers?: number; heap?: number }): number {
  kept.push(Buffer.alloc(buffers * 2 ** 20, 1));
  // Arrays of doubles: eight bytes each.
  for (let mb = 0; mb < heap; mb++) kept.push(Array.from({ length: 2 ** 17 }, (_, at) => at + 0.5));
  return kept.length;
}
