import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import type { ErrorName } from '../../nodes/headend/errors.ts';
import type { NetworkSecrets } from '../../nodes/wattmesh-network/secrets.ts';
import {
  migrateNetwork,
  type NetworkSettings,
  readSettings,
  type SettingsContext,
} from '../../nodes/wattmesh-network/settings.ts';
import { SECRETS } from '../support/secrets.ts';

const USER_DIR = resolve('user-dir');
const WITH_KEYS: SettingsContext = { credentials: SECRETS, tls: undefined, userDir: USER_DIR };
const WITHOUT_KEYS: SettingsContext = { ...WITH_KEYS, credentials: undefined };
/** A real network as version 1 wrote it. */
const OLD = { version: 1, connection: 'flow', networkId: 'wm-1' };

const read = (settings: Record<string, unknown>, context = WITH_KEYS) =>
  readSettings(migrateNetwork({ version: 2, ...settings }), context);

const policyOf = ({ allowSuiteNone, allowRsa, approval }: NetworkSettings) => ({ allowSuiteNone, allowRsa, approval });

describe('settings of a network', () => {
  it('needs nothing at all for a simulated network, which has a store file of its own', () => {
    const settings = read({ id: 'net', type: 'wattmesh-network', connection: 'simulated' }, WITHOUT_KEYS);
    assert.equal(settings.networkId, 'demo');
    assert.deepEqual(settings.link, { kind: 'simulated', layout: 'demo', seed: 1 });
    assert.deepEqual(settings.store, { kind: 'auto', file: join(USER_DIR, 'wattmesh', 'demo-simulated.sqlite') });
    assert.deepEqual(policyOf(settings), { allowSuiteNone: false, allowRsa: false, approval: 'everyone' });
    assert.equal(settings.secrets, undefined);
  });

  it('gives another simulated mesh another store file: its keys are others', () => {
    const { store } = read({ connection: 'simulated', seed: '7' });
    assert.deepEqual(store, { kind: 'auto', file: join(USER_DIR, 'wattmesh', 'demo-simulated-7.sqlite') });
  });

  it('has suite 0x01 only, and an operator, unless a real network is told otherwise', () => {
    const real = { connection: 'flow', networkId: 'wm-1' };
    assert.deepEqual(policyOf(read(real)), { allowSuiteNone: false, allowRsa: false, approval: 'operator' });
    assert.deepEqual(read(real).secrets, SECRETS);
    const open = { allowSuiteNone: true, allowRsa: true, approval: 'everyone' };
    assert.deepEqual(policyOf(read({ ...real, ...open })), open);
    assert.throws(() => read({ ...real, approval: 'nobody' }), {
      reason: 'badConfig',
      message: /operator or everyone/,
    });
    assert.equal(read({ connection: 'simulated', approval: 'operator' }).approval, 'operator');
    assert.equal(
      read({ connection: 'simulated', allowRsa: true }).allowRsa,
      false,
      'a simulated head-end has no RSA key',
    );
  });

  it('refuses a real network without all of its keys, says which, and what to do', () => {
    const parts: [keyof NetworkSecrets, string, ErrorName][] = [
      ['networkKey', 'network key', 'noNetworkKey'],
      ['identity', 'identity', 'noKey'],
      ['storeKey', 'store key', 'noKey'],
    ];
    for (const connection of ['serial', 'mqtt', 'flow']) {
      const settings = { connection, networkId: 'wm-1', port: '/dev/ttyUSB0', broker: 'broker', allowSuiteNone: true };
      assert.throws(() => read(settings, WITHOUT_KEYS), { reason: 'noNetworkKey' });
      for (const [part, name, reason] of parts) {
        const credentials = { ...SECRETS, [part]: '' };
        const message = new RegExp(`has no ${name}, .*recovery file, or make new ones, .*join anew`);
        assert.throws(() => read(settings, { ...WITH_KEYS, credentials }), { reason, message });
      }
    }
  });

  it('refuses keys that cannot be right, and never quotes them', () => {
    for (const wrong of [
      { networkKey: 'secret-but-wrong' },
      { storeKey: `${'5ec2e7'.repeat(10)}` },
      { identity: 'secret'.repeat(2000) },
    ]) {
      assert.throws(
        () => read({ connection: 'flow', networkId: 'wm-1' }, { ...WITH_KEYS, credentials: { ...SECRETS, ...wrong } }),
        (error: Error) => /is not usable/.test(error.message) && !/secret|5ec2e7/.test(error.message),
      );
    }
  });

  it('lets real networks of version 1 go on with suite 0x00, without an identity', () => {
    const { networkKey } = SECRETS;
    const old = { ...WITH_KEYS, credentials: { networkKey } };
    for (const allowed of [{}, { allowSuiteNone: true }]) {
      const settings = read({ ...OLD, ...allowed }, old);
      assert.deepEqual(policyOf(settings), { allowSuiteNone: true, allowRsa: false, approval: 'everyone' });
      assert.equal(settings.secrets, undefined);
    }
    assert.throws(() => read(OLD, WITHOUT_KEYS), { reason: 'noNetworkKey' });
    assert.throws(() => read({ ...OLD, allowSuiteNone: false }, old), { reason: 'noKey' });
    assert.deepEqual(read(OLD).secrets, SECRETS, 'one that has been given an identity uses it');
    const half = { ...WITH_KEYS, credentials: { networkKey, identity: SECRETS.identity } };
    assert.throws(() => read(OLD, half), { reason: 'noKey' }, 'half of the keys are not none');
  });

  it('leaves simulated networks of version 1 encrypted and open to their own devices', () => {
    for (const allowSuiteNone of [true, false, undefined]) {
      const settings = read({ version: 1, connection: 'simulated', allowSuiteNone }, WITHOUT_KEYS);
      assert.deepEqual(policyOf(settings), { allowSuiteNone: false, allowRsa: false, approval: 'everyone' });
    }
    assert.equal(migrateNetwork({}).connection, 'simulated');
  });

  it('refuses ids that are no topic level', () => {
    for (const networkId of ['', 'Home', 'a/b', '-a', 'x'.repeat(33)]) {
      assert.throws(() => read({ connection: 'flow', networkId }), { reason: 'badConfig', message: /network id/ });
    }
    assert.throws(() => read({ connection: 'carrier pigeon', networkId: 'wm-1' }), { reason: 'badConfig' });
  });

  it('makes the address of a broker', () => {
    const url = (broker: string, brokerPort: string | number, tls?: object) => {
      const link = read({ connection: 'mqtt', networkId: 'wm-1', broker, brokerPort }, { ...WITH_KEYS, tls }).link;
      return link.kind === 'mqtt' && link.url;
    };
    assert.equal(url('broker', ''), 'mqtt://broker:1883');
    assert.equal(url(' 192.168.1.10 ', 1884), 'mqtt://192.168.1.10:1884');
    assert.equal(url('broker', '', { rejectUnauthorized: true }), 'mqtts://broker:8883');
    assert.equal(url('fe80::1', '1883'), 'mqtt://[fe80::1]:1883');
    assert.equal(url('ws://broker:9001/mqtt', '1883'), 'ws://broker:9001/mqtt');
    assert.throws(() => url('', ''), { reason: 'badConfig', message: /broker/ });
  });

  it('takes user name and password from the credentials', () => {
    const context = { ...WITH_KEYS, credentials: { ...SECRETS, user: 'me', password: 'pass' } };
    const { link } = read({ connection: 'mqtt', networkId: 'wm-1', broker: 'b' }, context);
    assert.deepEqual(link.kind === 'mqtt' && [link.username, link.password], ['me', 'pass']);
  });

  it('reads port and speed, and refuses speeds that gateways do not know', () => {
    const settings = { connection: 'serial', networkId: 'wm-1', port: '/dev/ttyUSB0' };
    assert.deepEqual(read({ ...settings, baudRate: '921600' }).link, {
      kind: 'serial',
      path: '/dev/ttyUSB0',
      baudRate: 921_600,
    });
    assert.throws(() => read({ ...settings, baudRate: '9600' }), { reason: 'badConfig', message: /115200 or 921600/ });
    assert.throws(() => read({ ...settings, port: ' ' }), { reason: 'badConfig', message: /port/ });
  });

  it('chooses the place of the store', () => {
    const store = (settings: object, userDir: string | undefined = USER_DIR) =>
      read({ connection: 'flow', networkId: 'wm-1', ...settings }, { ...WITH_KEYS, userDir }).store;
    assert.deepEqual(store({}), { kind: 'auto', file: join(USER_DIR, 'wattmesh', 'wm-1.sqlite') });
    assert.deepEqual(store({ store: 'file', storeFile: 'mine.sqlite' }), {
      kind: 'auto',
      file: join(USER_DIR, 'mine.sqlite'),
    });
    assert.deepEqual(store({ store: 'memory' }), { kind: 'memory' });
    assert.throws(() => store({ store: 'file' }), { reason: 'badConfig', message: /store file/ });
    assert.throws(() => read({ connection: 'simulated' }, { ...WITHOUT_KEYS, userDir: undefined }), {
      reason: 'badConfig',
    });
  });

  it('reads the names table and leaves out half-filled rows', () => {
    const names = [{ id: ' AABBCCDDEEFF ', name: 'Flat 1' }, { id: '', name: 'nobody' }, { id: '010203040506' }, null];
    assert.deepEqual([...read({ connection: 'simulated', names }).names], [['aabbccddeeff', 'Flat 1']]);
    assert.throws(() => read({ connection: 'simulated', names: 'none' }), { reason: 'badConfig' });
  });

  it('refuses seeds that the simulator cannot use', () => {
    for (const seed of [-1, 1.5, 'x', 2 ** 32])
      assert.throws(() => read({ connection: 'simulated', seed }), { reason: 'badConfig' });
  });
});
