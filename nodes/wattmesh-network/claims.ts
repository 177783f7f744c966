import { WattmeshError } from '../headend/errors.ts';
import type { NetworkSettings } from './settings.ts';

/** What the networks of this process hold: their ids and their store files, each once. */
const held = new Set<string>();

/**
 * Holds a network id and its store for one head-end; returns the function that lets them go. Throws `secondHost` or `storeLocked`
 * when another network configuration has them.
 */
export function claim({ networkId, store }: NetworkSettings): () => void {
  const network = `network ${networkId}`;
  const file = store.kind === 'auto' ? `file ${store.file}` : undefined;
  if (held.has(network)) {
    throw new WattmeshError(
      'secondHost',
      `network id "${networkId}" is used by another network configuration: use that one, or give this one another id`,
    );
  }
  if (file && held.has(file)) {
    throw new WattmeshError(
      'storeLocked',
      `${file} belongs to another network configuration: give each network a store of its own`,
    );
  }
  const mine = file ? [network, file] : [network];
  for (const each of mine) held.add(each);
  return () => {
    for (const each of mine) held.delete(each);
  };
}
