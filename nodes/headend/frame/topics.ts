import { WattmeshError } from '../errors.ts';

/** First level of every MQTT topic of ours. */
const ROOT = 'wattmesh';
const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const INSTANCE = /^[0-9a-f]{16}$/;
const HOST_PRESENCE = /^(online|offline) ([0-9a-f]{16})$/;
/** Longest presence text: `offline`, a blank, 16 hexadecimal digits. */
const PRESENCE_BYTES_MAX = 24;

/** A topic of PROTOCOL.md, "MQTT": a gateway's envelopes up and down and its presence, or the head-end's presence. */
export type Topic =
  | { readonly kind: 'up' | 'down' | 'status'; readonly network: string; readonly gateway: string }
  | { readonly kind: 'host'; readonly network: string };

/** Payload of the host topic: which instance of the head-end serves the network, or served it last. */
export interface HostPresence {
  readonly online: boolean;
  /** 16 hexadecimal digits, drawn anew at each start of a head-end. */
  readonly instance: string;
}

/** True for a network or gateway id: 1 to 32 of `a-z 0-9 -`, not starting with a dash. */
export function isId(text: string): boolean {
  return ID.test(text);
}

/** True for the id of a head-end's instance. */
export function isInstance(text: string): boolean {
  return INSTANCE.test(text);
}

/** The topic's text; an id that does not fit the rules throws `badField`. */
export function formatTopic(topic: Topic): string {
  checkId('network', topic.network);
  if (topic.kind === 'host') return `${ROOT}/${topic.network}/host`;
  checkId('gateway', topic.gateway);
  return `${ROOT}/${topic.network}/${topic.gateway}/${topic.kind}`;
}

/** The topic of a text, or undefined for anything that is not exactly one of ours. */
export function parseTopic(text: string): Topic | undefined {
  const [root, network, third, kind, ...more] = text.split('/', 5);
  if (root !== ROOT || network === undefined || third === undefined || more.length > 0 || !isId(network))
    return undefined;
  if (kind === undefined) return third === 'host' ? { kind: 'host', network } : undefined;
  if ((kind !== 'up' && kind !== 'down' && kind !== 'status') || !isId(third)) return undefined;
  return { kind, network, gateway: third };
}

/** What a head-end subscribes to: all gateways' envelopes and presence, and the head-ends' presence. */
export function hostFilters(network: string): { readonly up: string; readonly status: string; readonly host: string } {
  const host = formatTopic({ kind: 'host', network });
  return { up: `${ROOT}/${network}/+/up`, status: `${ROOT}/${network}/+/status`, host };
}

/** Payload of a gateway's status topic. */
export function formatGatewayPresence(online: boolean): string {
  return online ? 'online' : 'offline';
}

/** True for `online`, false for `offline` and for nothing (a retained status that was deleted), undefined for anything else. */
export function parseGatewayPresence(payload: Uint8Array): boolean | undefined {
  const text = presenceText(payload);
  if (text === 'online') return true;
  return text === 'offline' || text === '' ? false : undefined;
}

/** Payload of the host topic; an instance that is not 16 hexadecimal digits throws `badField`. */
export function formatHostPresence(presence: HostPresence): string {
  if (!isInstance(presence.instance)) {
    throw new WattmeshError(
      'badField',
      `"${presence.instance}" is no instance id: use 16 hexadecimal digits (0-9, a-f)`,
    );
  }
  return `${formatGatewayPresence(presence.online)} ${presence.instance}`;
}

/** The presence in a host topic's payload, or undefined when it is empty or something else. */
export function parseHostPresence(payload: Uint8Array): HostPresence | undefined {
  const match = HOST_PRESENCE.exec(presenceText(payload) ?? '');
  return match?.[2] === undefined ? undefined : { online: match[1] === 'online', instance: match[2] };
}

function presenceText(payload: Uint8Array): string | undefined {
  if (payload.length > PRESENCE_BYTES_MAX) return undefined;
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('latin1');
}

function checkId(what: 'network' | 'gateway', id: string): void {
  if (isId(id)) return;
  const shown = JSON.stringify(id.slice(0, 40));
  throw new WattmeshError('badField', `${shown} is no ${what} id: use 1 to 32 of a-z, 0-9 and -, not starting with -`);
}
