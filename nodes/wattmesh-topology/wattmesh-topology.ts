import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import { type Badge, compact, fine, waiting } from '../shared/badges.ts';
import { failNode } from '../shared/funnel.ts';
import { migrate, type SettingsHistory, type StoredSettings } from '../shared/migrate.ts';
import type { NetworkService } from '../shared/network.ts';
import { notRunning, tapNetwork } from '../shared/tap.ts';

const HISTORY: SettingsHistory = { defaults: { network: '' }, steps: [] };

/** Registers `wattmesh-topology`: the mesh's nodes and links, when they change and when asked. */
export default function (RED: NodeAPI): void {
  function TopologyNode(this: Node, definition: NodeDef & StoredSettings): void {
    RED.nodes.createNode(this, definition);
    try {
      start(RED, this, migrate(definition, HISTORY));
    } catch (thrown) {
      failNode(this, thrown);
    }
  }

  RED.nodes.registerType('wattmesh-topology', TopologyNode);
}

function start(RED: NodeAPI, node: Node, settings: StoredSettings): void {
  const tap = tapNetwork(RED, node, String(settings.network), {
    badge: (_state, service) => meshBadge(service),
    attach: (service) => [
      service.onTopology((message) => {
        node.send(structuredClone(message) as NodeMessage);
        tap.refresh();
      }),
    ],
  });
  node.on('input', (msg, send, done) => {
    const message = tap.service?.topology();
    if (!message) return tap.failInput(notRunning(), done);
    send(Object.assign(msg, message));
    done();
  });
}

function meshBadge(service: NetworkService): Badge {
  const { nodes = [], links = [] } = service.topology()?.payload ?? {};
  if (nodes.length === 0) return waiting('no nodes yet');
  return fine(`${compact(nodes.length)} nodes, ${compact(links.length)} links`);
}
