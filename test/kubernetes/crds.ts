import { join } from 'node:path';
import { moduleFolder, type GoModule } from './go-modules.ts';

/** Definitions of the custom resources that the chart makes, in the modules of their projects. */
const SOURCES: readonly (GoModule & { readonly files: readonly string[] })[] = [
  {
    name: 'github.com/kedacore/keda/v2',
    version: 'v2.21.0',
    sum: 'h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=',
    files: ['config/crd/bases/keda.sh_scaledobjects.yaml'],
  },
  {
    name: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
    sum: 'h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=',
    files: ['servicemonitors', 'prometheusrules'].map((name) => `example/prometheus-operator-crd/monitoring.coreos.com_${name}.yaml`),
  },
  {
    name: 'github.com/kserve/kserve',
    version: 'v0.15.2',
    sum: 'h1:uph7Umk331fvBMrHHpTJNDt6+lf3IAuyiskaQw8wIAk=',
    files: ['servingruntimes', 'clusterservingruntimes', 'inferenceservices'].map(
      (name) => `config/crd/full/serving.kserve.io_${name}.yaml`,
    ),
  },
];

/** Files with the definitions of the custom resources: KEDA's, Prometheus' operator's, KServe's. */
export async function customResources(): Promise<string[]> {
  const found = await Promise.all(
    SOURCES.map(async (source) => {
      const folder = await moduleFolder(source);
      return source.files.map((file) => join(folder, file));
    }),
  );
  return found.flat();
}
