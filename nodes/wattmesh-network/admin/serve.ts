import type { NodeAPI } from 'node-red';
import { serveDevices } from './devices.ts';
import { serveIdentity } from './identity.ts';
import { serveLabels } from './labels.ts';
import { servePorts } from './ports.ts';
import { serveRecovery } from './recovery.ts';

/**
 * What the editor's dialogs ask for, each behind a permission: a browser on a plain-HTTP address cannot make good keys, and whoever may not
 * change flows needs to know neither keys nor this machine's ports. Who may read flows may see the devices of a network.
 */
export function serveDialogs(RED: NodeAPI): void {
  serveIdentity(RED);
  serveRecovery(RED);
  servePorts(RED);
  serveDevices(RED);
  serveLabels(RED);
}
