/** The hardware that models can be asked to run on. */
export type Device = 'cpu';

/** The providers to ask ONNX Runtime for, the preferred one first. */
export const executionProviders = (device: Device): readonly Device[] => [device];
