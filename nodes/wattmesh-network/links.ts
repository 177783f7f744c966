import type { Clock } from '../headend/clock.ts';
import type { Link } from '../headend/link/link.ts';
import { MqttLink } from '../headend/link/mqtt.ts';
import { SerialLink } from '../headend/link/serial.ts';
import type { FlowHub } from './flow-hub.ts';
import type { NetworkSettings } from './settings.ts';

/** A link, and what its nodes are called where the link knows. */
export interface NamedLink {
  readonly link: Link;
  readonly names: ReadonlyMap<string, string>;
}

/** What a link is made with beside its settings. */
export interface LinkParts {
  readonly clock: Clock;
  readonly flow: FlowHub;
  readonly instanceId: string;
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Makes the link of a network. The simulator is loaded only for a simulated one. */
export async function makeLink({ link, networkId }: NetworkSettings, parts: LinkParts): Promise<NamedLink> {
  const { clock, flow, instanceId } = parts;
  switch (link.kind) {
    case 'simulated': {
      const { SimulatedLink } = await import('../../firmware/simulator/link.ts');
      const simulated = new SimulatedLink({ scenario: link.layout, clock, seed: link.seed, networkId });
      return { link: simulated, names: await simulated.names() };
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
