/**
 * The profiles, in the order in which they are looked for. `plain` is the rest. Those that only
 * their own variables show come before those that a folder or an argument shows, too: such a folder
 * may be a volume of any platform.
 */
export const PROFILE_NAMES = ['azure-functions', 'vertex', 'app-service', 'iot-edge', 'kserve', 'sagemaker', 'azureml', 'plain'] as const;

export type ProfileName = (typeof PROFILE_NAMES)[number];
