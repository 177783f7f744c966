import type { Devices } from './devices.ts';
import type { Draft } from './draft.ts';
import type { HeadEndOptions } from './options.ts';
import type { ListFault } from './preload.ts';
import { isReplaced, newRing, settled } from './security/network-keys.ts';

/**
 * What a network must have before anybody joins: a store that says whose it is, its K_net, and the devices of its list. Returns the lines that
 * cannot be used.
 */
export function prepare(
  draft: Draft,
  devices: Devices,
  { identity, networkKey, random, preloaded }: HeadEndOptions,
): readonly ListFault[] {
  const { ring } = draft.vault;
  if (identity) draft.vault.putMark(identity.staticKey.publicKey);
  if (identity && (!ring || isReplaced(ring, networkKey))) draft.vault.putRing(newRing(networkKey, random));
  return preloaded === undefined ? [] : devices.preloadInto(draft, preloaded).faults;
}

/** Ends a rotation: the key that followed is the only one now. */
export function settleRing({ vault }: Draft): void {
  if (vault.ring) vault.putRing(settled(vault.ring));
}
