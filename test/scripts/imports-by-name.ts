import { answer } from 'shared-code';
export function init() {}
export const run = () => answer;
