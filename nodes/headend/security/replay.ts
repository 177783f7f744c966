/**
 * Anti-replay window of 64 counters (the algorithm of RFC 4303, section 3.4.3), as an immutable value: the head-end changes its state only
 * together with its store. The bits are two 32-bit halves, for numbers of 64 bits are slow in the hot path.
 */
export interface ReplayWindow {
  /** Highest counter accepted; -1 before the first. */
  readonly highest: number;
  /** Bit n: counter highest - n was accepted. */
  readonly low: number;
  /** Bit n: counter highest - 32 - n was accepted. */
  readonly high: number;
}

export const REPLAY_WINDOW_BITS = 64;

/** `new`: accept it; `seen`: a replay; `below`: too old to know. */
export type ReplayVerdict = 'new' | 'seen' | 'below';

/** The window of a session that has received nothing. */
export const emptyWindow: ReplayWindow = { highest: -1, low: 0, high: 0 };

/** What the window says of a counter. Call it only for packets whose tag has verified. */
export function judgeCounter(window: ReplayWindow, counter: number): ReplayVerdict {
  const age = window.highest - counter;
  if (age < 0) return 'new';
  if (age >= REPLAY_WINDOW_BITS) return 'below';
  const half = age < 32 ? window.low : window.high;
  return (half >>> (age & 31)) & 1 ? 'seen' : 'new';
}

/** The window after a `new` counter. */
export function acceptCounter(window: ReplayWindow, counter: number): ReplayWindow {
  const age = window.highest - counter;
  if (age >= 0) {
    const bit = 1 << (age & 31);
    if (age < 32) return { ...window, low: (window.low | bit) >>> 0 };
    return { ...window, high: (window.high | bit) >>> 0 };
  }
  const step = window.highest < 0 ? REPLAY_WINDOW_BITS : -age;
  const { low, high } = shifted(window, step);
  return { highest: counter, low: (low | 1) >>> 0, high };
}

/** The 64 bits as one number, for the store; bit 0 is the highest counter. */
export function windowBits(window: ReplayWindow): bigint {
  return (BigInt(window.high) << 32n) | BigInt(window.low);
}

/** The window that `windowBits` wrote. */
export function windowFromBits(highest: number, bits: bigint): ReplayWindow {
  return { highest, low: Number(bits & 0xffff_ffffn), high: Number((bits >> 32n) & 0xffff_ffffn) };
}

/** Both halves moved up by `step` counters; a shift by 32 or more is undefined for the operators. */
function shifted({ low, high }: ReplayWindow, step: number): { low: number; high: number } {
  if (step >= REPLAY_WINDOW_BITS) return { low: 0, high: 0 };
  if (step >= 32) return { low: 0, high: (low << (step - 32)) >>> 0 };
  return { low: (low << step) >>> 0, high: ((high << step) | (low >>> (32 - step))) >>> 0 };
}
