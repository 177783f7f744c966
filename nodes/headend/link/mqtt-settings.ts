import { createSecureContext } from 'node:tls';
import type { IClientOptions } from 'mqtt';
import type { Clock } from '../clock.ts';
import { WattmeshError } from '../errors.ts';
import { isId, isInstance } from '../frame/topics.ts';

/** Ping interval, s: a broker calls a silent client dead after 1.5 times this (MQTT 3.1.1, 3.1.2.10). */
const KEEPALIVE_S = 15;
/** Longest wait for the broker's CONNACK, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** TLS options: PEM texts; `rejectUnauthorized` false accepts any certificate. */
export interface MqttTls {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** Where the broker is and who we are there. */
export interface MqttSettings {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, without user name and password. */
  readonly url: string;
  readonly network: string;
  /** 16 hexadecimal digits, drawn anew at each start: two processes must never share one. */
  readonly instanceId: string;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: MqttTls;
  /** Before the instance id in the client id; default `wmhost-`, so that the whole is 23 characters, which every broker allows. */
  readonly clientIdPrefix?: string;
  readonly clock: Clock;
  /** Numbers in [0, 1) for the back-off; default Math.random. */
  readonly random?: () => number;
}

/** Throws `badConfig`, with what to change, for settings that can never work; otherwise gives the broker's address for status texts. */
export function checkMqttSettings(settings: MqttSettings): string {
  const url = URL.canParse(settings.url) ? new URL(settings.url) : undefined;
  if (!url?.hostname || !['mqtt:', 'mqtts:', 'ws:', 'wss:'].includes(url.protocol)) {
    throw bad('the broker address is not usable: write it like mqtt://192.168.1.10:1883, or mqtts:// for TLS');
  }
  if (url.username || url.password) {
    throw bad(
      'the broker address holds a user name or password: put them into their own fields, they are kept as credentials',
    );
  }
  if (!isId(settings.network))
    throw bad('the network id is not usable in a topic: use 1 to 32 of a-z, 0-9 and -, not starting with -');
  if (!isInstance(settings.instanceId)) throw bad('the instance id must be 16 hexadecimal digits');
  if (!/^[\w-]{0,32}$/.test(settings.clientIdPrefix ?? ''))
    throw bad('the client id prefix may hold letters, digits, - and _ only');
  checkTls(settings.tls, url.protocol === 'mqtts:' || url.protocol === 'wss:');
  return url.host;
}

/** Options of one connection. Only the instance in charge has a will: the end of a mere watcher tells the gateways nothing. */
export function clientOptions(settings: MqttSettings, will: IClientOptions['will'] | undefined): IClientOptions {
  return {
    ...(settings.tls ?? {}),
    ...(settings.username ? { username: settings.username, password: settings.password ?? '' } : {}),
    ...(will ? { will } : {}),
    clientId: `${settings.clientIdPrefix ?? 'wmhost-'}${settings.instanceId}`,
    clean: true,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    resubscribe: false,
  };
}

/** What is wrong with the connection and what to do about it, in one sentence. */
export function explainMqttError(error: Error & { readonly code?: string | number }, broker: string): string {
  const known = EXPLANATIONS.find(([codes]) => error.code !== undefined && codes.includes(error.code));
  if (known) return known[1](broker);
  if (error.message === 'connack timeout') return `${broker} does not answer as an MQTT broker: check address and port`;
  if (error.message === 'Keepalive timeout') return `${broker} has stopped answering`;
  return `connection to ${broker} failed: ${error.message || error.code || 'no cause given'}`;
}

/** Node's socket and TLS error codes, and the CONNACK return codes of MQTT 3.1.1 (table 3.1). */
const EXPLANATIONS: readonly (readonly [readonly (string | number)[], (broker: string) => string])[] = [
  [[1], (broker) => `${broker} does not speak MQTT 3.1.1: use a broker that does`],
  [[2], (broker) => `${broker} refuses our client id: allow ids of 23 characters`],
  [[3], (broker) => `the broker at ${broker} is not ready yet`],
  [[4], (broker) => `${broker} refuses the user name or password: check both`],
  [[5], (broker) => `${broker} does not let us in: set user name and password, or allow this user there`],
  [
    ['ENOTFOUND', 'EAI_AGAIN'],
    (broker) => `host name ${broker} is unknown: check the broker address and this machine's DNS`,
  ],
  [['ECONNREFUSED'], (broker) => `nothing listens at ${broker}: start the broker or correct the port`],
  [
    ['EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'EHOSTDOWN'],
    (broker) => `${broker} cannot be reached: check the address, the cable and the firewall`,
  ],
  [
    ['ECONNRESET', 'EPIPE'],
    (broker) => `${broker} dropped the connection: check the port, and whether it wants TLS (mqtts://)`,
  ],
  [
    [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ],
    (broker) =>
      `the certificate of ${broker} is not signed by a CA we trust: add the CA certificate to the TLS settings`,
  ],
  [['CERT_HAS_EXPIRED'], (broker) => `the certificate of ${broker} has expired: renew it on the broker`],
  [['CERT_NOT_YET_VALID'], (broker) => `the certificate of ${broker} is not valid yet: check this machine's clock`],
  [
    ['ERR_TLS_CERT_ALTNAME_INVALID'],
    (broker) => `the certificate of ${broker} is for another name: set the server name in the TLS settings`,
  ],
  [
    ['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    (broker) => `${broker} does not speak TLS on this port: use mqtt:// or the TLS port`,
  ],
];

function checkTls(tls: MqttTls | undefined, secure: boolean): void {
  if (!tls) return;
  if (!secure) throw bad('TLS settings are given but the address is not encrypted: use mqtts:// or wss://');
  if (Boolean(tls.cert) !== Boolean(tls.key))
    throw bad('a client certificate needs its private key and the other way round: give both');
  try {
    createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key, passphrase: tls.passphrase });
  } catch (error) {
    throw new WattmeshError(
      'badConfig',
      'a certificate or key of the TLS settings cannot be read: give PEM texts that belong together, and the passphrase of the key',
      {
        cause: error,
      },
    );
  }
}

function bad(message: string): WattmeshError {
  return new WattmeshError('badConfig', message);
}
