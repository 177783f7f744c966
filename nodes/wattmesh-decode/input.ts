import { WattmeshError } from '../headend/errors.ts';
import { isId, parseTopic } from '../headend/frame/topics.ts';

/** Gateway of messages whose topic names none. */
export const DEFAULT_GATEWAY = 'gateway';
/** Longest gateway id (PROTOCOL.md, section 7). */
const ID_CHARS_MAX = 32;

/**
 * The pieces of bytes in a payload: one for a Buffer, a Uint8Array, an array of byte values or a Buffer that went through JSON; several for
 * an array of those. Throws `badField` for anything else.
 */
export function bytesOf(payload: unknown): Uint8Array[] {
  const single = pieceOf(payload);
  if (single) return [single];
  if (!Array.isArray(payload)) throw notBytes(payload);
  return payload.map((each) => {
    const piece = pieceOf(each);
    if (!piece) throw notBytes(each);
    return piece;
  });
}

/** Who sent a message: the gateway of one of our MQTT topics, or a name made of any other topic. */
export type Sender = { readonly gateway: string } | 'other network' | 'no envelope';

/**
 * The sender of a message by its topic. Topics of ours that carry no envelope from a gateway (a subscription to everything below the
 * network brings them too) and those of other networks are told apart.
 */
export function senderOf(topic: unknown, networkId: string): Sender {
  if (typeof topic !== 'string') return { gateway: DEFAULT_GATEWAY };
  const ours = parseTopic(topic);
  if (ours && ours.network !== networkId) return 'other network';
  if (ours) return ours.kind === 'up' ? { gateway: ours.gateway } : 'no envelope';
  return { gateway: idOf(topic) };
}

/** An id as near as possible to any text: `/dev/ttyUSB0` becomes `dev-ttyusb0`. */
function idOf(text: string): string {
  if (isId(text)) return text;
  const words =
    text
      .slice(-ID_CHARS_MAX)
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? [];
  return words.join('-') || DEFAULT_GATEWAY;
}

function pieceOf(value: unknown): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.length > 0 && value.every(isByte) ? Uint8Array.from(value) : undefined;
  if (
    typeof value !== 'object' ||
    value === null ||
    !('type' in value) ||
    value.type !== 'Buffer' ||
    !('data' in value)
  ) {
    return undefined;
  }
  return Array.isArray(value.data) && value.data.every(isByte) ? Uint8Array.from(value.data) : undefined;
}

function isByte(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xff;
}

function notBytes(value: unknown): WattmeshError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array of other things' : `a ${typeof value}`;
  return new WattmeshError(
    'badField',
    `msg.payload must be a Buffer and is ${kind}: set the node before this one to give a Buffer`,
  );
}
