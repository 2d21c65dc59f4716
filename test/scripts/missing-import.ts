import { nothing } from 'no-such-package';
export function init() {}
export const run = () => nothing;
