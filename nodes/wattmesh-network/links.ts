import type { Clock } from '../headend/clock.ts';
import type { Link } from '../headend/link/link.ts';
import { MqttLink } from '../headend/link/mqtt.ts';
import { SerialLink } from '../headend/link/serial.ts';
import type { HeadEndOptions } from '../headend/options.ts';
import { deviceList } from './device-list.ts';
import type { FlowHub } from './flow-hub.ts';
import type { NetworkSettings } from './settings.ts';

/** A link, and what comes with it. */
export interface PreparedLink {
  readonly link: Link;
  /** What its nodes are called where the link knows. */
  readonly names: ReadonlyMap<string, string>;
  /** A simulated mesh brings its head-end's keys along: its devices were made for them. */
  readonly credentials?: Pick<HeadEndOptions, 'identity' | 'storeKey' | 'provider'>;
  /** The list of its devices that a factory would deliver, where the link knows it: CSV as `readDeviceList` reads it. */
  readonly deviceList?: string;
}

/** What a link is made with beside its settings. */
export interface LinkParts {
  readonly clock: Clock;
  readonly flow: FlowHub;
  readonly instanceId: string;
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Makes the link of a network. The simulator is loaded only for a simulated one. */
export async function makeLink({ link, networkId }: NetworkSettings, parts: LinkParts): Promise<PreparedLink> {
  const { clock, flow, instanceId } = parts;
  switch (link.kind) {
    case 'simulated': {
      const { SimulatedLink } = await import('../../firmware/simulator/link.ts');
      const { credentialsOf } = await import('../../firmware/simulator/credentials.ts');
      const credentials = credentialsOf(link.seed);
      const headEndKey = credentials.identity.staticKey.publicKey;
      const simulated = new SimulatedLink({ scenario: link.layout, clock, seed: link.seed, networkId, headEndKey });
      const names = await simulated.names();
      return { link: simulated, names, credentials, deviceList: deviceList(simulated.devices()) };
    }
    case 'serial':
      return { link: new SerialLink({ path: link.path, baudRate: link.baudRate, clock }), names: NO_NAMES };
    case 'mqtt': {
      const { url, username, password, tls } = link;
      return {
        link: new MqttLink({ url, username, password, tls, network: networkId, instanceId, clock }),
        names: NO_NAMES,
      };
    }
    case 'flow':
      return { link: flow.newLink(), names: NO_NAMES };
  }
}
