import { Reader } from '../bytes.ts';
import { WattmeshError } from '../errors.ts';
import {
  DEVICE_KEY_BYTES,
  decodeM1Payload,
  encodeM2Payload,
  type M1Payload,
  type M2Payload,
} from '../frame/handshake.ts';
import {
  encodePacketHeader,
  openPlain,
  type Packet,
  type PacketHeader,
  SUITE_ECC,
  SUITE_NONE,
  SUITE_RSA,
  type Suite,
  sealPlain,
} from '../frame/packet.ts';
import type { Session } from './session.ts';

/** A suite's name in messages. */
export type SuiteName = 'none' | 'ecc' | 'rsa';

/** An M1 that has verified. */
export interface Handshake {
  readonly suite: Suite;
  readonly nodeId: string;
  /** The node's full public key, 32 bytes. */
  readonly deviceKey: Uint8Array;
  readonly payload: M1Payload;
  /** The whole M2 packet under owner epoch `epoch`. */
  respond(answer: M2Payload, epoch: number): Uint8Array;
}

/** What every suite does. Failures are `truncated`, `badCrc` (suite 0x00), `badTag` or `badField`. */
export interface SuiteEngine {
  readonly name: SuiteName;
  openM1(packet: Packet): Handshake;
  /** The plaintext of a transport packet of `session`. */
  open(packet: Packet, session: Session): Uint8Array;
  /** A whole transport packet to the node of `session`. */
  seal(header: PacketHeader, session: Session, plaintext: Uint8Array): Uint8Array;
}

/** Suite 0x00: the state machines of the others, nothing secret and nothing proven; the CRC finds accidents only. */
const plainEngine: SuiteEngine = {
  name: 'none',
  openM1(packet) {
    const reader = new Reader(openPlain(packet));
    const deviceKey = reader.bytes(DEVICE_KEY_BYTES);
    const payload = decodeM1Payload(reader.rest());
    return {
      suite: SUITE_NONE,
      nodeId: packet.nodeId,
      deviceKey,
      payload,
      respond: (answer, epoch) => sealPlain(m2Header(packet, epoch), encodeM2Payload(answer)),
    };
  },
  open: (packet) => openPlain(packet),
  seal: (header, _session, plaintext) => sealPlain(encodePacketHeader(header), plaintext),
};

const engines: ReadonlyMap<number, SuiteEngine> = new Map([[SUITE_NONE, plainEngine]]);
const names: ReadonlyMap<number, SuiteName> = new Map([
  [SUITE_NONE, 'none'],
  [SUITE_ECC, 'ecc'],
  [SUITE_RSA, 'rsa'],
]);

/** What a network allows. */
export interface SuitePolicy {
  readonly allowSuiteNone: boolean;
}

/** The engine of a suite; undefined for one that the policy does not allow or that this release cannot speak. */
export function engineOf(suite: number, policy: SuitePolicy): SuiteEngine | undefined {
  return suite === SUITE_NONE && !policy.allowSuiteNone ? undefined : engines.get(suite);
}

/** The engine of a suite, or the error `suiteRefused`. */
export function requireEngine(suite: number, policy: SuitePolicy): SuiteEngine {
  const engine = engineOf(suite, policy);
  if (engine) return engine;
  const name = `suite 0x${suite.toString(16).padStart(2, '0')}`;
  throw new WattmeshError(
    'suiteRefused',
    `${name} is not allowed here: set the node to another suite, or change the network's policy`,
  );
}

/** A suite's name in messages. */
export function suiteName(suite: number): SuiteName {
  return names.get(suite) ?? 'none';
}

/** Header of the M2 that answers an M1. */
function m2Header(m1: Packet, epoch: number): Uint8Array {
  const { suite, nodeId, counter } = m1;
  return encodePacketHeader({ type: 'm2', suite, fragment: false, nodeId, session: 0, epoch, counter });
}
