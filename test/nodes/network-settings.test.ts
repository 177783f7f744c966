import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { migrateNetwork, readSettings, type SettingsContext } from '../../nodes/wattmesh-network/settings.ts';

const KEY = '000102030405060708090a0b0c0d0e0f';
const USER_DIR = resolve('user-dir');
const WITH_KEY: SettingsContext = { credentials: { networkKey: KEY }, tls: undefined, userDir: USER_DIR };
const WITHOUT_KEY: SettingsContext = { ...WITH_KEY, credentials: undefined };

const read = (settings: Record<string, unknown>, context = WITH_KEY) => readSettings(migrateNetwork(settings), context);

describe('settings of a network', () => {
  it('needs nothing at all for a simulated network, which has a store file of its own', () => {
    const settings = read({ id: 'net', type: 'wattmesh-network', connection: 'simulated' }, WITHOUT_KEY);
    assert.equal(settings.networkId, 'demo');
    assert.deepEqual(settings.link, { kind: 'simulated', layout: 'demo', seed: 1 });
    assert.deepEqual(settings.store, { kind: 'auto', file: join(USER_DIR, 'wattmesh', 'demo-simulated.sqlite') });
    assert.equal(settings.allowSuiteNone, true);
  });

  it('refuses a real network without its key, and never names a key', () => {
    for (const connection of ['serial', 'mqtt', 'flow']) {
      const settings = { connection, networkId: 'wm-1', port: '/dev/ttyUSB0', broker: 'broker' };
      assert.throws(() => read(settings, WITHOUT_KEY), { reason: 'noNetworkKey' });
      const bad = { ...WITH_KEY, credentials: { networkKey: 'secret-but-wrong' } };
      assert.throws(
        () => read(settings, bad),
        (error: Error) => !error.message.includes('secret'),
      );
    }
  });

  it('refuses ids that are no topic level', () => {
    for (const networkId of ['', 'Home', 'a/b', '-a', 'x'.repeat(33)]) {
      assert.throws(() => read({ connection: 'flow', networkId }), { reason: 'badConfig', message: /network id/ });
    }
    assert.throws(() => read({ connection: 'carrier pigeon', networkId: 'wm-1' }), { reason: 'badConfig' });
  });

  it('makes the address of a broker', () => {
    const url = (broker: string, brokerPort: string | number, tls?: object) => {
      const link = read({ connection: 'mqtt', networkId: 'wm-1', broker, brokerPort }, { ...WITH_KEY, tls }).link;
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
    const context = { ...WITH_KEY, credentials: { networkKey: KEY, user: 'me', password: 'pass' } };
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
      read({ connection: 'flow', networkId: 'wm-1', ...settings }, { ...WITH_KEY, userDir }).store;
    assert.deepEqual(store({}), { kind: 'auto', file: join(USER_DIR, 'wattmesh', 'wm-1.sqlite') });
    assert.deepEqual(store({ store: 'file', storeFile: 'mine.sqlite' }), {
      kind: 'auto',
      file: join(USER_DIR, 'mine.sqlite'),
    });
    assert.deepEqual(store({ store: 'memory' }), { kind: 'memory' });
    assert.throws(() => store({ store: 'file' }), { reason: 'badConfig', message: /store file/ });
    assert.throws(() => read({ connection: 'simulated' }, { ...WITHOUT_KEY, userDir: undefined }), {
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
