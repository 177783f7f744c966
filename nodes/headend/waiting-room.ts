import { PENDING_MAX } from './admissions.ts';
import { BoundedMap } from './bounded-map.ts';
import { toHex } from './bytes.ts';
import { SUITE_NONE } from './frame/packet.ts';
import type { Input, JoinRequest } from './intake.ts';

/** A device that is approved within this time, ms, after its handshake is answered at once: so long its proxy knows the way back. */
export const ANSWERABLE_MS = 60_000;

/** The latest handshakes of devices that wait for the operator. */
export class WaitingRoom {
  readonly #inputs = new BoundedMap<string, Input>(PENDING_MAX);

  add({ handshake }: JoinRequest, input: Input): void {
    const key = toHex(handshake.deviceKey);
    // One that proves its key is not driven out by one that only claims it.
    if (handshake.suite === SUITE_NONE && this.#inputs.get(key)) return;
    this.#inputs.set(key, input);
  }

  /** The handshake of a device that has been approved; undefined when it is too old to be answered. */
  leave(key: string, nowMs: number): Input | undefined {
    const input = this.#inputs.get(key);
    this.#inputs.delete(key);
    return input && nowMs - input.receivedAtMs <= ANSWERABLE_MS ? input : undefined;
  }
}
