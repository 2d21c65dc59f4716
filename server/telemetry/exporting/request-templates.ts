import { randomUUID } from 'node:crypto';
import { newSpanId } from '../../request/request-ids.ts';
import { HEAD_BITS, readHead, readRequestLine, TEXTS, type RequestHead } from './request-line.ts';
import { makeTemplate, type FilledTemplate, type Template } from './template.ts';

const LONGEST_US = 24 * 3_600_000_000 - 1;

/** Texts that differ between two requests with the same head. Optional ones come last. */
const BLANKS = ['time', 'duration', 'preciseDuration', ...TEXTS] as const;
type Blank = (typeof BLANKS)[number];
/** A mark for each text of an envelope; optional texts that the request lacks have none. */
export type Blanks = Readonly<Record<Exclude<Blank, keyof typeof HEAD_BITS>, string> & Partial<Record<keyof typeof HEAD_BITS, string>>>;
const SPAN_ID = BLANKS.indexOf('spanId');

/** Makes the envelope of a request that contains these texts, each as a string of its own. */
type MakeEnvelope = (head: RequestHead, texts: Blanks) => object;

/**
 * Envelopes of requests. The first request of each head is made as an object, with a mark in place
 * of each text that differs. Its JSON is cut at the marks into a template, which further requests
 * fill. Why: to make and write an object takes several times as long.
 */
export class RequestTemplates {
  readonly #make: MakeEnvelope;
  /** By head. Routes, methods and statuses are few. */
  readonly #templates = new Map<string, Template>();
  readonly #mark = randomUUID();
  #second = { at: 0, text: '' };

  constructor(make: MakeEnvelope) {
    this.#make = make;
  }

  /** @param line see `writeRequestLine` */
  fill(line: string): FilledTemplate {
    const { head, at, us, texts } = readRequestLine(line);
    const template = this.#templates.get(head) ?? this.#template(head);
    const limited = Math.min(us, LONGEST_US);
    const seconds = limited < 1_000_000 ? '00:00:00' : new Date(limited / 1000).toISOString().slice(11, 19);
    const decimals = String(1_000_000 + (limited % 1_000_000));
    // The wire format has seven decimals.
    const values = [this.#time(at), `"${seconds}.${decimals.slice(1, 4)}"`, `"${seconds}.${decimals.slice(1)}0"`, ...texts];
    if (values[SPAN_ID] === '') values[SPAN_ID] = `"${newSpanId()}"`;
    return { template, values };
  }

  /** As JSON. Requests of the same second share most of it. */
  #time(at: number): string {
    const second = Math.floor(at / 1000);
    if (second !== this.#second.at) this.#second = { at: second, text: `"${new Date(second * 1000).toISOString().slice(0, 20)}` };
    return `${this.#second.text}${String(1000 + at - second * 1000).slice(1)}Z"`;
  }

  #template(head: string): Template {
    const read = readHead(head);
    // A line leaves out the optional texts that its request lacks.
    const present = BLANKS.filter((blank) => !isOptional(blank) || (read.has & HEAD_BITS[blank]) !== 0);
    const marks: Partial<Record<Blank, string>> = Object.fromEntries(present.map((blank, value) => [blank, `${this.#mark}-${value}`]));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `present` has each blank that is not optional
    const envelope = this.#make(read, marks as Blanks);
    const template = makeTemplate(JSON.stringify(envelope), new RegExp(`"${this.#mark}-(\\d+)"`));
    // A copy, because a head that is a slice of a long text keeps the whole text in memory.
    this.#templates.set(Buffer.from(head).toString(), template);
    return template;
  }
}

const isOptional = (blank: Blank): blank is keyof typeof HEAD_BITS => blank in HEAD_BITS;
