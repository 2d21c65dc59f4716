/** The profiles, in the order in which they are looked for. `plain` is the rest. */
export const PROFILE_NAMES = ['azure-functions', 'vertex', 'kserve', 'sagemaker', 'app-service', 'iot-edge', 'azureml', 'plain'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];
