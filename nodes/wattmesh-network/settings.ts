import { join, resolve } from 'node:path';
import type { Approval } from '../headend/admitting.ts';
import { WattmeshError } from '../headend/errors.ts';
import { isId } from '../headend/frame/topics.ts';
import type { MqttTls } from '../headend/link/mqtt-settings.ts';
import { BAUD_RATES } from '../headend/link/serial.ts';
import { type MigrationStep, migrate, type StoredSettings } from '../shared/migrate.ts';
import type { Connection } from '../shared/network.ts';
import { type NetworkCredentials, type NetworkSecrets, readNetworkKey, readSecrets } from './secrets.ts';

/** Network id of a simulated network that was given none. */
export const DEMO_NETWORK = 'demo';
/** Most rows of the names table. */
export const NAMES_MAX = 10_000;

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
  readonly allowRsa: boolean;
  readonly approval: Approval;
  /** Undefined for a simulated mesh, which brings its own, and for a network of version 1, which knows suite 0x00 only. */
  readonly secrets: NetworkSecrets | undefined;
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

/** Name of the seed that the editor offers: its mesh has the store file without a number. */
const FIRST_SEED = 1;

/** The same values stand in the editor's `defaults`; who approves devices depends on the connection. */
const DEFAULTS = {
  connection: 'simulated',
  networkId: '',
  layout: 'demo',
  seed: FIRST_SEED,
  port: '',
  baudRate: 115_200,
  broker: '',
  brokerPort: '',
  tls: '',
  store: 'default',
  storeFile: '',
  allowSuiteNone: false,
  allowRsa: false,
  names: [],
};

const CONNECTIONS: readonly string[] = ['simulated', 'serial', 'mqtt', 'flow'] satisfies Connection[];

/** The settings of a `wattmesh-network` node, in the present version. Throws as `migrate` does. */
export function migrateNetwork(stored: StoredSettings): StoredSettings {
  return migrate(stored, { defaults: DEFAULTS, steps: [withPolicy] });
}

/**
 * In version 1 everybody was let in. Real connections had no identity, and so suite 0x00 only; simulated meshes were encrypted, whatever the
 * setting said.
 */
const withPolicy: MigrationStep = ({ connection = DEFAULTS.connection, ...rest }) => {
  const allowSuiteNone = connection !== 'simulated' && rest.allowSuiteNone !== false;
  return { ...rest, connection, approval: 'everyone', allowSuiteNone, withoutIdentity: allowSuiteNone };
};

/** Checks migrated settings. Throws `badConfig`, `noNetworkKey` or `noKey`, with what to do about it. */
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
  const link = readLink(connection as Connection, settings, context);
  return {
    networkId,
    link,
    store: readStore(settings, storeName(networkId, link), context.userDir),
    allowSuiteNone: settings.allowSuiteNone === true,
    allowRsa: !simulated && settings.allowRsa === true,
    approval: readApproval(settings.approval, simulated),
    secrets: simulated ? undefined : secretsFor(settings, context.credentials),
    names: readNames(settings.names),
  };
}

/** A network that had no identity in version 1 goes on without one; it was made with a network key all the same. */
function secretsFor(
  { withoutIdentity }: StoredSettings,
  credentials: NetworkCredentials = {},
): NetworkSecrets | undefined {
  if (withoutIdentity !== true || credentials.identity || credentials.storeKey) return readSecrets(credentials);
  readNetworkKey(credentials);
  return undefined;
}

/** Nobody has to approve simulated devices, unless the settings say so: there is nobody who could bring a strange one. */
function readApproval(approval: unknown, simulated: boolean): Approval {
  if (approval === undefined || approval === '') return simulated ? 'everyone' : 'operator';
  if (approval === 'operator' || approval === 'everyone') return approval;
  throw bad(`"${shown(approval)}" approves no devices: choose operator or everyone`);
}

/** Another seed is another mesh with other keys: it cannot go on with the store of the first. */
function storeName(networkId: string, link: LinkSettings): string {
  if (link.kind !== 'simulated') return networkId;
  return `${networkId}-simulated${link.seed === FIRST_SEED ? '' : `-${link.seed}`}`;
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
