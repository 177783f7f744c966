import { SUITE_ECC, SUITE_RSA } from '../../nodes/headend/frame/packet.ts';
import type { HeadEndIdentity } from '../../nodes/headend/security/identity.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import type { DeviceSecurity } from './device-config.ts';
import { factoryList, pskOf } from './provision.ts';
import { Random } from './random.ts';
import { modulusOf, rsaKeyFrom } from './rsa-key.ts';
import type { Scenario } from './scenario.ts';

const SECRET_BYTES = 32;

/** The secrets of a simulated network's head-end. */
export interface SimulatedCredentials {
  readonly identity: HeadEndIdentity;
  readonly storeKey: Uint8Array;
  /** Draws from the seed too, so that a run can be repeated. */
  readonly provider: CryptoProvider;
}

/** Credentials made from a seed, `withRsa` with an RSA key too: for simulated meshes only, since whoever knows the seed knows them. */
export function credentialsOf(seed: string | number, withRsa = false): SimulatedCredentials {
  const random = new Random(seed).fork('credentials');
  const provider: CryptoProvider = { ...nodeProvider, randomBytes: (length) => random.bytes(length) };
  return {
    identity: {
      staticKey: keyPairOf(provider, random.bytes(SECRET_BYTES)),
      ...(withRsa ? { rsa: rsaKeyFrom(random.fork('rsa')) } : {}),
    },
    storeKey: random.bytes(SECRET_BYTES),
    provider,
  };
}

/** What the head-end and the devices of a scenario know of each other beforehand. */
export interface MeshSecrets {
  readonly ofHeadEnd: SimulatedCredentials & { readonly preloaded?: string };
  /** Of a device, by its id in the scenario. */
  ofDevice(id: string): DeviceSecurity;
}

/** Secrets of a scenario, made from a seed; undefined under suite 0x00, which needs none. */
export function secretsOf({ suite, nodes }: Pick<Scenario, 'suite' | 'nodes'>, seed: string): MeshSecrets | undefined {
  if (suite === 'none') return undefined;
  const credentials = credentialsOf(seed, suite === 'rsa');
  const { staticKey, rsa } = credentials.identity;
  const headEndKey = staticKey.publicKey;
  if (!rsa) return { ofHeadEnd: credentials, ofDevice: () => ({ suite: SUITE_ECC, headEndKey }) };
  const ids = nodes.map(({ id }) => id);
  const rsaModulus = modulusOf(rsa);
  return {
    ofHeadEnd: { ...credentials, preloaded: factoryList(seed, ids) },
    ofDevice: (id) => ({ suite: SUITE_RSA, headEndKey, rsaModulus, psk: pskOf(seed, id) }),
  };
}
