/** Before the record's id. */
export const LINE_START = '{"specversion":"1.0","id":"';

/**
 * Parts that the lines of a collection share with their neighbours, encoded when they change. Why:
 * to encode a text costs several times as much as to copy its bytes.
 */
export class LineFrame {
  readonly #source: string;
  readonly #type: string;
  #contentType = '';
  #time = '';
  #opening = Buffer.alloc(0);
  #bytes: number | undefined;
  #attributes = '';
  #closing = Buffer.alloc(0);

  /** @param source JSON */
  constructor(source: string, collection: string) {
    this.#source = source;
    this.#type = `azureml.inference.${collection}`;
  }

  /** The part between the record's id and its data. @param time RFC 3339 */
  opening(contentType: string, time: string): Buffer {
    if (time !== this.#time || contentType !== this.#contentType) {
      this.#time = time;
      this.#contentType = contentType;
      this.#opening = Buffer.from(`","source":${this.#source},"type":"${this.#type}","datacontenttype":"${contentType}","time":"${time}"`);
    }
    return this.#opening;
  }

  /**
   * The part after the ids of the request.
   * @param bytes of the data; undefined where there is none
   * @param attributes JSON members, each with a comma before it
   * @param partial true where the data is the beginning of a body, whose length nobody knows. Its
   * attributes say so, too
   */
  closing(bytes: number | undefined, attributes: string, partial: boolean): Buffer {
    if (this.#closing.length === 0 || bytes !== this.#bytes || attributes !== this.#attributes) {
      this.#bytes = bytes;
      this.#attributes = attributes;
      const range = bytes === undefined ? '' : `,"contentrange":"bytes 0-${Math.max(0, bytes - 1)}/${partial ? '*' : bytes}"`;
      this.#closing = Buffer.from(`${range}${attributes}}\n`);
    }
    return this.#closing;
  }
}
