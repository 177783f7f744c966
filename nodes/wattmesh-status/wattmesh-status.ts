import type { Node, NodeAPI, NodeDef, NodeMessage } from 'node-red';
import type { NetworkState, NodeStatus, StatusMessage } from '../headend/messages.ts';
import { type Badge, compact, fine, waiting } from '../shared/badges.ts';
import { failNode } from '../shared/funnel.ts';
import { migrate, type SettingsHistory, type StoredSettings } from '../shared/migrate.ts';
import { notRunning, tapNetwork } from '../shared/tap.ts';
import { ChangeWatch } from './change-watch.ts';

const HISTORY: SettingsHistory = { defaults: { network: '', mode: 'network' }, steps: [] };

/**
 * Registers `wattmesh-status`: who is online, when anything changed and when asked; or one message for each node that came or went; or one for
 * each event that a device tells.
 */
export default function (RED: NodeAPI): void {
  function StatusNode(this: Node, definition: NodeDef & StoredSettings): void {
    RED.nodes.createNode(this, definition);
    try {
      start(RED, this, migrate(definition, HISTORY));
    } catch (thrown) {
      failNode(this, thrown);
    }
  }

  RED.nodes.registerType('wattmesh-status', StatusNode);
}

function start(RED: NodeAPI, node: Node, settings: StoredSettings): void {
  const perNode = settings.mode === 'changes';
  const ofEvents = settings.mode === 'events';
  const watch = new ChangeWatch();
  const tap = tapNetwork(RED, node, String(settings.network), {
    badge: onlineBadge,
    attach: (service) => [
      service.onStatus((message) => {
        if (ofEvents) return tap.refresh();
        if (perNode) node.send([watch.changes(message.payload.nodes).map((each) => nodeMessage(message, each))]);
        else node.send(structuredClone(message) as NodeMessage);
        tap.refresh();
      }),
      ...(ofEvents ? [service.onEvent((message) => node.send({ ...structuredClone(message) }))] : []),
    ],
  });
  node.on('input', (msg, send, done) => {
    const message = tap.service?.status();
    if (!message) return tap.failInput(notRunning(), done);
    if (perNode)
      send([
        message.payload.nodes.map((each) => Object.assign(RED.util.cloneMessage(msg), nodeMessage(message, each))),
      ]);
    else send(Object.assign(msg, message));
    done();
  });
}

/** One node's condition; `topic` = "<network>/status/<node id>". */
function nodeMessage({ topic }: StatusMessage, node: NodeStatus): NodeMessage {
  return { topic: `${topic}/${node.nodeId}`, payload: { ...node } };
}

function onlineBadge({ nodesOnline, nodesKnown }: NetworkState): Badge {
  if (nodesKnown === 0) return waiting('no nodes yet');
  return fine(`${compact(nodesOnline)} of ${compact(nodesKnown)} online`);
}
