import type { NetworkService } from '../shared/network.ts';

const nothing = (): void => undefined;

/** The service of a network whose settings cannot be used: it has failed for good, and nothing ever comes from it. */
export function brokenService(error: Error): NetworkService {
  return {
    networkId: '',
    connection: undefined,
    condition: () => ({ kind: 'failed', error }),
    onCondition: () => nothing,
    onReading: () => nothing,
    onStatus: () => nothing,
    onEvent: () => nothing,
    onTopology: () => nothing,
    status: () => undefined,
    topology: () => undefined,
    devices: () => undefined,
    onDevices: () => nothing,
    command: () => Promise.reject(error),
    attachDecoder: () => undefined,
  };
}
