import type { Surroundings } from '../../server/config/platforms/platform.ts';

/** The surroundings of a start that no platform has made. */
export const NOWHERE: Surroundings = { argv: [], env: {}, cwd: '/', isFolder: () => false, namesIn: () => [] };
