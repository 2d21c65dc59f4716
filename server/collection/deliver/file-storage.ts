import { open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Taken, type Appendable, type Storage } from './append-sink.ts';
import type { Payload } from '../encode/block.ts';
import { makeFolderLater } from '../../system/make-folder.ts';
import type { FileRoom } from './file-room.ts';
import { SinkError } from './sink.ts';

/** The `file` sink: a folder or a mounted volume. */
export class FileStorage implements Storage {
  readonly name = 'file';
  readonly #root: string;
  readonly #room: FileRoom | undefined;

  /**
   * @param root absolute
   * @param room undefined: files are never removed
   */
  constructor(root: string, room?: FileRoom) {
    this.#root = root;
    this.#room = room;
  }

  reference(name: string): string {
    return join(this.#root, name);
  }

  async create(name: string): Promise<Appendable | undefined> {
    const path = this.reference(name);
    try {
      await makeFolderLater(dirname(path));
      return new OpenFile(path, await open(path, 'wx'), this.#room);
    } catch (thrown) {
      if (codeOf(thrown) === 'EEXIST') return undefined;
      throw fileError(path, thrown);
    }
  }

  async put({ name, body }: Payload): Promise<void> {
    const path = this.reference(name);
    try {
      await this.#room?.make(body.length, path);
      await makeFolderLater(dirname(path));
      // The rename makes the file appear whole.
      await writeFile(`${path}.part`, body);
      await rename(`${path}.part`, path);
    } catch (thrown) {
      // What a full disk took is room for others.
      await rm(`${path}.part`, { force: true }).catch(() => undefined);
      throw fileError(path, thrown);
    }
  }
}

class OpenFile implements Appendable {
  offset = 0;
  blocks = 0;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #room: FileRoom | undefined;
  #abandoned = false;

  constructor(path: string, file: FileHandle, room: FileRoom | undefined) {
    this.#path = path;
    this.#file = file;
    this.#room = room;
    room?.opened(path, this);
  }

  /** Writes at a position, so that a retry overwrites the part that a full disk took. */
  async append(pieces: readonly Buffer[]): Promise<void> {
    if (this.#abandoned) throw new Taken(`${this.#path} was removed to make room`);
    await this.#room?.make(
      pieces.reduce((sum, { length }) => sum + length, 0),
      this.#path,
    );
    let end = this.offset;
    try {
      for (const piece of pieces) {
        for (let written = 0; written < piece.length;) {
          const { bytesWritten } = await this.#file.write(piece, written, piece.length - written, end);
          written += bytesWritten;
          end += bytesWritten;
        }
      }
      const { nlink } = await this.#file.stat();
      if (nlink === 0) throw new Taken(`${this.#path} was deleted`);
    } catch (thrown) {
      if (thrown instanceof Taken) throw thrown;
      // A network volume answers ESTALE for a file that another host deleted.
      if (codeOf(thrown) === 'ESTALE') throw new Taken(`${this.#path} is not there any more`, { cause: thrown });
      // Readers must see whole lines only.
      await this.#file.truncate(this.offset).catch(() => undefined);
      throw fileError(this.#path, thrown);
    }
    this.offset = end;
    this.blocks++;
  }

  /** The room has removed it. */
  async abandon(): Promise<void> {
    this.#abandoned = true;
    await this.close();
  }

  async close(): Promise<void> {
    this.#room?.closed(this.#path);
    await this.#file.close().catch(() => undefined);
  }
}

/** Always retriable, because an operator can mend a folder while the server runs. */
function fileError(path: string, cause: unknown): SinkError {
  return new SinkError(codeOf(cause), `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}

const codeOf = (thrown: unknown): string => (thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown');
