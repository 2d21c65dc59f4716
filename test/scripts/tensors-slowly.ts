import { setTimeout } from 'node:timers/promises';
export function init() {}
export const run = async () => {
  console.log('the call is under way');
  await setTimeout(1000);
  return { done: [true] };
};
