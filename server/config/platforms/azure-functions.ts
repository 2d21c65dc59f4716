import { anyGiven, given, PLAIN, type Platform } from './platform.ts';

/** A custom handler of the Functions host. */
export const azureFunctions: Platform = {
  ...PLAIN,
  name: 'azure-functions',
  title: 'Azure Functions',
  detect: (around) => anyGiven(around, 'FUNCTIONS_CUSTOMHANDLER_PORT', 'FUNCTIONS_HTTPWORKER_PORT'),
  values: (around) => {
    const port = given(around, 'FUNCTIONS_CUSTOMHANDLER_PORT') ?? given(around, 'FUNCTIONS_HTTPWORKER_PORT');
    return port === undefined ? {} : { PORT: port };
  },
  holds: true,
};
