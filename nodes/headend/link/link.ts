import type { ErrorName } from '../errors.ts';

/** What a link's user sees of it: `down` carries the cause and what is being done about it. */
export type LinkState =
  | { readonly up: true; readonly detail: string }
  | { readonly up: false; readonly detail: string; readonly reason?: ErrorName };

/** What a link tells the head-end. None of these may throw. */
export interface LinkHandler {
  /**
   * One whole envelope (PROTOCOL.md, "Envelopes") from a gateway. `gateway` names the sender on this link: a topic level, a port, a device. The
   * bytes are the handler's from then on: nobody writes to them any more.
   */
  envelope(gateway: string, bytes: Uint8Array): void;
  /** Bytes that were no envelope: counted by reason, already dropped. */
  bad(gateway: string, reason: ErrorName, length: number): void;
  state(state: LinkState): void;
  /** A gateway said, or the broker says for it, whether it is there; only links that can know (MQTT) call this. */
  presence?(gateway: string, online: boolean): void;
}

/**
 * A way to one or more gateways: serial, MQTT, a Node-RED flow or the simulator. A link moves envelopes and knows nothing of what is in them.
 * It re-opens by itself for ever, with back-off, until closed.
 */
export interface Link {
  readonly kind: 'serial' | 'mqtt' | 'flow' | 'simulated';
  /** Starts the link; resolves when it has started, not when a gateway answers. Throws `badConfig` for settings that can never work. */
  open(handler: LinkHandler): Promise<void>;
  /** Hands one envelope to a gateway; false when it is not reachable now (the caller's protocol repeats: nothing is queued for later). */
  send(gateway: string, envelope: Uint8Array): boolean;
  /** Ends everything: afterwards no handler is called, no timer or descriptor is left. */
  close(): Promise<void>;
}
