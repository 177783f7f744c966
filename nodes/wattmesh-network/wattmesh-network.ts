import type { Node, NodeAPI, NodeDef } from 'node-red';
import { WattmeshError } from '../headend/errors.ts';
import type { MqttTls } from '../headend/link/mqtt-settings.ts';
import { toError } from '../shared/funnel.ts';
import type { StoredSettings } from '../shared/migrate.ts';
import type { NetworkNode } from '../shared/network.ts';
import { serveDialogs } from './admin.ts';
import { brokenService } from './broken-service.ts';
import { NetworkRuntime } from './runtime.ts';
import { migrateNetwork, type NetworkCredentials, type NetworkSettings, readSettings } from './settings.ts';

type Definition = NodeDef & StoredSettings;

/** The core `tls-config` node, as far as it is used. */
interface TlsNode extends Node {
  addTLSOptions?(options: object): MqttTls;
}

/** Registers `wattmesh-network`: one network's head-end, shared by the nodes that tap it. */
export default function (RED: NodeAPI): void {
  function NetworkConfigNode(this: NetworkNode & Node<NetworkCredentials>, definition: Definition): void {
    RED.nodes.createNode(this, definition);
    const settings = settingsOf(RED, this, definition);
    if (settings instanceof Error) {
      this.error(settings);
      Object.assign(this, { service: brokenService(settings) });
      return;
    }
    const runtime = new NetworkRuntime(settings, this);
    Object.assign(this, { service: runtime });
    followDeployments(RED, this, runtime);
  }

  RED.nodes.registerType('wattmesh-network', NetworkConfigNode, {
    credentials: { networkKey: { type: 'password' }, user: { type: 'text' }, password: { type: 'password' } },
  });
  serveDialogs(RED);
}

function settingsOf(RED: NodeAPI, node: Node<NetworkCredentials>, definition: Definition): NetworkSettings | Error {
  try {
    const settings = migrateNetwork(definition);
    const tls = settings.connection === 'mqtt' ? tlsOptions(RED, settings.tls) : undefined;
    return readSettings(settings, { credentials: node.credentials, tls, userDir: RED.settings.userDir });
  } catch (thrown) {
    return toError(thrown);
  }
}

/** Options of the chosen `tls-config` node. One that is missing or disabled is an error: the connection would go on without TLS otherwise. */
function tlsOptions(RED: NodeAPI, id: unknown): MqttTls | undefined {
  if (!id) return undefined;
  const node = RED.nodes.getNode(String(id)) as TlsNode | null;
  if (!node?.addTLSOptions) {
    throw new WattmeshError('badConfig', 'the chosen TLS settings are missing or disabled: open the network and choose others');
  }
  return node.addTLSOptions({});
}

/**
 * Nodes appear one after the other in a deployment, and what is sent to one that is not there yet is lost: readings flow only between the
 * end of one deployment and the beginning of the next.
 */
function followDeployments(RED: NodeAPI, node: Node, runtime: NetworkRuntime): void {
  const deliver = (): void => runtime.deliver();
  const hold = (): void => runtime.hold();
  RED.events.on('flows:started', deliver);
  RED.events.on('flows:stopping', hold);
  node.on('close', (done: () => void) => {
    RED.events.off('flows:started', deliver);
    RED.events.off('flows:stopping', hold);
    void runtime.stop().then(done);
  });
}
