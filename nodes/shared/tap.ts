import type { Node, NodeAPI } from 'node-red';
import { type Badge, broken, disabled, waiting } from './badges.ts';
import { errorBadge } from './funnel.ts';
import type { Condition, NetworkNode, NetworkService } from './network.ts';

/** A badge changes at most this often, ms: the editor is told of each change. */
export const BADGE_PERIOD_MS = 1_000;
/** A badge is looked at again this often, ms, when nothing happens: rates fall, times pass. */
export const BADGE_REVIEW_MS = 10_000;

/** What a node that taps a network adds to it. */
export interface TapOptions {
  /** The badge while the network runs and hears a gateway. */
  badge(service: NetworkService): Badge;
  /** Begins to listen; returns the functions that end it. Throws what makes the node useless with this network. */
  attach(service: NetworkService): readonly (() => void)[];
}

export interface Tap {
  /** The network; undefined when none is chosen, or it is missing or disabled. */
  readonly service: NetworkService | undefined;
  /** Something changed that the badge shows. */
  refresh(): void;
}

/** Ties a node to its network for the node's life: listeners, badge, and the end of both. */
export function tapNetwork(RED: NodeAPI, node: Node, networkId: string, { badge, attach }: TapOptions): Tap {
  const service = findService(RED, networkId);
  if (!service) {
    node.status(absentBadge(RED, networkId));
    return { service, refresh: () => undefined };
  }
  const show = badgeShower(node, () => networkBadge(service.condition()) ?? marked(service, badge(service)));
  let ends: readonly (() => void)[];
  try {
    ends = attach(service);
  } catch (thrown) {
    node.status(errorBadge(thrown));
    node.error(thrown);
    return { service: undefined, refresh: () => undefined };
  }
  const endCondition = service.onCondition(show.refresh);
  show.refresh();
  node.on('close', () => {
    for (const end of [...ends, endCondition, show.end]) end();
  });
  return { service, refresh: show.refresh };
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

/** The badge of a network that is in no condition to deliver; undefined for one that is. */
export function networkBadge(condition: Condition): Badge | undefined {
  switch (condition.kind) {
    case 'failed':
      return errorBadge(condition.error);
    case 'starting':
      return waiting('connecting');
    case 'stopped':
      return disabled('stopped');
    case 'running': {
      const { link, gateways } = condition.state;
      if (!link.up) return broken('link down');
      return gateways === 0 ? waiting('no gateway yet') : undefined;
    }
  }
}

/** A mark before the text while the network has a warning beside the one about suite 0x00, which the network's dialog explains. */
function marked(service: NetworkService, badge: Badge): Badge {
  return service.needsAttention() ? { ...badge, text: fit(`⚠ ${badge.text}`) } : badge;
}

/** Shows a badge now and again: at once, then at most every BADGE_PERIOD_MS, and only when it differs. */
function badgeShower(node: Node, make: () => Badge): { refresh(): void; end(): void } {
  let shown = '';
  let pause: NodeJS.Timeout | undefined;
  let again = false;
  const show = (): void => {
    const badge = make();
    const text = JSON.stringify(badge);
    if (text !== shown) node.status(badge);
    shown = text;
  };
  const refresh = (): void => {
    if (pause) {
      again = true;
      return;
    }
    show();
    pause = setTimeout(() => {
      pause = undefined;
      if (again) refresh();
      again = false;
    }, BADGE_PERIOD_MS).unref();
  };
  const review = setInterval(refresh, BADGE_REVIEW_MS).unref();
  return {
    refresh,
    end: () => {
      clearTimeout(pause);
      clearInterval(review);
    },
  };
}
