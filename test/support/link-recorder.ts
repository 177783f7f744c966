import type { ErrorName } from '../../nodes/headend/errors.ts';
import type { LinkHandler, LinkState } from '../../nodes/headend/link/link.ts';
import { Observed } from './observed.ts';

/** A link's handler that keeps what it is told. */
export class LinkRecorder extends Observed implements LinkHandler {
  readonly envelopes: { gateway: string; bytes: Uint8Array }[] = [];
  readonly faults: { gateway: string; reason: ErrorName; length: number }[] = [];
  readonly states: LinkState[] = [];
  readonly presences: { gateway: string; online: boolean }[] = [];

  envelope(gateway: string, bytes: Uint8Array): void {
    this.envelopes.push({ gateway, bytes });
    this.changed();
  }

  bad(gateway: string, reason: ErrorName, length: number): void {
    this.faults.push({ gateway, reason, length });
    this.changed();
  }

  state(state: LinkState): void {
    this.states.push(state);
    this.changed();
  }

  presence(gateway: string, online: boolean): void {
    this.presences.push({ gateway, online });
    this.changed();
  }

  /** The state told last. */
  get last(): LinkState | undefined {
    return this.states.at(-1);
  }

  /** The reason of the state told last; undefined while the link is up. */
  get reason(): ErrorName | undefined {
    return this.last?.up === false ? this.last.reason : undefined;
  }

  protected override summary(): unknown {
    return { states: this.states, faults: this.faults.slice(-20), envelopes: this.envelopes.length };
  }
}
