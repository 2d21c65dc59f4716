/** A text with blanks, in UTF-8: what many texts share is encoded once. */
export interface Form {
  /** What comes before a blank, and which value fills it. */
  readonly parts: readonly { readonly before: Buffer; readonly value: number }[];
  readonly end: Buffer;
}

/** A form and what goes into its blanks. */
export interface FilledForm {
  readonly form: Form;
  readonly values: readonly string[];
}

/** Makes a form of a text: each match of `blank` is one, and its first group says which value fills it. */
export function makeForm(text: string, blank: RegExp): Form {
  const pieces = text.split(blank);
  const parts: Form['parts'][number][] = [];
  for (let at = 0; at + 1 < pieces.length; at += 2) parts.push({ before: Buffer.from(pieces[at] ?? ''), value: Number(pieces[at + 1]) });
  return { parts, end: Buffer.from(pieces.at(-1) ?? '') };
}

const LONGEST_CHARACTER = 3;
const FIRST_LENGTH = 1024 * 1024;
const LINE_END = 0x0a;

/** Writes filled forms as lines, in memory that it keeps: strings in between cost twice as much, and the garbage collector as much again. */
export class FormWriter {
  #buffer = Buffer.allocUnsafeSlow(FIRST_LENGTH);

  /** @returns a view of memory that the next call overwrites; the last line does not end */
  lines(forms: readonly FilledForm[]): Buffer {
    let at = 0;
    for (const filled of forms) {
      this.#makeRoom(at + longest(filled));
      at = this.#write(filled, at);
    }
    return this.#buffer.subarray(0, Math.max(0, at - 1));
  }

  #write({ form: { parts, end }, values }: FilledForm, start: number): number {
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

/** Bytes of a line at most. */
function longest({ form: { parts, end }, values }: FilledForm): number {
  let length = end.length + 1;
  for (const { before, value } of parts) length += before.length + LONGEST_CHARACTER * (values[value]?.length ?? 0);
  return length;
}
