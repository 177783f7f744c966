import type { Node, NodeAPI } from 'node-red';
import { WattmeshError } from '../headend/errors.ts';
import type { NetworkState } from '../headend/messages.ts';
import { BadgeShower } from './badge-shower.ts';
import { type Badge, broken, disabled, shorten, waiting } from './badges.ts';
import { errorBadge, failInput, failNode } from './funnel.ts';
import type { NetworkNode, NetworkService } from './network.ts';

/** What a node that taps a network adds to it. */
export interface TapOptions {
  /** The badge while the network runs. */
  badge(state: NetworkState, service: NetworkService): Badge;
  /** The badge of a network that hears no gateway is the node's own too. */
  readonly ownWithoutGateway?: boolean;
  /** Begins to listen; returns the functions that end it. Throws what makes the node useless with this network. */
  attach(service: NetworkService): readonly (() => void)[];
}

export interface Tap {
  /** The network; undefined when none is chosen, or it is missing or disabled. */
  readonly service: NetworkService | undefined;
  /** Something changed that the badge shows. */
  refresh(): void;
  /** An input failed: see `failInput`. The badge comes back with the next refresh. */
  failInput(thrown: unknown, done: (error?: Error) => void): void;
}

/** Ties a node to its network for the node's life: listeners, badge, and the end of both. */
export function tapNetwork(RED: NodeAPI, node: Node, networkId: string, options: TapOptions): Tap {
  const service = findService(RED, networkId);
  const loose: Tap = {
    service: undefined,
    refresh: () => undefined,
    failInput: (thrown, done) => failInput(node, thrown, done),
  };
  if (!service) {
    node.status(absentBadge(RED, networkId));
    return loose;
  }
  const show = new BadgeShower(node, () => badgeOf(service, options));
  let ends: readonly (() => void)[];
  try {
    ends = options.attach(service);
  } catch (thrown) {
    failNode(node, thrown);
    return loose;
  }
  const endCondition = service.onCondition(() => show.refresh());
  show.refresh();
  node.on('close', () => {
    for (const end of [...ends, endCondition]) end();
    show.end();
  });
  return {
    service,
    refresh: () => show.refresh(),
    failInput: (thrown, done) => {
      show.forget();
      failInput(node, thrown, done);
    },
  };
}

/** The error for an input that a network cannot answer now. */
export function notRunning(): WattmeshError {
  return new WattmeshError(
    'linkClosed',
    'the network is not running: see its badge, or open it and check its settings',
  );
}

function findService(RED: NodeAPI, networkId: string): NetworkService | undefined {
  const node = networkId ? (RED.nodes.getNode(networkId) as NetworkNode | null) : null;
  return node?.type === 'wattmesh-network' ? node.service : undefined;
}

function absentBadge(RED: NodeAPI, networkId: string): Badge {
  if (!networkId) return broken('no network');
  let isDisabled = false;
  RED.nodes.eachNode((each) => {
    if (each.id === networkId && 'd' in each && each.d === true) isDisabled = true;
  });
  return isDisabled ? disabled('network disabled') : broken('network missing');
}

/** What the badge shows: the network's trouble, or else the node's own, marked when somebody should look at the log. */
function badgeOf(service: NetworkService, { badge, ownWithoutGateway = false }: TapOptions): Badge {
  const condition = service.condition();
  switch (condition.kind) {
    case 'failed':
      return errorBadge(condition.error);
    case 'starting':
      return waiting('connecting');
    case 'stopped':
      return disabled('stopped');
    case 'running': {
      const { state, attention } = condition;
      if (!state.link.up) return broken('link down');
      if (state.gateways === 0 && !ownWithoutGateway) return waiting('no gateway yet');
      const own = badge(state, service);
      return attention ? { ...own, text: shorten(`⚠ ${own.text}`) } : own;
    }
  }
}
