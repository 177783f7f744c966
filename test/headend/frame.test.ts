import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { Reader } from '../../nodes/headend/bytes.ts';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { decodeItem, encodeItem } from '../../nodes/headend/frame/data.ts';
import * as envelope from '../../nodes/headend/frame/envelope.ts';
import * as handshake from '../../nodes/headend/frame/handshake.ts';
import {
  decodePacket,
  encodePacketHeader,
  openPlain,
  type PacketHeader,
  sealPlain,
} from '../../nodes/headend/frame/packet.ts';
import * as radio from '../../nodes/headend/frame/radio.ts';
import {
  decodeReadings,
  encodeReadings,
  maskOf,
  measuredAtMs,
  type RegisterValues,
} from '../../nodes/headend/frame/readings.ts';
import * as sections from '../../nodes/headend/frame/sections.ts';
import * as any from './frame-arbitraries.ts';

const RUNS = { numRuns: 300, seed: 1 };

/** Whatever is encoded is decoded again, unless it was refused as too long for its carrier. */
function roundTrips<T>(
  arbitrary: fc.Arbitrary<T>,
  encode: (value: T) => Uint8Array,
  decode: (bytes: Uint8Array) => Readonly<T>,
) {
  let encoded = 0;
  fc.assert(
    fc.property(arbitrary, (value) => {
      let bytes: Uint8Array;
      try {
        bytes = encode(value);
      } catch (error) {
        assert.equal(reasonOf(error), 'oversize');
        return;
      }
      encoded++;
      assert.deepEqual(decode(bytes), value);
    }),
    RUNS,
  );
  assert.ok(encoded > RUNS.numRuns / 2, `only ${encoded} of ${RUNS.numRuns} were short enough`);
}

function refuses(reason: string, action: () => unknown): void {
  assert.throws(action, (error) => {
    assert.equal(reasonOf(error), reason);
    return true;
  });
}

describe('frame: what is encoded is decoded again', () => {
  it('items', () =>
    roundTrips(any.item, encodeItem, (bytes) => {
      const reader = new Reader(bytes);
      const item = decodeItem(reader);
      reader.end();
      return item;
    }));

  it('radio frames of all types', () =>
    roundTrips(
      fc.tuple(any.frameHeader, any.frameBody),
      ([header, body]) =>
        Buffer.concat([
          radio.encodeFrameUnsealed({ ...header, type: body.type, body: radio.encodeFrameBody(body) }),
          new Uint8Array(radio.LINK_MAC_BYTES),
        ]),
      (bytes) => {
        const { keyId, counter, ...rest } = radio.decodeFrame(bytes);
        return [{ keyId, counter }, radio.decodeFrameBody(rest)] as const;
      },
    ));

  it('packet headers', () =>
    roundTrips(any.packetHeader, encodePacketHeader, (bytes) => {
      const { header, body, ...fields } = decodePacket(bytes);
      assert.deepEqual(header, bytes);
      assert.equal(body.length, 0);
      return fields;
    }));

  it('packets of suite 0x00', () =>
    roundTrips<readonly [PacketHeader, Uint8Array]>(
      fc.tuple(
        any.packetHeader.filter(({ suite }) => suite === 0),
        fc.uint8Array({ maxLength: 190 }),
      ),
      ([header, plaintext]) => sealPlain(encodePacketHeader(header), plaintext),
      (bytes) => {
        const packet = decodePacket(bytes);
        const { header, body, ...fields } = packet;
        return [fields, openPlain({ header, body })] as const;
      },
    ));

  it('M1 payloads', () => roundTrips(any.m1Payload, handshake.encodeM1Payload, handshake.decodeM1Payload));
  it('M2 payloads', () => roundTrips(any.m2Payload, handshake.encodeM2Payload, handshake.decodeM2Payload));

  it('batches of readings', () =>
    roundTrips(any.readings(12), encodeReadings, (bytes) => {
      const reader = new Reader(bytes);
      const readings = decodeReadings(reader);
      reader.end();
      return readings;
    }));

  it('sections on the way up', () =>
    roundTrips(fc.array(any.upSection, { maxLength: 3 }), sections.encodeUpSections, sections.decodeUpSections));

  it('sections on the way down', () =>
    roundTrips(fc.array(any.downSection, { maxLength: 3 }), sections.encodeDownSections, sections.decodeDownSections));

  it('envelopes of a gateway', () =>
    roundTrips(any.gatewayEnvelope, envelope.encodeGatewayEnvelope, envelope.decodeGatewayEnvelope));
  it('envelopes of the host', () =>
    roundTrips(any.hostEnvelope, envelope.encodeHostEnvelope, envelope.decodeHostEnvelope));
});

describe('frame: encoders refuse what no decoder would take', () => {
  const readings = { logId: 'c0ffee01', oldest: 1, first: 1, t0S: 0, intervalS: 60, quality: 'good' as const, mask: 4 };
  const batch = (rows: RegisterValues[], more = {}) => encodeReadings({ ...readings, rows, ...more });
  const item = { more: false, urgent: false, route: [1], packet: new Uint8Array(13) };

  it('rows with other registers than the batch, or values out of range', () => {
    assert.doesNotThrow(() => batch([{ powerDw: 1 }]));
    refuses('badField', () => batch([{}]));
    refuses('badField', () => batch([{ powerDw: 1, voltageDv: 1 }]));
    refuses('badField', () => batch([{ powerDw: 2 ** 31 }]));
    refuses('badField', () => batch([{ powerDw: 0.5 }]));
    refuses('badField', () => batch([{ importDwh: -1 }], { mask: 1 }));
    refuses('badField', () => batch([{ importDwh: 2 ** 48 }], { mask: 1 }));
    refuses('badField', () => batch([], { mask: 128 }));
    refuses('badField', () => batch([], { first: 0 }));
    refuses('badField', () => batch([], { intervalS: 0 }));
    refuses('badField', () => batch([], { logId: 'c0ffee' }));
    refuses('badField', () => batch([{ powerDw: 1 }, { powerDw: 1 }], { first: 0xffff_ffff }));
  });

  it('more than 64 rows, or more bytes than a section holds', () => {
    const rows = (count: number, value: (row: number) => number) =>
      Array.from({ length: count }, (_, row) => ({ powerDw: value(row) }));
    assert.equal(batch(rows(64, () => 0)).length, 22 + 64);
    refuses('badField', () => batch(rows(65, () => 0)));
    refuses('oversize', () => batch(rows(64, (row) => (row % 2 === 0 ? 2 ** 31 - 1 : -(2 ** 31)))));
  });

  it('routes and packets beyond their limits', () => {
    refuses('badField', () => encodeItem({ ...item, route: new Array<number>(21).fill(1) }));
    refuses('badLength', () => encodeItem({ ...item, packet: new Uint8Array(12) }));
    refuses('badLength', () => encodeItem({ ...item, packet: new Uint8Array(213) }));
    refuses('badLength', () => encodeItem({ ...item, packet: new Uint8Array(0) }));
    refuses('badField', () => radio.encodeFrameBody({ type: 'data', cost: 1, items: [] }));
    refuses('badField', () => radio.encodeFrameBody({ type: 'routed', route: [], at: 0, sections: [] }));
    refuses('badField', () => radio.encodeFrameBody({ type: 'routed', route: [1], at: 1, sections: [] }));
    const entries = Array.from({ length: 17 }, () => ({ origin: 1, session: 1, counter: 1 }));
    refuses('badField', () =>
      radio.encodeFrameBody({ type: 'routed', route: [1], at: 0, sections: [{ kind: 'custody', entries }] }),
    );
    refuses('oversize', () =>
      radio.encodeFrameUnsealed({ type: 'data', keyId: 1, counter: 1, body: new Uint8Array(237) }),
    );
  });

  it('acknowledgements that contradict themselves', () => {
    const ack = (ranges: [number, number][]) =>
      sections.encodeDownSections([{ kind: 'ack', logId: '00000000', cumulative: 5, utcMs: 0, ranges }]);
    assert.equal(ack([[7, 7]]).length, 2 + 17 + 8);
    refuses('badField', () => ack([[6, 7]]));
    refuses('badField', () => ack([[8, 7]]));
    refuses('badField', () =>
      ack([
        [9, 9],
        [7, 7],
      ]),
    );
    refuses('badField', () =>
      ack([
        [7, 7],
        [9, 9],
        [11, 11],
        [13, 13],
        [15, 15],
      ]),
    );
  });

  it('headers, handshakes and texts with impossible fields', () => {
    const header = {
      type: 'up' as const,
      suite: 0 as const,
      fragment: false,
      nodeId: '000000000001',
      session: 1,
      counter: 1,
    };
    refuses('badField', () => encodePacketHeader({ ...header, epoch: 1 }));
    refuses('badField', () => encodePacketHeader({ ...header, type: 'down' }));
    refuses('badField', () => encodePacketHeader({ ...header, type: 'm1' }));
    refuses('badField', () => encodePacketHeader({ ...header, fragment: true }));
    refuses('badField', () => encodePacketHeader({ ...header, nodeId: '01' }));
    refuses('badField', () => encodePacketHeader({ ...header, counter: 2 ** 32 }));
    refuses('oversize', () => sealPlain(encodePacketHeader(header), new Uint8Array(196)));
    refuses('oversize', () => envelope.encodeGatewayEnvelope({ type: 'log', level: 'info', text: 'ä'.repeat(101) }));
    refuses('badField', () => envelope.encodeHostEnvelope({ type: 'upAck', numbers: [] }));
    refuses('truncated', () =>
      envelope.encodeHostEnvelope({ type: 'down', token: 1, expiresS: 1, hold: false, packet: new Uint8Array(12) }),
    );
  });
});

describe('frame: what is decoded', () => {
  it('is a copy, also of a Buffer that its owner uses again', () => {
    const sealed = sealPlain(
      encodePacketHeader({ type: 'up', suite: 0, fragment: false, nodeId: '000000000001', session: 1, counter: 1 }),
      Uint8Array.of(5, 0),
    );
    const chunk = Buffer.from(sealed);
    const packet = decodePacket(chunk);
    const plaintext = openPlain(packet);
    chunk.fill(0xff);
    packet.body.fill(0xee);
    assert.deepEqual(packet.header, sealed.slice(0, 13));
    assert.deepEqual(plaintext, Uint8Array.of(5, 0));
  });
});

describe('frame: rows', () => {
  it('name their registers and their time', () => {
    assert.equal(maskOf({}), 0);
    assert.equal(maskOf({ importDwh: 0, powerDw: -1, powerFactorPct: 100 }), 0b100_0101);
    assert.equal(measuredAtMs({ t0S: 1_790_000_000, intervalS: 60 }, 3), 1_790_000_180_000);
  });
});
