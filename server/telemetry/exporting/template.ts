/** A text with blanks, in UTF-8. Parts that many texts share are encoded once. */
export interface Template {
  /** Bytes before each blank, and the index of the value that fills it. */
  readonly parts: readonly { readonly before: Buffer; readonly value: number }[];
  readonly end: Buffer;
}

/** A template and the values for its blanks. */
export interface FilledTemplate {
  readonly template: Template;
  readonly values: readonly string[];
}

/**
 * Makes a template of a text. Each match of `blank` is a blank, and its first group is the index of
 * the value that fills it.
 */
export function makeTemplate(text: string, blank: RegExp): Template {
  const pieces = text.split(blank);
  const parts: Template['parts'][number][] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) parts.push({ before: Buffer.from(pieces[at] ?? ''), value: Number(pieces[at + 1]) });
  return { parts, end: Buffer.from(pieces.at(-1) ?? '') };
}

/** Bytes of UTF-8 for each unit of a string, at most. */
const LONGEST_CHARACTER = 3;
const FIRST_LENGTH = 1024 * 1024;
const LINE_END = 0x0a;

/**
 * Writes filled templates as lines into memory that it keeps. Why: intermediate strings cost twice
 * as much CPU, and as much again in garbage collection.
 */
export class TemplateWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_LENGTH);

  /** @returns a view of memory that the next call overwrites; the last line has no line end */
  lines(all: readonly FilledTemplate[]): Buffer {
    let at = 0;
    for (const filled of all) {
      this.#makeRoom(at + longest(filled));
      at = this.#write(filled, at);
    }
    return this.#buffer.subarray(0, Math.max(0, at - 1));
  }

  #write({ template: { parts, end }, values }: FilledTemplate, start: number): number {
    const buffer = this.#buffer;
    let at = start;
    for (const { before, value } of parts) {
      buffer.set(before, at);
      at += before.length;
      at += buffer.write(values[value] ?? '', at);
    }
    buffer.set(end, at);
    buffer[at + end.length] = LINE_END;
    return at + end.length + 1;
  }

  #makeRoom(length: number): void {
    if (length <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * length);
    larger.set(this.#buffer);
    this.#buffer = larger;
  }
}

/** Upper bound of a line's bytes. */
function longest({ template: { parts, end }, values }: FilledTemplate): number {
  let length = end.length + 1;
  for (const { before, value } of parts) length += before.length + LONGEST_CHARACTER * (values[value]?.length ?? 0);
  return length;
}
