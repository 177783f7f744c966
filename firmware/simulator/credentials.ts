import type { HeadEndIdentity } from '../../nodes/headend/security/identity.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { Random } from './random.ts';

const SECRET_BYTES = 32;

/** The secrets of a simulated network's head-end. */
export interface SimulatedCredentials {
  readonly identity: HeadEndIdentity;
  readonly storeKey: Uint8Array;
  /** Draws from the seed too, so that a run can be repeated. */
  readonly provider: CryptoProvider;
}

/** Credentials made from a seed: for simulated meshes only, since whoever knows the seed knows them. */
export function credentialsOf(seed: string | number): SimulatedCredentials {
  const random = new Random(seed).fork('credentials');
  const provider: CryptoProvider = { ...nodeProvider, randomBytes: (length) => random.bytes(length) };
  return {
    identity: { staticKey: keyPairOf(provider, random.bytes(SECRET_BYTES)) },
    storeKey: random.bytes(SECRET_BYTES),
    provider,
  };
}
