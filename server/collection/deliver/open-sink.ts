import { AppendSink, type RollLimits } from './append-sink.ts';
import { azuremlPost, cloudEventPost, PostSink, StdoutSink } from './event-sinks.ts';
import { FileStorage } from './file-storage.ts';
import type { CollectionSettings } from '../settings.ts';
import { SinkError, type Sink } from './sink.ts';

/** Makes the sink. One that cannot be made never stops the server: it is one that always fails. */
export async function openSink(settings: CollectionSettings, print: (text: string) => void, limits?: RollLimits): Promise<Sink> {
  try {
    return await open(settings, print, limits);
  } catch (thrown) {
    const error = new SinkError('settings', thrown instanceof Error ? thrown.message : String(thrown), { cause: thrown });
    return {
      name: settings.sink.kind,
      appends: true,
      largestInline: 0,
      reference: (name) => name,
      write: () => Promise.reject(error),
      close: () => Promise.resolve(),
    };
  }
}

/** Packages are loaded only where they are used. */
async function open({ sink }: CollectionSettings, print: (text: string) => void, limits?: RollLimits): Promise<Sink> {
  switch (sink.kind) {
    case 'file':
      return new AppendSink(new FileStorage(sink.dir), limits);
    case 'azure-blob': {
      const { openBlobStorage } = await import('./blob-storage.ts');
      return new AppendSink(await openBlobStorage(sink), limits);
    }
    case 'azureml':
      return new PostSink(sink.kind, sink.url, azuremlPost);
    case 'http':
      return new PostSink(sink.kind, sink.url, cloudEventPost);
    case 'stdout':
    default:
      return new StdoutSink(print);
  }
}
