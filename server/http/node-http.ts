/**
 * The part of `node:http` that this room uses. An `import` would run the getters of all its
 * exports, and so load the whole fetch client: 37 ms of every start (measured, Node 24).
 */
export const { createServer, METHODS, STATUS_CODES } = process.getBuiltinModule('node:http');
