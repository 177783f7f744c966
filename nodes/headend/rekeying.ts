import type { Clock } from './clock.ts';
import type { Commands } from './commands.ts';
import type { MeshNode, Registry } from './registry.ts';
import type { Session } from './security/session.ts';
import { SESSION_LIFE_MS, SESSION_PACKETS_MAX } from './security/transport.ts';

/** A node is asked for a new session this long, ms, and this many packets before its present one ends. */
export const REKEY_AHEAD_MS = 24 * 3600_000;
export const REKEY_AHEAD_PACKETS = 2 ** 16;
/** How often it is looked whether somebody is to be asked, ms, and how many are asked then. */
export const REKEY_PERIOD_MS = 60_000;
export const REKEYS_PER_PERIOD_MAX = 4;

/** Has nodes make a new session in good time; one that cannot be asked starts over by itself once its session has ended. */
export class Rekeying {
  readonly #clock: Clock;
  readonly #registry: Registry;
  readonly #commands: Commands;

  constructor(clock: Clock, registry: Registry, commands: Commands) {
    this.#clock = clock;
    this.#registry = registry;
    this.#commands = commands;
  }

  /** Asks some of the nodes whose time has come. Call it every REKEY_PERIOD_MS. */
  tick(): void {
    const nowMs = this.#clock.nowMs();
    const ending = [...this.#registry.nodes()].filter(
      ({ sessions }) => sessions.current && ends(sessions.current, nowMs),
    );
    for (const node of mostUrgent(ending)) {
      const nothing = (): void => undefined;
      this.#commands.begin(node, { operation: 'rekey', timeoutS: REKEY_PERIOD_MS / 1000 }, nothing, nothing);
    }
  }
}

function ends({ beganMs, window, downlink }: Session, nowMs: number): boolean {
  const packets = Math.max(window.highest, downlink.nextCounter);
  return nowMs - beganMs >= SESSION_LIFE_MS - REKEY_AHEAD_MS || packets >= SESSION_PACKETS_MAX - REKEY_AHEAD_PACKETS;
}

/** Those heard last: they can answer. */
function mostUrgent(nodes: readonly MeshNode[]): MeshNode[] {
  return [...nodes].sort((a, b) => b.record.lastSeenMs - a.record.lastSeenMs).slice(0, REKEYS_PER_PERIOD_MAX);
}
