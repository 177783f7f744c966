import type { NodeAPI } from 'node-red';
import { listPorts } from '../../headend/link/serial.ts';
import { answer } from './answer.ts';

/** The serial ports of this machine. */
export function servePorts(RED: NodeAPI): void {
  RED.httpAdmin.get(
    '/wattmesh/ports',
    RED.auth.needsPermission('flows.write'),
    answer(() => listPorts()),
  );
}
