/** Times and sizes of IEEE 802.11b at 1 Mbit/s with the long preamble, as ESP-NOW uses it. Microseconds and bytes. */

export const SLOT_US = 20;
export const SIFS_US = 10;
export const DIFS_US = 50;
/** Long preamble and header of the physical layer. */
export const PREAMBLE_US = 192;
/** An acknowledgement: the preamble and 14 bytes. */
export const ACK_US = 304;
/** Wait after a frame that was heard but not understood: the acknowledgement it may be followed by, then DIFS. */
export const EIFS_US = SIFS_US + ACK_US + DIFS_US;
/** A sender gives up on an acknowledgement of which it has not even heard the preamble. */
export const ACK_TIMEOUT_US = SIFS_US + SLOT_US + PREAMBLE_US;
/**
 * A station notices another one's carrier so long after it began; two that begin closer together collide. The standard allows 15 us;
 * with 4, the time to detect a preamble, ten saturated senders meet the reference figures within 1 %, with 15 within 4 %.
 */
export const CARRIER_DETECT_US = 4;
export const CW_MIN = 31;
export const CW_MAX = 1023;

/** ESP-NOW version 1. */
export const MAX_PAYLOAD_BYTES = 250;
/** What the MAC header, the vendor action frame around the payload and the check sum add. */
export const OVERHEAD_BYTES = 43;

/** Time on air of a data frame with this payload, at 8 us a byte. */
export function dataAirtimeUs(payloadBytes: number): number {
  return PREAMBLE_US + 8 * (payloadBytes + OVERHEAD_BYTES);
}
