/* oxlint-disable typescript/unbound-method -- none of the statics asks for `this`; the methods are used by `call` */
/**
 * What the server's side of a worker needs of the language and of Node, captured before a script is loaded. Scripts share the process:
 * they and their packages replace `JSON.stringify`, or patch `Buffer`, for their own data.
 */
export const { parse, stringify } = JSON;
export const { allocUnsafeSlow, byteLength, from: bufferFrom } = Buffer;
export const { write: writeText } = Buffer.prototype;
export const subarray: (this: Uint8Array, from?: number, to?: number) => Buffer = Buffer.prototype.subarray;
export const { set: setBytes } = Uint8Array.prototype;
export const { toString: tagOf } = Object.prototype;
