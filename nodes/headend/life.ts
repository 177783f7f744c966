import { Acknowledger } from './acknowledger.ts';
import { Aftermath, type AftermathParts } from './aftermath.ts';
import type { Clock } from './clock.ts';
import { Downlinks } from './downlinks.ts';
import type { Registry } from './registry.ts';
import { engineOf, type SuitePolicy } from './security/suites.ts';

/** What a life is made of beside its owner epoch. */
export interface LifeParts extends Omit<AftermathParts, 'downlinks' | 'acknowledger'> {
  readonly clock: Clock;
  readonly registry: Registry;
  readonly policy: SuitePolicy;
  /** A random u32: results of downlinks of an earlier life are told apart by it. */
  readonly firstToken: number;
}

/** What exists only between start and stop: everything that speaks under the owner epoch. */
export class Life {
  readonly epoch: number;
  readonly downlinks: Downlinks;
  readonly acknowledger: Acknowledger;
  readonly aftermath: Aftermath;

  constructor(epoch: number, parts: LifeParts) {
    const { clock, gateways, registry, policy, firstToken } = parts;
    const engine = (suite: number) => engineOf(suite, policy);
    this.epoch = epoch;
    this.downlinks = new Downlinks(clock, gateways, registry, firstToken);
    this.acknowledger = new Acknowledger(clock, registry, this.downlinks, engine, epoch);
    this.aftermath = new Aftermath({ ...parts, downlinks: this.downlinks, acknowledger: this.acknowledger });
  }
}
