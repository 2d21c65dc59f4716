import { AppendSink, type RollLimits } from './append-sink.ts';
import { azuremlPost, cloudEventPost, PostSink } from './event-sinks.ts';
import { FileStorage } from './file-storage.ts';
import type { CollectionSettings } from '../settings.ts';
import { SinkError, type Sink } from './sink.ts';
import { StdoutSink, type Stdout } from './stdout-sink.ts';

/**
 * Makes the sink. One that cannot be made never stops the server: a sink that always fails takes
 * its place.
 */
export async function openSink(settings: CollectionSettings, stdout: Stdout, limits?: RollLimits): Promise<Sink> {
  try {
    return await open(settings, stdout, limits);
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

/** Loads packages only for the sink that uses them. */
async function open({ sink }: CollectionSettings, stdout: Stdout, limits?: RollLimits): Promise<Sink> {
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
      return new StdoutSink(stdout);
    default:
      return sink satisfies never;
  }
}
