import { Acknowledger } from './acknowledger.ts';
import { Aftermath, type AftermathParts } from './aftermath.ts';
import type { Clock } from './clock.ts';
import { Commands } from './commands.ts';
import { Downlinks } from './downlinks.ts';
import { WattmeshError } from './errors.ts';
import { Gate } from './gate.ts';
import type { M2Cache } from './m2-cache.ts';
import { Opener } from './opening.ts';
import type { Registry } from './registry.ts';
import { Rekeying } from './rekeying.ts';
import { Rotation } from './rotation.ts';
import type { Suites } from './security/suites.ts';
import { Sender } from './sender.ts';

type Made = 'downlinks' | 'acknowledger' | 'rotation' | 'commands';

/** What is asked of a head-end that does not live. */
export function notRunning(): WattmeshError {
  return new WattmeshError('linkClosed', 'the network is not running: start it first');
}

/** What a life is made of beside its owner epoch. */
export interface LifeParts extends Omit<AftermathParts, Made> {
  readonly network: string;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly suites: Suites;
  readonly m2s: M2Cache;
  random(length: number): Uint8Array;
  /** All nodes have the new K_net, or have had time enough. */
  rotationFinished(): void;
  /** A command's result came too late. */
  commandLate(): void;
}

/** What exists only between start and stop: everything that speaks under the owner epoch. */
export class Life {
  readonly epoch: number;
  readonly suites: Suites;
  readonly opener: Opener;
  readonly downlinks: Downlinks;
  readonly sender: Sender;
  readonly acknowledger: Acknowledger;
  readonly rotation: Rotation;
  readonly commands: Commands;
  readonly rekeying: Rekeying;
  readonly aftermath: Aftermath;

  constructor(epoch: number, parts: LifeParts) {
    const { network, clock, gateways, registry, suites, m2s } = parts;
    const drawn = new DataView(parts.random(6).slice().buffer);
    this.epoch = epoch;
    this.suites = suites;
    this.opener = new Opener({ clock, registry, suites, m2s, gate: new Gate(clock, registry) });
    // Results of an earlier life's downlinks and commands are told apart by their random first numbers.
    this.downlinks = new Downlinks(clock, gateways, registry, drawn.getUint32(0));
    this.rotation = new Rotation({
      registry,
      nowMs: () => clock.nowMs(),
      due: (nodeId) => this.acknowledger.due(nodeId),
      finished: () => parts.rotationFinished(),
    });
    const sender = new Sender({ clock, registry, downlinks: this.downlinks, suites, epoch }, this.rotation);
    this.sender = sender;
    this.acknowledger = new Acknowledger(clock, registry, sender);
    this.commands = new Commands({
      network,
      clock,
      sender,
      firstNumber: drawn.getUint16(4),
      late: () => parts.commandLate(),
    });
    this.rekeying = new Rekeying(clock, registry, this.commands);
    const { downlinks, acknowledger, rotation, commands } = this;
    this.aftermath = new Aftermath({ ...parts, downlinks, acknowledger, rotation, commands });
  }

  /** Nothing is sent any more; commands under way end. */
  stop(): void {
    this.acknowledger.stop();
    this.commands.stop();
  }
}
