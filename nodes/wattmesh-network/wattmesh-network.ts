import type { Node, NodeAPI, NodeDef } from 'node-red';
import { WattmeshError } from '../headend/errors.ts';
import type { MqttTls } from '../headend/link/mqtt-settings.ts';
import { toError } from '../shared/funnel.ts';
import type { StoredSettings } from '../shared/migrate.ts';
import type { NetworkNode } from '../shared/network.ts';
import { serveDialogs } from './admin/serve.ts';
import { brokenService } from './broken-service.ts';
import { Deployments } from './deployments.ts';
import { NetworkRuntime } from './runtime.ts';
import type { NetworkCredentials } from './secrets.ts';
import { migrateNetwork, type NetworkSettings, readSettings } from './settings.ts';

type Definition = NodeDef & StoredSettings;
type ConfigNode = NetworkNode & Node<NetworkCredentials>;

/** The core `tls-config` node, as far as it is used. */
interface TlsNode extends Node {
  addTLSOptions?(options: object): MqttTls;
}

/** Registers `wattmesh-network`: one network's head-end, shared by the nodes that tap it. */
export default function (RED: NodeAPI): void {
  const deployments = new Deployments(RED.events);

  function NetworkConfigNode(this: ConfigNode, definition: Definition): void {
    RED.nodes.createNode(this, definition);
    const settings = settingsOf(RED, this, definition);
    if (settings instanceof Error) {
      this.error(settings);
      Object.assign(this, { service: brokenService(settings) });
      return;
    }
    const runtime = new NetworkRuntime(settings, this);
    Object.assign(this, { service: runtime });
    deployments.add(runtime);
    this.on('close', (done: () => void) => {
      deployments.remove(runtime);
      void runtime.stop().then(done);
    });
  }

  RED.nodes.registerType<ConfigNode, Definition, object, NetworkCredentials>('wattmesh-network', NetworkConfigNode, {
    credentials: {
      networkKey: { type: 'password' },
      identity: { type: 'password' },
      storeKey: { type: 'password' },
      user: { type: 'text' },
      password: { type: 'password' },
    },
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
    throw new WattmeshError(
      'badConfig',
      'the chosen TLS settings are missing or disabled: open the network and choose others',
    );
  }
  return node.addTLSOptions({});
}
