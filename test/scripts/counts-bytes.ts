/** Says how long the body is. */
export const inputType = 'bytes';

export function init(): void {}

export const run = (data: Buffer): { bytes: number } => ({ bytes: data.length });
