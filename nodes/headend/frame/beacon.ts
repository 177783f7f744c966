import { Reader, Writer } from '../bytes.ts';
import { badField, codeOf, ENERGY_CLASSES, type EnergyClass, inRange, nameOf } from './fields.ts';

export const BEACON_BYTES = 29;
/** `hops` of a node without a way to a gateway. */
export const HOPS_NONE = 255;
/** `cost` of a node without a route: poison. */
export const COST_NONE = 65_535;

const DELAY_UNKNOWN = 65_535;
/** Fractions of a millisecond and delays are counted in steps of this many microseconds. */
const STEP_US = 10;
const STEPS_PER_MS = 100;
const AGE_STEP_MIN = 10;
const AGE_STEPS_MAX = 255;
const ENERGY_SHIFT = 4;
const GROUNDED = 1 << 0;
const PULL = 1 << 1;
const CONGESTED = 1 << 2;
const TIME_VALID = 1 << 3;
const HUB = 1 << 6;
const JOINED = 1 << 7;

/** PROTOCOL.md, section 2.1. */
export interface Beacon {
  readonly shortId: number;
  readonly epoch: number;
  readonly tree: number;
  /** Short id of the root; 0 when not grounded. */
  readonly gateway: number;
  readonly nearestHub: number;
  readonly localHubId: number;
  /** To the gateway; HOPS_NONE: no way. */
  readonly hops: number;
  /** Additive ETX in 1/128; COST_NONE: poison. */
  readonly cost: number;
  readonly grounded: boolean;
  /** Please beacon. */
  readonly pull: boolean;
  readonly congested: boolean;
  readonly timeValid: boolean;
  readonly energyClass: EnergyClass;
  /** The sender is a hub or a gateway. */
  readonly hub: boolean;
  readonly joined: boolean;
  /** Frames waiting at the sender. */
  readonly queue: number;
  readonly number: number;
  /** Network time when the beacon was queued, UTC; 0 unless `timeValid`. */
  readonly timeMs: number;
  /** Between the stamp and the send callback of the previous beacon, in steps of 10 us; absent: unknown. */
  readonly lastDelayUs?: number;
  /** Of `timeMs`, 0..990 in steps of 10. */
  readonly subMillisecondUs: number;
  /** Since the host gave the time, minutes in steps of 10, 2550: longer; absent: less than 10. */
  readonly timeAgeMin?: number;
}

/** The body of a BEACON frame. */
export function decodeBeacon(body: Uint8Array): Beacon {
  const reader = new Reader(body);
  const ids = {
    shortId: reader.u16(),
    epoch: reader.u16(),
    tree: reader.u16(),
    gateway: reader.u16(),
    nearestHub: reader.u16(),
    localHubId: reader.u16(),
    hops: reader.u8(),
    cost: reader.u16(),
  };
  const flags = reader.u8();
  const queue = reader.u8();
  const number = reader.u8();
  const timeMs = reader.u48();
  const delay = reader.u16();
  const steps = reader.u16();
  const age = reader.u8();
  reader.end();
  if (steps >= STEPS_PER_MS) throw badField('sub-millisecond', steps);
  return {
    ...ids,
    grounded: (flags & GROUNDED) !== 0,
    pull: (flags & PULL) !== 0,
    congested: (flags & CONGESTED) !== 0,
    timeValid: (flags & TIME_VALID) !== 0,
    energyClass: nameOf(ENERGY_CLASSES, (flags >> ENERGY_SHIFT) & 3, 'energy class'),
    hub: (flags & HUB) !== 0,
    joined: (flags & JOINED) !== 0,
    queue,
    number,
    timeMs,
    ...(delay === DELAY_UNKNOWN ? {} : { lastDelayUs: delay * STEP_US }),
    subMillisecondUs: steps * STEP_US,
    ...(age === 0 ? {} : { timeAgeMin: age * AGE_STEP_MIN }),
  };
}

export function encodeBeacon(beacon: Beacon): Uint8Array {
  const flags =
    (beacon.grounded ? GROUNDED : 0) |
    (beacon.pull ? PULL : 0) |
    (beacon.congested ? CONGESTED : 0) |
    (beacon.timeValid ? TIME_VALID : 0) |
    (codeOf(ENERGY_CLASSES, beacon.energyClass, 'energy class') << ENERGY_SHIFT) |
    (beacon.hub ? HUB : 0) |
    (beacon.joined ? JOINED : 0);
  return new Writer(BEACON_BYTES)
    .u16(beacon.shortId)
    .u16(beacon.epoch)
    .u16(beacon.tree)
    .u16(beacon.gateway)
    .u16(beacon.nearestHub)
    .u16(beacon.localHubId)
    .u8(beacon.hops)
    .u16(beacon.cost)
    .u8(flags)
    .u8(beacon.queue)
    .u8(beacon.number)
    .u48(beacon.timeMs)
    .u16(delaySteps(beacon.lastDelayUs))
    .u16(inRange(beacon.subMillisecondUs / STEP_US, 0, STEPS_PER_MS - 1, 'sub-millisecond'))
    .u8(inRange((beacon.timeAgeMin ?? 0) / AGE_STEP_MIN, 0, AGE_STEPS_MAX, 'age of the time'))
    .finish();
}

function delaySteps(delayUs: number | undefined): number {
  if (delayUs === undefined) return DELAY_UNKNOWN;
  return inRange(delayUs / STEP_US, 0, DELAY_UNKNOWN - 1, 'last delay');
}
