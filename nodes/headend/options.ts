import type { Approval } from './admitting.ts';
import type { Clock } from './clock.ts';
import { WattmeshError } from './errors.ts';
import type { Link } from './link/link.ts';
import type { Credentials } from './network-identity.ts';
import { type NetworkKey, ROTATION_GRACE_MS, ROTATION_GRACE_MS_MAX } from './security/network-keys.ts';
import type { SuitePolicy } from './security/suites.ts';
import type { Store } from './store/store.ts';

/** How long packets are collected for one commit unless the options say otherwise, ms; and the most that they may say. */
export const COMMIT_DELAY_MS = 50;
export const COMMIT_DELAY_MS_MAX = 100;
/** Missed cycles after which a node is offline unless the options say otherwise. */
export const OFFLINE_AFTER_CYCLES = 3;

/** What a network allows. */
export interface NetworkPolicy extends SuitePolicy {
  /** Who lets devices in; default: the operator, or nobody has to in a network without an identity, where nothing could be proven. */
  readonly approval?: Approval;
  /** Packets are flooded instead of routed; a node takes it over with its next session. Default: false. */
  readonly flooding?: boolean;
}

export interface HeadEndOptions extends Credentials {
  /** Network id. */
  readonly network: string;
  readonly store: Store;
  readonly link: Link;
  readonly clock: Clock;
  /** `length` random bytes of cryptographic quality. */
  random(length: number): Uint8Array;
  /** 16 hexadecimal digits, drawn anew at each start. */
  readonly instanceId: string;
  readonly policy: NetworkPolicy;
  /**
   * K_net that the network begins with, or is given in place of its present one; later ones are in the store. Default: one that is drawn. It is
   * given away under suites with keys only.
   */
  readonly networkKey?: NetworkKey;
  /** Devices that may join, CSV: key,name,hub,psk. */
  readonly preloaded?: string;
  /** Names of metering points by node id or key. */
  readonly names?: ReadonlyMap<string, string>;
  /** What nodes are called until somebody names them, by node id, where the link knows. */
  readonly defaultNames?: ReadonlyMap<string, string>;
  /** How long packets are collected for one commit, ms: at most COMMIT_DELAY_MS_MAX. */
  readonly commitDelayMs?: number;
  readonly offlineAfterCycles?: number;
  /** How long nodes have, ms, to hear of a new K_net before it is used: at most ROTATION_GRACE_MS_MAX. */
  readonly rotationGraceMs?: number;
}

/** The options that have defaults. */
export interface Settings {
  readonly approval: Approval;
  readonly names: ReadonlyMap<string, string>;
  readonly defaultNames: ReadonlyMap<string, string>;
  readonly commitDelayMs: number;
  readonly offlineAfterCycles: number;
  readonly rotationGraceMs: number;
}

/** `badConfig` for a value that is out of range. */
export function settingsOf(options: HeadEndOptions): Settings {
  const { commitDelayMs = COMMIT_DELAY_MS, rotationGraceMs = ROTATION_GRACE_MS, policy, identity } = options;
  requireRange('a commit delay', commitDelayMs, COMMIT_DELAY_MS_MAX);
  requireRange('a grace period', rotationGraceMs, ROTATION_GRACE_MS_MAX);
  return {
    approval: policy.approval ?? (identity ? 'operator' : 'everyone'),
    names: options.names ?? new Map(),
    defaultNames: options.defaultNames ?? new Map(),
    commitDelayMs,
    offlineAfterCycles: options.offlineAfterCycles ?? OFFLINE_AFTER_CYCLES,
    rotationGraceMs,
  };
}

function requireRange(what: string, valueMs: number, maxMs: number): void {
  if (valueMs >= 0 && valueMs <= maxMs) return;
  throw new WattmeshError('badConfig', `${what} of ${valueMs} ms is not allowed: use 0 to ${maxMs}`);
}
