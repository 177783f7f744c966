import { type ErrorName, WattmeshError } from '../../nodes/headend/errors.ts';
import * as envelope from '../../nodes/headend/frame/envelope.ts';
import * as handshake from '../../nodes/headend/frame/handshake.ts';
import { decodePacket, encodePacketHeader } from '../../nodes/headend/frame/packet.ts';
import { decodeFrame, decodeFrameBody, encodeFrameBody, encodeFrameUnsealed } from '../../nodes/headend/frame/radio.ts';
import * as sections from '../../nodes/headend/frame/sections.ts';
import { encodeSlip, SlipDecoder } from '../../nodes/headend/frame/slip.ts';
import type { Kind } from './load.ts';

/** What a codec makes of bytes: their fields, and the bytes that the fields encode to. */
export interface Judged {
  readonly fields: unknown;
  readonly encoded: Uint8Array;
}

/** One function per kind of vector; bytes that are refused throw a WattmeshError. */
export const CODECS: Readonly<Record<Kind, (bytes: Uint8Array) => Judged>> = {
  radio(bytes) {
    const { body: _, ...header } = decodeFrame(bytes);
    const { type, ...body } = decodeFrameBody(decodeFrame(bytes));
    const encodedBody = encodeFrameBody(decodeFrameBody(decodeFrame(bytes)));
    const unsealed = encodeFrameUnsealed({ ...header, body: encodedBody });
    return { fields: { ...header, type, body }, encoded: Buffer.concat([unsealed, header.mac]) };
  },
  'envelope-gateway'(bytes) {
    const fields = envelope.decodeGatewayEnvelope(bytes);
    return { fields, encoded: envelope.encodeGatewayEnvelope(fields) };
  },
  'envelope-host'(bytes) {
    const fields = envelope.decodeHostEnvelope(bytes);
    return { fields, encoded: envelope.encodeHostEnvelope(fields) };
  },
  packet(bytes) {
    const fields = decodePacket(bytes);
    return { fields, encoded: Buffer.concat([encodePacketHeader(fields), fields.body]) };
  },
  'sections-up'(bytes) {
    const fields = sections.decodeUpSections(bytes);
    return { fields: { sections: fields }, encoded: sections.encodeUpSections(fields) };
  },
  'sections-down'(bytes) {
    const fields = sections.decodeDownSections(bytes);
    return { fields: { sections: fields }, encoded: sections.encodeDownSections(fields) };
  },
  'm1-payload'(bytes) {
    const fields = handshake.decodeM1Payload(bytes);
    return { fields, encoded: handshake.encodeM1Payload(fields) };
  },
  'm2-payload'(bytes) {
    const fields = handshake.decodeM2Payload(bytes);
    return { fields, encoded: handshake.encodeM2Payload(fields) };
  },
  slip(bytes) {
    const found = decodeOneSlip(bytes);
    return { fields: { envelope: found }, encoded: encodeSlip(found) };
  },
};

/** All envelopes and faults on a serial line, in their order. */
export function readSlip(line: Uint8Array): { readonly frames: Uint8Array[]; readonly faults: ErrorName[] } {
  const frames: Uint8Array[] = [];
  const faults: ErrorName[] = [];
  const decoder = new SlipDecoder({ frame: (frame) => frames.push(frame), bad: (reason) => faults.push(reason) });
  decoder.push(line);
  decoder.end();
  return { frames, faults };
}

function decodeOneSlip(line: Uint8Array): Uint8Array {
  const { frames, faults } = readSlip(line);
  const [fault] = faults;
  if (fault) throw new WattmeshError(fault, `${faults.length} faults in a SLIP packet`);
  const [frame] = frames;
  if (!frame || frames.length > 1) throw new Error(`${frames.length} envelopes in what should be one SLIP packet`);
  return frame;
}
