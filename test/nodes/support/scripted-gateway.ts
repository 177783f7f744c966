import {
  decodeHostEnvelope,
  type Envelope,
  encodeGatewayEnvelope,
  type HostEnvelope,
} from '../../../nodes/headend/frame/envelope.ts';
import { decodePacket } from '../../../nodes/headend/frame/packet.ts';
import type { ReadingsSection } from '../../../nodes/headend/frame/sections.ts';
import { networkNumber } from '../../../nodes/headend/security/keys.ts';
import { ScriptedNode } from '../../headend/support/scripted-node.ts';
import { Observed } from '../../support/observed.ts';
import { headEndKey } from '../../support/secrets.ts';

/** Network id in the tests of nodes. */
export const NETWORK = 'test-net';

export interface GatewayOptions {
  /** Default: a new one. */
  readonly meter?: ScriptedNode;
  /** Has the operator let the meter in, before it joins. */
  letIn?(meter: ScriptedNode): Promise<unknown>;
}

/** A gateway with one meter behind it, speaking the real bytes of suite 0x01; the test carries them. */
export class ScriptedGateway extends Observed {
  readonly meter: ScriptedNode;
  readonly answers: HostEnvelope[] = [];
  /** UTC of row 0, seconds; set by the first rows. */
  rowZeroS: number | undefined;
  #letIn: GatewayOptions['letIn'];
  #send: (envelope: Uint8Array) => void;
  #upNumber = 1;

  /** `send` carries an envelope to the head-end. */
  constructor(seed: string, send: (envelope: Uint8Array) => void, { meter, letIn }: GatewayOptions = {}) {
    super();
    const security = {
      suite: 'ecc',
      headEndKey: headEndKey.publicKey,
      networkNumber: networkNumber(NETWORK),
    } as const;
    this.meter = meter ?? new ScriptedNode({ seed, security });
    this.#letIn = letIn;
    this.#send = send;
  }

  /** An envelope from the head-end. */
  take(envelope: Uint8Array): void {
    this.answers.push(decodeHostEnvelope(envelope));
    this.changed();
  }

  /** The meter joins without the operator. */
  joinsUnasked(): void {
    this.#letIn = undefined;
  }

  /** Introduces the gateway and lets the meter join. */
  async begin(): Promise<void> {
    this.hello();
    await this.until('the answer to HELLO', ({ answers }) => answers.some(({ type }) => type === 'time'));
    await this.#letIn?.(this.meter);
    this.joinRequest();
    await this.until('M2', () => this.#m2() !== undefined);
    this.meter.takeM2(this.#m2() as Uint8Array);
  }

  /** The meter's first handshake message. */
  joinRequest(): void {
    this.#up(this.meter.m1(), [0]);
  }

  hello(): void {
    const rest = { shortId: 0x8000, firmware: '0.1.0', role: 'gateway', bootId: 7, window: 16 } as const;
    this.#deliver({ type: 'hello', nodeId: 'aabbccddeeff', networkNumber: networkNumber(NETWORK), ...rest });
  }

  /** Rows `first` to `last`; the last of the first call was measured just now, or each call's last one `ageS` seconds ago. */
  rows(first: number, last: number, ageS?: number): void {
    const section = this.meter.readings(first, last);
    const nowS = Math.floor(Date.now() / 1000);
    this.rowZeroS ??= nowS - last * section.intervalS;
    const zeroS = ageS === undefined ? this.rowZeroS : nowS - ageS - last * section.intervalS;
    const t0S = zeroS + first * section.intervalS;
    this.#up(this.meter.up([{ ...section, t0S } satisfies ReadingsSection]), [this.meter.shortId]);
  }

  /** The bytes of an envelope that holds rows, not sent. */
  rowsEnvelope(first: number, last: number): Uint8Array {
    const kept: Uint8Array[] = [];
    const send = this.#send;
    this.#send = (envelope) => kept.push(envelope);
    this.rows(first, last);
    this.#send = send;
    return kept[0] as Uint8Array;
  }

  #m2(): Uint8Array | undefined {
    const packets = this.answers.flatMap((answer) => (answer.type === 'down' ? [answer.packet] : []));
    return packets.find((packet) => decodePacket(packet).type === 'm2');
  }

  #up(packet: Uint8Array, route: number[]): void {
    const item = { more: false, urgent: false, route, packet };
    this.#deliver({ type: 'up', number: this.#upNumber++, rssiDbm: -70, utcMs: 0, item });
  }

  #deliver(envelope: Envelope): void {
    this.#send(encodeGatewayEnvelope(envelope));
  }

  protected summary(): unknown {
    return this.answers.map(({ type }) => type);
  }
}
