export function init() {}
export const run = async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return process.pid;
};
