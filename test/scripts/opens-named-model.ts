import type { InitContext } from 'scoring-server';

export async function init(context: InitContext): Promise<void> {
  await context.openModel(process.env['NAMED_MODEL']);
}

export const run = (): string => 'served';
