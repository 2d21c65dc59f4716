import { randomUUID } from 'node:crypto';
import { newSpanId } from '../../request/request-ids.ts';
import { makeForm, type FilledForm, type Form } from './form.ts';
import { HEAD_BITS, readHead, readRequestLine, TEXTS, type RequestHead } from './request-line.ts';

const LONGEST_US = 24 * 3_600_000_000 - 1;

/** What differs between two requests with the same head. Those that a request need not have come last. */
const BLANKS = ['time', 'duration', 'preciseDuration', ...TEXTS] as const;
type Blank = (typeof BLANKS)[number];
export type Blanks = Readonly<Record<Blank, string>>;
const SPAN_ID = BLANKS.indexOf('spanId');

/** Makes the envelope of a request with these texts in it, each as a string of its own. */
type MakeEnvelope = (head: RequestHead, texts: Blanks) => object;

/**
 * Envelopes of requests. The first of each head is made as an object, with a mark in place of each text that differs, and cut at the
 * marks into a form, which the others fill: to make and write an object takes several times as long.
 */
export class RequestForms {
  readonly #make: MakeEnvelope;
  /** By head: routes, methods and statuses are few. */
  readonly #forms = new Map<string, Form>();
  readonly #mark = randomUUID();
  #second = { at: 0, text: '' };

  constructor(make: MakeEnvelope) {
    this.#make = make;
  }

  /** @param line see `writeRequestLine` */
  fill(line: string): FilledForm {
    const { head, at, us, texts } = readRequestLine(line);
    const form = this.#forms.get(head) ?? this.#form(head);
    const limited = Math.min(us, LONGEST_US);
    const seconds = limited < 1_000_000 ? '00:00:00' : new Date(limited / 1000).toISOString().slice(11, 19);
    const decimals = String(1_000_000 + (limited % 1_000_000));
    // The wire format has seven decimals.
    const values = [this.#time(at), `"${seconds}.${decimals.slice(1, 4)}"`, `"${seconds}.${decimals.slice(1)}0"`, ...texts];
    if (values[SPAN_ID] === '') values[SPAN_ID] = `"${newSpanId()}"`;
    return { form, values };
  }

  /** As JSON. Requests of the same second share most of it. */
  #time(at: number): string {
    const second = Math.floor(at / 1000);
    if (second !== this.#second.at) this.#second = { at: second, text: `"${new Date(second * 1000).toISOString().slice(0, 20)}` };
    return `${this.#second.text}${String(1000 + at - second * 1000).slice(1)}Z"`;
  }

  #form(head: string): Form {
    const read = readHead(head);
    // A line has no texts in place of those that its request lacks.
    const present = BLANKS.filter((blank) => !(blank in HEAD_BITS) || (read.has & HEAD_BITS[blank as keyof typeof HEAD_BITS]) !== 0);
    const marks = Object.fromEntries(present.map((blank, value) => [blank, `${this.#mark}-${value}`])) as Blanks;
    const form = makeForm(JSON.stringify(this.#make(read, marks)), new RegExp(`"${this.#mark}-(\\d+)"`));
    // A copy: a head that is cut out of a long text would keep all of that in memory.
    this.#forms.set(Buffer.from(head).toString(), form);
    return form;
  }
}
