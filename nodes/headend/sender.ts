import type { Clock } from './clock.ts';
import type { Downlinks } from './downlinks.ts';
import { type DownSection, encodeDownSections } from './frame/sections.ts';
import type { Registry } from './registry.ts';
import { isSpent, type Session } from './security/session.ts';
import type { Suites } from './security/suites.ts';

/** What became of something to send: `noSession` when the node has none that may be used, `noGateway` when no gateway took it. */
export type Sent = { readonly session: Session; readonly counter: number } | 'noSession' | 'noGateway';

/** What rides along on downlinks. */
export interface Rider {
  /** Sections for a node: at most one NETKEY, which fits beside anything else that is sent. */
  sectionsFor(nodeId: string, session: Session): readonly DownSection[];
  /** They are on their way, in the packet with this counter. */
  sent(nodeId: string, session: Session, counter: number): void;
}

export interface SenderParts {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly downlinks: Downlinks;
  readonly suites: Suites;
  readonly epoch: number;
}

/** Seals what the head-end has to say to a node, under its owner epoch. */
export class Sender {
  readonly #parts: SenderParts;
  readonly #rider: Rider;

  constructor(parts: SenderParts, rider: Rider) {
    this.#parts = parts;
    this.#rider = rider;
  }

  get epoch(): number {
    return this.#parts.epoch;
  }

  /** Sends sections in one packet. `hold`: a hub on the way may keep it until it next polls the node. */
  send(nodeId: string, sections: readonly DownSection[], hold: boolean): Sent {
    const { clock, registry, downlinks, suites, epoch } = this.#parts;
    const session = registry.get(nodeId)?.sessions.current;
    const engine = session && suites.engineOf(session.suite);
    if (!session || !engine || isSpent(session, session.downlink.nextCounter, clock.nowMs())) return 'noSession';
    const riders = this.#rider.sectionsFor(nodeId, session);
    const counter = session.downlink.nextCounter++;
    const header = {
      type: 'down',
      suite: session.suite,
      fragment: false,
      nodeId,
      session: session.sessionId,
      epoch,
      counter,
    } as const;
    const packet = engine.seal(header, session, encodeDownSections([...sections, ...riders]));
    if (!downlinks.send({ nodeId, packet, hold })) return 'noGateway';
    if (riders.length > 0) this.#rider.sent(nodeId, session, counter);
    return { session, counter };
  }
}
