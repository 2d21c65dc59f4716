import type { ProxyVariables } from '../../config/proxies.ts';
import type { CollectionSettings, SinkSettings } from '../settings.ts';
import { AppendSink, ROLL } from './append-sink.ts';
import { azuremlPost } from './azureml-post.ts';
import { PostSink, type Format } from './event-sinks.ts';
import { FileRoom, type Removed } from './file-room.ts';
import { FileStorage } from './file-storage.ts';
import { makeFolderLater } from '../../system/make-folder.ts';
import { httpFormats } from './http-formats.ts';
import { sharedAccess } from './shared-access.ts';
import { SinkError, type Sink } from './sink.ts';
import { StdoutSink, type Stdout } from './stdout-sink.ts';

/** What sinks get from the writer's thread. */
interface Surroundings {
  readonly stdout: Stdout;
  /** Old files were removed for newer ones. */
  readonly removed: (removed: Removed) => void;
  readonly warn: (text: string) => void;
  readonly proxies: ProxyVariables;
  /** Name of this process, in the names of its files. */
  readonly instance: string;
}

/**
 * Makes the sink. One that cannot be made never stops the server: a sink that always fails takes
 * its place.
 */
export async function openSink(settings: CollectionSettings, around: Surroundings): Promise<Sink> {
  try {
    return await open(settings.sink, around);
  } catch (thrown) {
    const error = new SinkError('settings', messageOf(thrown), { cause: thrown });
    return {
      name: settings.sink.kind,
      appends: true,
      largestInline: Infinity,
      reference: (name) => name,
      write: () => Promise.reject(error),
      close: () => Promise.resolve(),
    };
  }
}

const AZUREML: Format = { events: 1, bytes: Infinity, largestData: Infinity, around: ['', ''], post: azuremlPost };

/** Loads packages only for the sink that uses them. */
async function open(sink: SinkSettings, { stdout, removed, warn, proxies, instance }: Surroundings): Promise<Sink> {
  switch (sink.kind) {
    case 'file': {
      // A folder that cannot be used is told at the start. Nothing waits for it: a volume may hang.
      void makeFolderLater(sink.dir).catch((thrown: unknown) => warn(`MDC_DIR: ${sink.dir} cannot be used: ${messageOf(thrown)}`));
      if (sink.maxBytes === 0) return new AppendSink(new FileStorage(sink.dir));
      const room = new FileRoom({ root: sink.dir, maxBytes: sink.maxBytes, instance, removed });
      return new AppendSink(new FileStorage(sink.dir, room), { ...ROLL, bytes: Math.min(ROLL.bytes, room.fileBytes) });
    }
    case 'azure-blob': {
      const { openBlobStorage } = await import('./blob-storage.ts');
      return new AppendSink(await openBlobStorage(sink));
    }
    case 'azureml':
      return new PostSink(sink.kind, { url: sink.url, headers: () => ({}), proxies }, AZUREML);
    case 'http': {
      const { url, headers, access, format } = sink;
      const token = access && sharedAccess(access);
      return new PostSink(sink.kind, { url, headers: () => ({ ...token?.(), ...headers }), proxies }, httpFormats[format]);
    }
    case 'stdout':
      return new StdoutSink(stdout);
    default:
      return sink satisfies never;
  }
}

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
