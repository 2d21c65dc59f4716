import type { Provider } from '../config/execution-provider.ts';
import { type GpuDevices, gpuDevices, pinnedToGpu, type Variables } from '../system/gpu-devices.ts';
import { type Checked, explain } from './provider-findings.ts';

/** The devices of a provider. */
export interface ProviderHardware {
  /** The devices that a process here would see. @param root where /dev and /proc are */
  devices(env: Variables, root: string): GpuDevices;
  /** Variables of a process that uses one device. @param device undefined: as it is */
  pinned(env: Variables, device: string | undefined): Variables;
  /** Missing parts where the provider could not be used, each in one line, the cause first. */
  explain(provider: Provider, checked: Checked): string[];
}

const nvidia: ProviderHardware = { devices: gpuDevices, pinned: pinnedToGpu, explain };

/** Undefined: the provider needs no device. */
const hardware: Readonly<Record<Provider, ProviderHardware | undefined>> = { cpu: undefined, cuda: nvidia, tensorrt: nvidia };

export function hardwareOf(provider: Provider): ProviderHardware | undefined {
  return hardware[provider];
}
