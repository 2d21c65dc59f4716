/** The head of a record: its type, its version, and the length of the rest. */
const RECORD_HEAD = 5;
const HANDSHAKE_RECORD = 0x16;
/** The head of a message of the handshake: its type, and the length of the rest. */
const MESSAGE_HEAD = 4;
const CLIENT_HELLO = 1;
/** Bytes of a first message with the heads of its records. Clients send 200 to 4,000. */
const LONGEST = 16 * 1024 + RECORD_HEAD;
/** Bytes of a first message before its session id: the head, the version, and a random number. */
const BEFORE_SESSION = MESSAGE_HEAD + 2 + 32;
const KEY_SHARE = 51;

/** What has come of a client's first message: RFC 8446, section 4.1.2. */
export class FirstMessage {
  bytes: Buffer = Buffer.alloc(0);
  /** What the whole records before `#at` hold. */
  #message: Buffer = Buffer.alloc(0);
  #at = 0;

  /** `whole`: in one record or several. `other`: it is no TLS, or too long. */
  add(piece: Buffer): 'part' | 'whole' | 'other' {
    this.bytes = this.bytes.length === 0 ? piece : Buffer.concat([this.bytes, piece]);
    while (this.bytes.length >= this.#at + RECORD_HEAD) {
      const record = this.bytes.readUInt16BE(this.#at + RECORD_HEAD - 2);
      const end = this.#at + RECORD_HEAD + record;
      if (this.bytes[this.#at] !== HANDSHAKE_RECORD || record === 0 || end > LONGEST) return 'other';
      if (this.bytes.length < end) return 'part';
      this.#message = Buffer.concat([this.#message, this.bytes.subarray(this.#at + RECORD_HEAD, end)]);
      this.#at = end;
      // OpenSSL refuses every other message at once.
      if (this.#message[0] !== CLIENT_HELLO) return 'whole';
      if (this.#message.length >= MESSAGE_HEAD && this.#message.length >= MESSAGE_HEAD + this.#message.readUIntBE(1, 3)) return 'whole';
    }
    return 'part';
  }

  /**
   * True if the client has a key for none of these groups. TLS 1.3 then asks for a second first
   * message, and only that one costs a signature.
   */
  comesAgain(groups: ReadonlySet<number>): boolean {
    const shares = this.#extension(KEY_SHARE);
    if (shares === undefined) return false;
    for (let at = 2; at + 4 <= shares.length; at += 4 + shares.readUInt16BE(at + 2)) if (groups.has(shares.readUInt16BE(at))) return false;
    return true;
  }

  /** Undefined if the message has none of this type, or is malformed. */
  #extension(type: number): Buffer | undefined {
    const { length } = this.#message;
    let at = BEFORE_SESSION;
    // Session id, ciphers and compression have a length each; the extensions have one together.
    for (const bytes of [1, 2, 1]) {
      if (at + bytes > length) return undefined;
      at += bytes + this.#message.readUIntBE(at, bytes);
    }
    at += 2;
    while (at + 4 <= length) {
      const end = at + 4 + this.#message.readUInt16BE(at + 2);
      if (this.#message.readUInt16BE(at) === type) return this.#message.subarray(at + 4, end);
      at = end;
    }
    return undefined;
  }
}
