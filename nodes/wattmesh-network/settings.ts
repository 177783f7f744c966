import { join, resolve } from 'node:path';
import { WattmeshError } from '../headend/errors.ts';
import { isId } from '../headend/frame/topics.ts';
import type { MqttTls } from '../headend/link/mqtt-settings.ts';
import { BAUD_RATES } from '../headend/link/serial.ts';
import { migrate, type StoredSettings } from '../shared/migrate.ts';
import type { Connection } from '../shared/network.ts';

/** Network id of a simulated network that was given none. */
export const DEMO_NETWORK = 'demo';
/** Bytes of a network key (PROTOCOL.md, section 1); twice as many hexadecimal digits. */
export const NETWORK_KEY_BYTES = 16;
/** Most rows of the names table. */
export const NAMES_MAX = 10_000;

/** Kept in the credentials, never in the flow. */
export interface NetworkCredentials {
  networkKey?: string;
  user?: string;
  password?: string;
}

/** What the settings of a link need beyond the flow. */
export type LinkSettings =
  | { readonly kind: 'simulated'; readonly layout: string; readonly seed: number }
  | { readonly kind: 'serial'; readonly path: string; readonly baudRate: 115_200 | 921_600 }
  | {
      readonly kind: 'mqtt';
      readonly url: string;
      readonly username?: string;
      readonly password?: string;
      readonly tls?: MqttTls;
    }
  | { readonly kind: 'flow' };

export type StoreSettings = { readonly kind: 'auto'; readonly file: string } | { readonly kind: 'memory' };

/** Settings that have been checked. */
export interface NetworkSettings {
  readonly networkId: string;
  readonly link: LinkSettings;
  readonly store: StoreSettings;
  readonly allowSuiteNone: boolean;
  /** By node id or device key, in lower case. */
  readonly names: ReadonlyMap<string, string>;
}

/** What surrounds the settings. */
export interface SettingsContext {
  readonly credentials: NetworkCredentials | undefined;
  /** Options of the chosen `tls-config` node; undefined without one. */
  readonly tls: MqttTls | undefined;
  /** Node-RED's user directory. */
  readonly userDir: string | undefined;
}

/** The same values stand in the editor's `defaults`. */
const DEFAULTS = {
  connection: 'simulated',
  networkId: '',
  layout: 'demo',
  seed: 1,
  port: '',
  baudRate: 115_200,
  broker: '',
  brokerPort: '',
  tls: '',
  store: 'default',
  storeFile: '',
  allowSuiteNone: true,
  names: [],
};

const CONNECTIONS: readonly string[] = ['simulated', 'serial', 'mqtt', 'flow'] satisfies Connection[];

/** The settings of a `wattmesh-network` node, in the present version. Throws as `migrate` does. */
export function migrateNetwork(stored: StoredSettings): StoredSettings {
  return migrate(stored, { defaults: DEFAULTS, steps: [] });
}

/** Checks migrated settings. Throws `badConfig` or `noNetworkKey`, with what to do about it. */
export function readSettings(settings: StoredSettings, context: SettingsContext): NetworkSettings {
  const connection = settings.connection;
  if (typeof connection !== 'string' || !CONNECTIONS.includes(connection)) {
    throw bad(`there is no connection "${shown(connection)}": choose ${CONNECTIONS.join(', ')}`);
  }
  const simulated = connection === 'simulated';
  const networkId = text(settings.networkId) || (simulated ? DEMO_NETWORK : '');
  if (!isId(networkId)) {
    throw bad(`"${shown(networkId)}" is no network id: use 1 to 32 of a-z, 0-9 and -, not starting with -`);
  }
  if (!simulated) checkKey(context.credentials?.networkKey);
  return {
    networkId,
    link: readLink(connection as Connection, settings, context),
    store: readStore(settings, simulated ? `${networkId}-simulated` : networkId, context.userDir),
    allowSuiteNone: settings.allowSuiteNone !== false,
    names: readNames(settings.names),
  };
}

/** The key itself is never part of a message. */
function checkKey(key: string | undefined): void {
  if (!key) {
    throw new WattmeshError(
      'noNetworkKey',
      'this network has no network key, for example because it was imported: open it and paste the key that its devices have, or make a new one',
    );
  }
  if (!new RegExp(`^[0-9a-f]{${2 * NETWORK_KEY_BYTES}}$`, 'i').test(key)) {
    throw bad(`the network key is not usable: it must be ${2 * NETWORK_KEY_BYTES} hexadecimal digits`);
  }
}

function readLink(connection: Connection, settings: StoredSettings, context: SettingsContext): LinkSettings {
  switch (connection) {
    case 'simulated': {
      const seed = Number(settings.seed);
      if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff)
        throw bad('the seed must be a whole number from 0 to 4294967295');
      return { kind: 'simulated', layout: text(settings.layout), seed };
    }
    case 'serial': {
      const baudRate = Number(settings.baudRate);
      if (!BAUD_RATES.includes(baudRate))
        throw bad(`gateways do not know this speed: choose ${BAUD_RATES.join(' or ')} baud`);
      const path = text(settings.port);
      if (path === '') throw bad('no serial port is chosen: open the network and pick the one that the gateway is on');
      return { kind: 'serial', path, baudRate: baudRate as 115_200 | 921_600 };
    }
    case 'mqtt': {
      const { user, password } = context.credentials ?? {};
      return { kind: 'mqtt', url: brokerUrl(settings, context), username: user, password, tls: context.tls };
    }
    case 'flow':
      return { kind: 'flow' };
  }
}

/** `host`, or an address with its scheme for brokers behind web sockets, and the port where it is not the usual one. */
function brokerUrl(settings: StoredSettings, { tls }: SettingsContext): string {
  const broker = text(settings.broker);
  if (broker === '') throw bad('no broker is given: open the network and enter its host name or address');
  if (broker.includes('://')) return broker;
  const host = broker.includes(':') && !broker.startsWith('[') ? `[${broker}]` : broker;
  const port = text(settings.brokerPort) || (tls ? '8883' : '1883');
  return `${tls ? 'mqtts' : 'mqtt'}://${host}:${port}`;
}

function readStore(settings: StoredSettings, name: string, userDir: string | undefined): StoreSettings {
  if (settings.store === 'memory') return { kind: 'memory' };
  const own = text(settings.storeFile);
  if (settings.store === 'file' && own === '')
    throw bad('no store file is given: enter its path, or choose the usual place');
  if (userDir === undefined && settings.store !== 'file')
    throw bad('Node-RED has no user directory: choose a store file, or keep readings in memory');
  const folder = join(userDir ?? '', 'wattmesh');
  return {
    kind: 'auto',
    file: settings.store === 'file' ? resolve(userDir ?? '', own) : join(folder, `${name}.sqlite`),
  };
}

function readNames(names: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(names)) throw bad('the names table cannot be read: open the network and press Done');
  if (names.length > NAMES_MAX) throw bad(`the names table has ${names.length} rows: the limit is ${NAMES_MAX}`);
  const rows = (names as { id?: unknown; name?: unknown }[]).map(
    (row) => [text(row?.id).toLowerCase(), text(row?.name)] as const,
  );
  return new Map(rows.filter(([id, name]) => id !== '' && name !== ''));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : '';
}

function shown(value: unknown): string {
  return String(value).slice(0, 40);
}

function bad(message: string): WattmeshError {
  return new WattmeshError('badConfig', message);
}
