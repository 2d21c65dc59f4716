/* oxlint-disable typescript/unbound-method -- none of the statics asks for `this`; the methods are used by `call` */
/**
 * Built-ins for the server's side of a worker, captured before a script is loaded. Why: scripts
 * share the process, and they or their packages may replace `JSON.stringify`, or patch `Buffer`.
 */
export const { parse, stringify } = JSON;
export const { allocUnsafeSlow, byteLength, from: bufferFrom } = Buffer;
export const { write: writeText } = Buffer.prototype;
export const subarray: (this: Uint8Array, from?: number, to?: number) => Buffer = Buffer.prototype.subarray;
export const { set: setBytes } = Uint8Array.prototype;
export const { toString: tagOf } = Object.prototype;
