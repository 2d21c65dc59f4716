import { Gauge, type Registry } from 'prom-client';
import type { GpuReading } from '../system/nvidia-smi.ts';

const gauges: readonly (readonly [name: string, help: string, value: (reading: GpuReading) => number | undefined])[] = [
  ['gpu_memory_used_bytes', 'memory of a GPU that is in use, by all processes', ({ usedBytes }) => usedBytes],
  ['gpu_memory_total_bytes', 'memory of a GPU', ({ totalBytes }) => totalBytes],
  ['gpu_utilization_ratio', 'share of time in which the GPU was busy', ({ utilization }) => utilization],
];

/** Adds the metrics of GPUs. Each scrape asks for the last readings. */
export function addGpuMetrics(registry: Registry, source: { read(): readonly GpuReading[] }): void {
  for (const [name, help, value] of gauges)
    registry.registerMetric(
      new Gauge({
        name,
        help,
        labelNames: ['gpu'],
        registers: [],
        // Not an arrow function: prom-client calls it with the gauge as `this`.
        collect(this: Gauge) {
          this.reset();
          for (const reading of source.read()) {
            const shown = value(reading);
            if (shown !== undefined) this.set({ gpu: reading.gpu }, shown);
          }
        },
      }),
    );
}
