import { Reader } from '../headend/bytes.ts';
import { type ErrorName, WattmeshError } from '../headend/errors.ts';
import * as envelopes from '../headend/frame/envelope.ts';
import { DEVICE_KEY_BYTES, decodeM1Payload, decodeM2Payload } from '../headend/frame/handshake.ts';
import { decodePacket, openPlain, type Packet, SUITE_NONE } from '../headend/frame/packet.ts';
import { measuredAtMs, type Readings } from '../headend/frame/readings.ts';
import { decodeDownSections, decodeUpSections, type UpSection } from '../headend/frame/sections.ts';
import { toMessageFields } from '../headend/metering/obis.ts';

/** Bytes taken apart: named values, in the order in which they stand. Nested ones are what the value carries. */
export interface Dissected {
  readonly [name: string]: unknown;
}

/** Why bytes could not be taken apart. */
export interface Refusal {
  readonly reason: ErrorName;
  readonly code: number;
  readonly message: string;
}

export interface DissectedEnvelope {
  readonly from: 'gateway' | 'host';
  readonly envelope: Dissected;
}

const TYPE_BITS = 0x0f;
const HOST_TYPES: readonly number[] = [
  envelopes.ENVELOPE_TYPES.upAck,
  envelopes.ENVELOPE_TYPES.down,
  envelopes.ENVELOPE_TYPES.time,
];
/** Type byte, instance id, network number: by its length a HELLO tells who sent it. */
const HOST_HELLO_BYTES = 13;

/** Takes an envelope of either direction apart, down to the rows where nothing is encrypted. Throws a WattmeshError for malformed ones. */
export function dissectEnvelope(bytes: Uint8Array): DissectedEnvelope {
  const type = (bytes[0] ?? 0) & TYPE_BITS;
  const isHostHello = type === envelopes.ENVELOPE_TYPES.hello && bytes.length === HOST_HELLO_BYTES;
  if (isHostHello || HOST_TYPES.includes(type)) {
    const envelope = envelopes.decodeHostEnvelope(bytes);
    if (envelope.type !== 'down') return { from: 'host', envelope: { ...envelope } };
    return { from: 'host', envelope: { ...envelope, packet: dissectPacket(envelope.packet) } };
  }
  const envelope = envelopes.decodeGatewayEnvelope(bytes);
  if (envelope.type !== 'up') return { from: 'gateway', envelope: { ...envelope } };
  const { item } = envelope;
  const packet = item.packet.length === 0 ? 'none' : dissectPacket(item.packet);
  return { from: 'gateway', envelope: { ...envelope, item: { ...item, packet } } };
}

/** What a WattmeshError says; any other error is thrown on. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof WattmeshError)) throw error;
  return { reason: error.reason, code: error.code, message: error.message };
}

/** The same with bytes as hexadecimal text: ready for JSON. */
export function toPlain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, toPlain(field)]));
}

/** A packet inside a good envelope may be malformed itself: that is shown in its place. */
function dissectPacket(bytes: Uint8Array): Dissected {
  let packet: Packet;
  try {
    packet = decodePacket(bytes);
  } catch (error) {
    return { bytes, refused: refusalOf(error) };
  }
  const { header: _, body, ...fields } = packet;
  if (packet.suite !== SUITE_NONE) return { ...fields, sealedBytes: body.length };
  try {
    return { ...fields, ...dissectPlaintext(packet, openPlain(packet)) };
  } catch (error) {
    return { ...fields, body, refused: refusalOf(error) };
  }
}

function dissectPlaintext(packet: Packet, plaintext: Uint8Array): Dissected {
  switch (packet.type) {
    case 'm1': {
      const reader = new Reader(plaintext);
      return { deviceKey: reader.bytes(DEVICE_KEY_BYTES), payload: decodeM1Payload(reader.rest()) };
    }
    case 'm2':
      return { payload: decodeM2Payload(plaintext) };
    case 'up':
      return { sections: decodeUpSections(plaintext).map(dissectSection) };
    case 'down':
      return { sections: decodeDownSections(plaintext) };
  }
}

function dissectSection(section: UpSection): Dissected {
  return section.kind === 'readings' ? { ...section, rows: dissectRows(section) } : { ...section };
}

function dissectRows(readings: Readings): Dissected[] {
  return readings.rows.map((row, index) => ({
    seq: readings.first + index,
    measuredAt: new Date(measuredAtMs(readings, index)).toISOString(),
    ...toMessageFields(row),
  }));
}
