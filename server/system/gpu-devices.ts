import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Environment variables of a process. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The NVIDIA devices that a process here would see, found without nvidia-smi. */
export interface GpuDevices {
  /**
   * Values for CUDA_VISIBLE_DEVICES, one a device. CUDA's own number of a device is its place in
   * this list.
   */
  readonly visible: readonly string[];
  /** Missing parts without which no device can be seen, in words; empty: nothing is missing. */
  readonly missing: readonly string[];
}

/**
 * Reads device nodes, the driver's folder in /proc, and CUDA_VISIBLE_DEVICES (whose entries are
 * numbers, GPU-<uuid> or MIG-<uuid>). A container has nodes only for the devices that it was given,
 * and CUDA numbers those from 0 whatever their names.
 * @param root where /dev and /proc are
 */
export function gpuDevices(env: Variables, root = '/'): GpuDevices {
  const nodes = namesIn(join(root, 'dev')).filter((name) => /^nvidia\d+$/.test(name));
  // Windows Subsystem for Linux has one node for all devices, and a driver that the kernel does not
  // know by name.
  const wsl = existsSync(join(root, 'dev/dxg'));
  const driver = wsl || existsSync(join(root, 'dev/nvidiactl')) || existsSync(join(root, 'proc/driver/nvidia/version'));
  const chosen = env['CUDA_VISIBLE_DEVICES'];
  const present = nodes.length > 0 ? nodes.map((_, number) => String(number)) : wsl ? ['0'] : [];
  const visible = chosen === undefined ? present : untilInvalid(chosen.split(',').map((entry) => entry.trim()));
  const missing: string[] = [];
  if (!driver) missing.push(`NVIDIA driver: there is neither /dev/nvidiactl nor /proc/driver/nvidia/version. ${startHint(env)}`);
  else if (present.length === 0) missing.push(`GPU device: the NVIDIA driver is there, but no device node /dev/nvidia0. ${startHint(env)}`);
  if (chosen !== undefined && visible.length === 0)
    missing.push(`GPU device: CUDA_VISIBLE_DEVICES=${JSON.stringify(chosen)} hides every device. Unset it, or name devices there.`);
  return { visible, missing };
}

/** A process here would see a device. */
export function hasGpu(env: Variables, root = '/'): boolean {
  const { visible, missing } = gpuDevices(env, root);
  return visible.length > 0 && missing.length === 0;
}

/**
 * Variables of a process that uses one device. Every session there has it as device 0, those of an
 * entry script too.
 * @param device a value of CUDA_VISIBLE_DEVICES; undefined: as it is
 */
export function pinnedToGpu(env: Variables, device: string | undefined): Variables {
  if (device === undefined) return env;
  // Without it CUDA counts the fastest device as 0, and numbers would not be those of nvidia-smi.
  // The operator's own list was made without it.
  const order = env['CUDA_VISIBLE_DEVICES'] === undefined ? { CUDA_DEVICE_ORDER: env['CUDA_DEVICE_ORDER'] ?? 'PCI_BUS_ID' } : {};
  return { ...env, ...order, CUDA_VISIBLE_DEVICES: device };
}

/** CUDA reads entries up to the first that is invalid. */
function untilInvalid(entries: readonly string[]): string[] {
  const end = entries.findIndex((entry) => !/^(?:\d+|(?:GPU|MIG)-\S+)$/.test(entry));
  return entries.slice(0, end < 0 ? entries.length : end);
}

function startHint(env: Variables): string {
  const given = env['NVIDIA_VISIBLE_DEVICES'];
  const hidden = given !== undefined && ['', 'void', 'none'].includes(given) ? ` (NVIDIA_VISIBLE_DEVICES is ${JSON.stringify(given)})` : '';
  return `Start the container with the NVIDIA container toolkit: docker run --gpus all${hidden}; in Kubernetes request nvidia.com/gpu.`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
