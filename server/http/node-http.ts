/**
 * What this room needs of `node:http`. An `import` of it would run the getters of everything that it re-exports, and so load the
 * whole fetch client: 37 ms of every start (measured, Node 24).
 */
export const { createServer, METHODS, STATUS_CODES } = process.getBuiltinModule('node:http');
