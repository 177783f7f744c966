import type { Clock } from '../clock.ts';
import { WattmeshError } from '../errors.ts';
import { SUITE_ECC, SUITE_NONE, SUITE_RSA } from '../frame/packet.ts';
import type { HeadEndIdentity } from './identity.ts';
import type { CryptoProvider } from './provider.ts';
import type { SuiteEngine, SuiteName } from './suite.ts';
import { eccEngine } from './suite-ecc.ts';
import { plainEngine } from './suite-none.ts';
import { rsaEngine } from './suite-rsa.ts';

const names: ReadonlyMap<number, SuiteName> = new Map([
  [SUITE_NONE, 'none'],
  [SUITE_ECC, 'ecc'],
  [SUITE_RSA, 'rsa'],
]);

/** What a network allows beside suite 0x01, which every network with an identity speaks. */
export interface SuitePolicy {
  readonly allowSuiteNone: boolean;
  /** Suite 0x10, for an identity with an RSA key. It has no forward secrecy. */
  readonly allowSuiteRsa?: boolean;
}

export interface SuitesContext {
  readonly policy: SuitePolicy;
  readonly networkNumber: number;
  readonly clock: Clock;
  /** The head-end's keys and who computes with them; without them only suite 0x00 is left. */
  readonly keys: { readonly identity: HeadEndIdentity; readonly provider: CryptoProvider } | undefined;
  /** The PSK of a device key (hex); undefined for a device that has none. */
  pskOf(deviceKey: string): Uint8Array | undefined;
}

/** The suites that a network speaks. */
export class Suites {
  readonly #engines = new Map<number, SuiteEngine>();

  /** `badConfig` when nothing is allowed at all, or RSA without an RSA key. */
  constructor({ policy, networkNumber, clock, keys, pskOf }: SuitesContext) {
    if (policy.allowSuiteNone) this.#engines.set(SUITE_NONE, plainEngine);
    if (keys) {
      const { identity, provider } = keys;
      this.#engines.set(SUITE_ECC, eccEngine({ provider, staticKey: identity.staticKey, networkNumber }));
    }
    if (policy.allowSuiteRsa) {
      if (!keys?.identity.rsa) throw new WattmeshError('badConfig', 'suite 0x10 needs an RSA key: make one first');
      const { privateKeyPem } = keys.identity.rsa;
      this.#engines.set(SUITE_RSA, rsaEngine({ provider: keys.provider, privateKeyPem, networkNumber, clock, pskOf }));
    }
    if (this.#engines.size > 0) return;
    throw new WattmeshError(
      'badConfig',
      "the network's keys are missing and suite 0x00 is not allowed: restore the keys from the recovery file",
    );
  }

  /** The engine of a suite; undefined for one that is not allowed. */
  engineOf(suite: number): SuiteEngine | undefined {
    return this.#engines.get(suite);
  }

  /** The engine of a suite, or the error `suiteRefused`. */
  require(suite: number): SuiteEngine {
    const engine = this.#engines.get(suite);
    if (engine) return engine;
    const name = `suite 0x${suite.toString(16).padStart(2, '0')}`;
    throw new WattmeshError(
      'suiteRefused',
      `${name} is not allowed here: set the node to another suite, or change the network's policy`,
    );
  }
}

/** A suite's name in messages. */
export function suiteName(suite: number): SuiteName {
  return names.get(suite) ?? 'none';
}
