import { WattmeshError } from '../errors.ts';
import type { CryptoProvider } from './provider.ts';
import { selfTest } from './self-test.ts';

export type ProviderName = CryptoProvider['name'];

/** A provider that may be missing or broken on this machine. */
export interface ProviderCandidate {
  readonly name: ProviderName;
  load(): Promise<CryptoProvider>;
}

export interface ChosenProvider {
  readonly provider: CryptoProvider;
  /** Why a faster one was passed over; for the network's badge. */
  readonly warning: string | undefined;
}

/** The faster one first. */
const candidates: readonly ProviderCandidate[] = [
  { name: 'node', load: async () => (await import('./provider-node.ts')).nodeProvider },
  { name: 'noble', load: async () => (await import('./provider-noble.ts')).nobleProvider },
];

/** The first provider that loads and passes its self-test; `noDriver`, with each one's fault, when none does. */
export async function chooseProvider(from: readonly ProviderCandidate[] = candidates): Promise<ChosenProvider> {
  const faults: string[] = [];
  for (const candidate of from) {
    const loaded = await tried(candidate);
    if (typeof loaded !== 'string') {
      return {
        provider: loaded,
        warning: faults.length > 0 ? `${faults.join('; ')}: using ${candidate.name}` : undefined,
      };
    }
    faults.push(loaded);
  }
  throw new WattmeshError(
    'noDriver',
    `no cryptography that works (${faults.join('; ')}): install the package again, with the Node.js version that it asks for`,
  );
}

/** The provider, or what is wrong with it. */
async function tried({ name, load }: ProviderCandidate): Promise<CryptoProvider | string> {
  try {
    const provider = await load();
    const failed = selfTest(provider);
    return failed.length === 0 ? provider : `${name} fails its self-test in ${failed.join(', ')}`;
  } catch (error) {
    return `${name} does not load: ${(error as Error).message}`;
  }
}
