import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { NodeAPI } from 'node-red';
import { listPorts } from '../headend/link/serial.ts';
import { toError } from '../shared/funnel.ts';
import type { NetworkNode } from '../shared/network.ts';
import { NETWORK_KEY_BYTES } from './settings.ts';

const NETWORK_ID_BYTES = 4;

/** A network id and key that nobody has: `networkId` "wm-" and 8 hexadecimal digits, `networkKey` 32 hexadecimal digits. */
export function newIdentity(): { networkId: string; networkKey: string } {
  return {
    networkId: `wm-${randomBytes(NETWORK_ID_BYTES).toString('hex')}`,
    networkKey: randomBytes(NETWORK_KEY_BYTES).toString('hex'),
  };
}

/**
 * What the editor's dialogs ask for, each behind a permission: a browser on a plain-HTTP address cannot make good keys, and nobody who may
 * not change flows needs to know this machine's ports. Meters are asked for by those who read flows.
 */
export function serveDialogs(RED: NodeAPI): void {
  const mayWrite = RED.auth.needsPermission('flows.write');
  const mayRead = RED.auth.needsPermission('flows.read');

  RED.httpAdmin.post('/wattmesh/identity', mayWrite, (_request: Request, response: Response) => {
    response.set('Cache-Control', 'no-store').json(newIdentity());
  });

  RED.httpAdmin.get('/wattmesh/ports', mayWrite, (_request: Request, response: Response) => {
    listPorts().then(
      (ports) => response.json(ports),
      (thrown) => response.status(500).json({ error: toError(thrown).message }),
    );
  });

  RED.httpAdmin.get('/wattmesh/networks/:id/meters', mayRead, (request: Request, response: Response) => {
    const node = RED.nodes.getNode(String(request.params.id)) as NetworkNode | null;
    const nodes = node?.type === 'wattmesh-network' ? (node.service.status()?.payload.nodes ?? []) : [];
    const meters = nodes
      .filter(({ role }) => role === 'meter')
      .map(({ nodeId, meter, name }) => ({ nodeId, meter, name }));
    response.json(meters);
  });
}
