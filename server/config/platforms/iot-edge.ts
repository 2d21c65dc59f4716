import { anyGiven, PLAIN, type Platform } from './platform.ts';

/** A module of IoT Edge. The SDK reads the rest of its variables. */
export const iotEdge: Platform = {
  ...PLAIN,
  name: 'iot-edge',
  title: 'IoT Edge',
  doc: { signs: '`IOTEDGE_WORKLOADURI` or `EdgeHubConnectionString`', port: '5001' },
  detect: (around) => anyGiven(around, 'IOTEDGE_WORKLOADURI', 'EdgeHubConnectionString'),
  command: 'iot-edge',
};
