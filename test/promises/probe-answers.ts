/** Paths of probes, and what a server answers that is ready and live. */
export const RIGHT = {
  '/health/ready': '{"ready":true}',
  '/health/live': '{"live":true}',
  '/': 'Healthy',
} as const;

export type ProbePath = keyof typeof RIGHT;
export const PATHS = ['/health/ready', '/health/live', '/'] as const satisfies readonly ProbePath[];
