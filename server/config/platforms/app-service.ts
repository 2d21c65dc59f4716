import { anyGiven, given, PLAIN, type Platform } from './platform.ts';

export const appService: Platform = {
  ...PLAIN,
  name: 'app-service',
  title: 'Azure App Service',
  detect: (around) => anyGiven(around, 'WEBSITE_SITE_NAME'),
  values: (around) => ({ PORT: given(around, 'WEBSITES_PORT') ?? '80' }),
  names: false,
};
