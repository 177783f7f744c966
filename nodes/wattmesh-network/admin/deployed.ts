import type { NodeAPI } from 'node-red';
import type { Devices } from '../../headend/devices.ts';
import type { NetworkNode, NetworkService } from '../../shared/network.ts';
import type { NetworkCredentials } from '../secrets.ts';
import { Refusal } from './answer.ts';

/** The network of a config node that is deployed; undefined when there is none, or the node is of another type. */
export function networkOf(RED: NodeAPI, id: unknown): NetworkService | undefined {
  const node = RED.nodes.getNode(String(id)) as NetworkNode | null;
  return node?.type === 'wattmesh-network' ? node.service : undefined;
}

/** The same; refused with 404 when there is none. */
export function requireNetwork(RED: NodeAPI, id: unknown): NetworkService {
  const service = networkOf(RED, id);
  if (service) return service;
  throw new Refusal(404, 'there is no such network: deploy it first');
}

/** Where the operator decides about a network's devices; refused with 409 while it is not running. */
export function requireDevices(service: NetworkService): Devices {
  const devices = service.devices();
  if (devices) return devices;
  throw notRunning();
}

export function notRunning(): Refusal {
  return new Refusal(409, 'the network is not running: its badge says why');
}

/** What the credentials of a config node hold; nothing without an id. */
export function credentialsOf(RED: NodeAPI, id: string | undefined): NetworkCredentials {
  if (id === undefined) return {};
  return (RED.nodes.getCredentials(id) as NetworkCredentials | undefined) ?? {};
}
