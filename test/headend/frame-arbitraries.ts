import * as fc from 'fast-check';
import type { Beacon } from '../../nodes/headend/frame/beacon.ts';
import type { Item } from '../../nodes/headend/frame/data.ts';
import type { Envelope, HostEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { ENERGY_CLASSES, RESET_CAUSES } from '../../nodes/headend/frame/fields.ts';
import type { M1Payload, M2Payload } from '../../nodes/headend/frame/handshake.ts';
import type { PacketHeader } from '../../nodes/headend/frame/packet.ts';
import type { FrameBody, UnsealedFrame } from '../../nodes/headend/frame/radio.ts';
import { REGISTERS, type Readings, type RegisterValues } from '../../nodes/headend/frame/readings.ts';
import type { AckRange, DownSection, UpSection } from '../../nodes/headend/frame/sections.ts';

/** Everything that the protocol can say, for property tests: each arbitrary gives values that must survive encoding and decoding. */

/** A record like those that decoders return, with the prototype of a plain object. */
function record<T>(model: { [Field in keyof T]: fc.Arbitrary<T[Field]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const u8 = fc.nat(0xff);
const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const u48 = fc.nat(2 ** 48 - 1);
const i8 = fc.integer({ min: -128, max: 127 });
const utcMs = fc.nat(Number.MAX_SAFE_INTEGER);
const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((value) => Buffer.from(value).toString('hex'));
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const nodeId = hex(6);
const logId = hex(4);
const firmware = fc.tuple(u8, u8, u8).map((parts) => parts.join('.'));
const role = fc.constantFrom('meter', 'hub', 'gateway');
const energyClass = fc.constantFrom(...ENERGY_CLASSES);
const resetCause = fc.constantFrom(...RESET_CAUSES);
const direction = fc.constantFrom('up', 'down');
const packet = bytes(13, 212);
const shortPacket = bytes(13, 60);
const registerMask = fc.nat(0x7f);

/** A record whose optional field is either there or absent, as decoders leave it. */
function optional<T, K extends string, V>(base: fc.Arbitrary<T>, name: K, value: fc.Arbitrary<V>) {
  return fc
    .tuple(base, fc.option(value, { nil: undefined }))
    .map(([fields, given]) => (given === undefined ? fields : { ...fields, [name]: given })) as fc.Arbitrary<
    T & { readonly [Name in K]?: V }
  >;
}

const kind = <Kind extends string>(name: Kind) => fc.constant(name);

const itemWith = (content: fc.Arbitrary<Uint8Array>, hops: number): fc.Arbitrary<Item> =>
  fc.oneof(
    optional(
      record({
        more: fc.boolean(),
        urgent: fc.boolean(),
        route: fc.array(u16, { maxLength: hops }),
        packet: content,
      }),
      'poll',
      u16,
    ),
    record({
      more: fc.boolean(),
      poll: u16,
      urgent: fc.boolean(),
      route: fc.array(u16, { maxLength: hops }),
      packet: fc.constant(new Uint8Array(0)),
    }),
  );

export const item = itemWith(packet, 20);

const beacon: fc.Arbitrary<Beacon> = optional(
  optional(
    record({
      shortId: u16,
      epoch: u16,
      tree: u16,
      gateway: u16,
      nearestHub: u16,
      localHubId: u16,
      hops: u8,
      cost: u16,
      grounded: fc.boolean(),
      pull: fc.boolean(),
      congested: fc.boolean(),
      timeValid: fc.boolean(),
      energyClass,
      hub: fc.boolean(),
      joined: fc.boolean(),
      queue: u8,
      number: u8,
      timeMs: u48,
      subMillisecondUs: fc.nat(99).map((steps) => steps * 10),
    }),
    'timeAgeMin',
    fc.integer({ min: 1, max: 255 }).map((steps) => steps * 10),
  ),
  'lastDelayUs',
  fc.nat(65_534).map((steps) => steps * 10),
);

const unknownSection = (code: fc.Arbitrary<number>) => record({ kind: kind('unknown'), code, body: bytes(0, 20) });

/** In preorder: each node at most one hop below the one before, and all below the first. */
const pollTree = fc
  .array(record({ rise: fc.nat(5), asked: fc.boolean(), shortId: u16 }), { minLength: 1, maxLength: 8 })
  .map((nodes) => {
    let before = 0;
    return nodes.map(({ rise, asked, shortId }, index) => {
      before = index === 0 ? 1 + rise : Math.max(2 + (nodes[0]?.rise ?? 0), before + 1 - rise);
      return { hops: before, asked, shortId };
    });
  });

const routedSection = fc.oneof(
  record({
    kind: kind('poll'),
    number: u16,
    packets: fc.integer({ min: 1, max: 4 }),
    depth: fc.integer({ min: 1, max: 20 }),
    tree: pollTree,
  }),
  record({
    kind: kind('custody'),
    entries: fc.array(record({ origin: u16, session: u8, counter: u32 }), { minLength: 1, maxLength: 5 }),
  }),
  record({ kind: kind('packet'), hold: fc.boolean(), packet: shortPacket }),
  record({ kind: kind('time'), number: u16, raw: u16, time: u16, skew: fc.integer({ min: -32_768, max: 32_767 }) }),
  record({ kind: kind('packetFor'), target: u16, packet: shortPacket }),
  record({ kind: kind('wake'), phase: u16, beacon }),
  record({ kind: kind('left'), entries: fc.array(u16, { minLength: 1, maxLength: 16 }) }),
  unknownSection(fc.integer({ min: 8, max: 255 })),
);

const routed = fc.array(u16, { minLength: 1, maxLength: 20 }).chain((route) =>
  record({
    type: kind('routed'),
    route: fc.constant(route),
    at: fc.nat(route.length - 1),
    sections: fc.array(routedSection, { maxLength: 3 }),
  }),
);

/** Items that came the same way at the end, as those of one frame do. */
const aggregated = fc
  .tuple(fc.array(itemWith(shortPacket, 5), { minLength: 1, maxLength: 3 }), fc.array(u16, { maxLength: 5 }))
  .map(([items, end]) => items.map((each) => ({ ...each, route: [...each.route, ...end] })));

export const frameBody: fc.Arbitrary<FrameBody> = fc.oneof(
  beacon.map((fields) => ({ type: 'beacon' as const, ...fields })),
  record({ type: kind('data'), cost: u16, items: aggregated }),
  routed,
  record({
    type: kind('route'),
    hops: u8,
    kind: fc.constantFrom('parentChanged', 'unreachable', 'newTree'),
    node: u16,
    other: u16,
    number: u16,
  }),
  optional(record({ type: kind('challenge'), nonce: bytes(8, 8) }), 'counter', u32),
  record({ type: kind('join'), direction, packet }),
  record({ type: kind('join'), direction: kind('solicit'), packet: fc.constant(new Uint8Array(0)) }),
  record({ type: kind('leave'), origin: u16, newHub: u16, number: u16 }),
  record({ type: kind('flood'), ttl: u8, origin: u16, number: u16, direction, packet }),
);

export const frameHeader: fc.Arbitrary<Omit<UnsealedFrame, 'type' | 'body'>> = record({
  keyId: fc.nat(15),
  counter: u32,
});

const suite = fc.constantFrom(0x00 as const, 0x01 as const, 0x10 as const);
export const packetHeader: fc.Arbitrary<PacketHeader> = fc.oneof(
  record({ type: kind('m1'), suite, fragment: fc.constant(false), nodeId, session: fc.constant(0), counter: u32 }),
  record({
    type: kind('m1'),
    suite: fc.constant(0x10 as const),
    fragment: fc.constant(true),
    nodeId,
    session: fc.constant(0),
    counter: u32,
  }),
  record({
    type: kind('m2'),
    suite,
    fragment: fc.constant(false),
    nodeId,
    session: fc.constant(0),
    epoch: u32,
    counter: u32,
  }),
  record({ type: kind('up'), suite, fragment: fc.constant(false), nodeId, session: u8, counter: u32 }),
  record({ type: kind('down'), suite, fragment: fc.constant(false), nodeId, session: u8, epoch: u32, counter: u32 }),
);

export const m1Payload: fc.Arbitrary<M1Payload> = record({
  handshake: u32,
  logId,
  firmware,
  role,
  bootCount: u16,
  capabilities: record({
    routes: fc.boolean(),
    relay: fc.boolean(),
    battery: fc.boolean(),
    simulated: fc.boolean(),
  }),
  localHubId: u16,
  shortId: u16,
  intervalS: u16,
  pollCycleS: u16,
  energyClass,
  resetCause,
  registerMask,
});

export const m2Payload: fc.Arbitrary<M2Payload> = record({
  session: fc.integer({ min: 1, max: 255 }),
  shortId: fc.integer({ min: 1, max: 0xfffe }),
  keyId: fc.nat(15),
  networkKey: bytes(16, 16),
  localHubId: u16,
  utcMs,
  acknowledged: u32,
  policy: record({ suiteNone: fc.boolean(), flooding: fc.boolean() }),
});

/** Rows of the registers of `mask`; the ends of each range come up often. */
function row(mask: number): fc.Arbitrary<RegisterValues> {
  const registers = REGISTERS.filter((_, bit) => (mask & (1 << bit)) !== 0);
  const values = registers.map(({ name, min, max }) => [
    name,
    fc.oneof({ weight: 4, arbitrary: fc.integer({ min, max }) }, { weight: 1, arbitrary: fc.constantFrom(min, max) }),
  ]);
  return record(Object.fromEntries(values) as Record<string, fc.Arbitrary<number>>);
}

/** Batches of up to `rows` rows. */
export const readings = (rows: number): fc.Arbitrary<Readings> =>
  registerMask.chain((mask) =>
    record({
      logId,
      oldest: fc.integer({ min: 1, max: 0xffff_ffff }),
      first: fc.integer({ min: 1, max: 0xffff_ff00 }),
      t0S: u32,
      intervalS: fc.integer({ min: 1, max: 0xffff }),
      quality: fc.constantFrom('good', 'clock', 'estimated'),
      mask: fc.constant(mask),
      rows: fc.array(row(mask), { maxLength: rows }),
    }),
  );

const telemetry = optional(
  optional(
    record({
      kind: kind('telemetry'),
      shortId: u16,
      parent: u16,
      parentRssiDbm: i8,
      etx: u16,
      cost: u16,
      hops: u8,
      queue: u8,
      bootCount: u16,
      resetCause,
      uptimeS: u32,
    }),
    'batteryMv',
    fc.nat(65_534),
  ),
  'freeRamBytes',
  fc.integer({ min: 1, max: 0xffff_ffff }),
);

export const upSection: fc.Arbitrary<UpSection> = fc.oneof(
  readings(1).map((batch) => ({ kind: 'readings' as const, ...batch })),
  telemetry,
  record({ kind: kind('echo'), epoch: u32, counter: u32 }),
  record({
    kind: kind('result'),
    command: u16,
    outcome: fc.constantFrom('done', 'prepared', 'refused', 'expired', 'unknownOperation', 'failed'),
    data: bytes(0, 32),
  }),
  record({ kind: kind('probe') }),
  record({ kind: kind('event'), code: u8, utcMs: u48, value: fc.integer({ min: -32_768, max: 32_767 }) }),
  fc
    .tuple(logId, fc.uniqueArray(fc.integer({ min: 1, max: 0xffff_ffff }), { minLength: 1, maxLength: 2 }))
    .map(([id, bounds]) => ({
      kind: 'lost' as const,
      logId: id,
      first: Math.min(...bounds),
      last: Math.max(...bounds),
    })),
  unknownSection(fc.integer({ min: 8, max: 255 })),
);

/** Ascending, disjoint, above 11. */
const ranges = fc
  .uniqueArray(fc.integer({ min: 12, max: 0xffff_ffff }), { maxLength: 8 })
  .map((bounds) => bounds.sort((a, b) => a - b))
  .map((bounds) => bounds.flatMap((first, at) => (at % 2 === 0 ? [[first, bounds[at + 1] ?? first] as AckRange] : [])));

export const downSection: fc.Arbitrary<DownSection> = fc.oneof(
  record({ kind: kind('ack'), logId, cumulative: fc.nat(10), utcMs, ranges }),
  record({ kind: kind('command'), command: u16, operation: u8, arguments: bytes(0, 32) }),
  record({
    kind: kind('netkey'),
    keyId: fc.integer({ min: 1, max: 15 }),
    networkKey: bytes(16, 16),
    untilUseS: u32,
  }),
  record({ kind: kind('eventSeen'), code: u8, utcMs: u48, value: fc.integer({ min: -32_768, max: 32_767 }) }),
  unknownSection(fc.nat(0x80)),
);

const stats = record({
  uptimeS: u32,
  framesReceived: u32,
  framesSent: u32,
  sendsFailed: u32,
  badMac: u32,
  replays: u32,
  malformed: u32,
  queueFull: u32,
  queue: u16,
  members: u16,
  neighbours: u16,
});

export const gatewayEnvelope: fc.Arbitrary<Envelope> = fc.oneof(
  record({
    type: kind('hello'),
    nodeId,
    shortId: u16,
    firmware,
    role,
    bootId: u32,
    networkNumber: u32,
    window: u8,
  }),
  record({ type: kind('up'), number: u32, rssiDbm: i8, utcMs: u48, item }),
  record({ type: kind('downResult'), token: u32, error: u16 }),
  stats.map((fields) => ({ type: 'stats' as const, ...fields })),
  record({
    type: kind('log'),
    level: fc.constantFrom('error', 'warning', 'info'),
    text: fc.string({ unit: 'binary', maxLength: 50 }),
  }),
);

export const hostEnvelope: fc.Arbitrary<HostEnvelope> = fc.oneof(
  record({ type: kind('hello'), instanceId: hex(8), networkNumber: u32 }),
  record({ type: kind('upAck'), numbers: fc.array(u32, { minLength: 1, maxLength: 32 }) }),
  record({ type: kind('down'), token: u32, expiresS: u32, hold: fc.boolean(), packet }),
  record({ type: kind('time'), utcMs, synchronised: fc.boolean() }),
);
