import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { SECRETS } from '../support/secrets.ts';
import {
  badges,
  badgeText,
  CREDENTIALS,
  deploy,
  deployment,
  errors,
  helper,
  Log,
  load,
  NET,
  plugIn,
  received,
  running,
  withNodeRed,
} from './support/bench.ts';

const TAB = { id: 'tab', type: 'tab', label: 'test' };
const DECODE = {
  id: 'decode',
  type: 'wattmesh-decode',
  z: 'tab',
  version: 1,
  network: 'net',
  mode: 'envelope',
  wires: [[], ['answers']],
};
const READINGS = {
  id: 'readings',
  type: 'wattmesh-readings',
  z: 'tab',
  version: 1,
  network: 'net',
  wires: [['out'], ['out']],
};
const HELPERS = ['answers', 'out'].map((id) => ({ id, type: 'helper', z: 'tab' }));
const FLOW = [TAB, NET, DECODE, READINGS, ...HELPERS];

describe('wattmesh-network', () => {
  withNodeRed();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-network-'));
    helper.settings({ userDir: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is red without its key, makes no new one, and opens nothing', async () => {
    await load([TAB, { ...NET, store: 'default' }, DECODE, READINGS, ...HELPERS], {});
    for (const id of ['decode', 'readings']) assert.equal(badgeText(id), 'no network key');
    assert.match(
      (await errors('net').find('the error')).message,
      /no network key and no identity and no store key.*restore its keys from the recovery file, or make new ones/,
    );
    assert.deepEqual(helper.getNode('net').credentials, {});
    assert.deepEqual(helper.getNode('net').service.condition().kind, 'failed');
    assert.equal(existsSync(join(folder, 'wattmesh')), false);
  });

  it('is red where its settings are of a later version', async () => {
    await load([TAB, { ...NET, version: 99 }, READINGS, ...HELPERS]);
    assert.equal(badgeText('readings'), 'check settings');
    assert.match((await errors('net').find('the error')).message, /update the package/);
  });

  it('does not go on without TLS where the chosen TLS settings are missing', async () => {
    await load([TAB, { ...NET, connection: 'mqtt', broker: '127.0.0.1', tls: 'gone' }, READINGS, ...HELPERS]);
    assert.equal(badgeText('readings'), 'check settings');
    assert.match((await errors('net').find('the error')).message, /TLS settings are missing/);
  });

  it('keeps the readings in its file across a full deployment, and sends each once', async () => {
    const flow = [TAB, { ...NET, store: 'default' }, DECODE, READINGS, ...HELPERS];
    await load(flow);
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    gateway.rows(1, 2);
    const out = received('out');
    await out.until('two rows', ({ all }) => all.length === 2);
    await helper.unload();
    assert.ok(existsSync(join(folder, 'wattmesh', 'test-net.sqlite')));
    await load(flow);
    await running();
    const [again, outAgain] = [plugIn('gw', 'decode', 'answers', gateway.meter), received('out')];
    again.rowZeroS = gateway.rowZeroS;
    await again.begin();
    again.rows(1, 3);
    await outAgain.find('the new row', ({ wattmesh }) => wattmesh.seq === 3);
    assert.ok(outAgain.all.every(({ wattmesh }) => wattmesh.seq === 3 || wattmesh.redelivered));
  });

  for (const [what, settings, credentials] of [
    ['whose policy allows suite 0x00', { allowSuiteNone: true, approval: 'everyone' }, CREDENTIALS],
    ['of version 1, without an identity', { version: 1 }, { net: { networkKey: SECRETS.networkKey } }],
  ] as const) {
    it(`${what} says so on badges, in the log and in every message`, async () => {
      await load([TAB, { ...NET, ...settings }, DECODE, READINGS, ...HELPERS], credentials);
      await running();
      const gateway = plugIn('gw', 'decode', 'answers', new ScriptedNode({ seed: 'plain' }));
      gateway.joinsUnasked();
      await gateway.begin();
      gateway.rows(1, 1);
      const { wattmesh } = await received('out').find('a row');
      assert.equal(wattmesh.suite, 'none');
      await badges('readings').find('a warning', ({ text }) => text === '⚠ 1 rows/min');
      assert.match(JSON.stringify(helper.log().args), /suite 0x00 is allowed: readings are neither encrypted/);
    });
  }

  it('takes nothing under suite 0x00 otherwise, and lets nobody in unasked', async () => {
    await load(FLOW);
    await running();
    const plain = plugIn('plain', 'decode', 'answers', new ScriptedNode({ seed: 'plain' }));
    plain.hello();
    plain.joinRequest();
    const keyed = plugIn('keyed', 'decode', 'answers');
    keyed.hello();
    keyed.joinRequest();
    const { service } = helper.getNode('net');
    const listed = new Log();
    service.onDevices((devices: object[]) => listed.add(devices));
    await listed.find('the device with keys on the list of those that wait', (devices) => devices.length === 1);
    assert.equal(service.devices().pending()[0].nodeId, keyed.meter.nodeId);
    assert.equal(service.condition().state.nodesKnown, 0);
  });

  it('speaks suite 0x10 with an RSA key only', async () => {
    await load([TAB, { ...NET, allowRsa: true }, DECODE, READINGS, ...HELPERS]);
    assert.match((await errors('net').find('the error')).message, /suite 0x10 needs an RSA key/);
    const { body } = await helper.request().post('/wattmesh/identity/rsa').send({ id: 'net' }).expect(200);
    await helper.unload();
    const credentials = { net: { ...SECRETS, identity: body.identity } };
    await load([TAB, { ...NET, allowRsa: true }, DECODE, READINGS, ...HELPERS], credentials);
    await running();
  }).timeout(20_000);

  it('survives the deployment of other nodes', async () => {
    await load(FLOW);
    await running();
    const before = helper.getNode('net');
    await deploy([TAB, NET, DECODE, { ...READINGS, meters: 'somebody' }, ...HELPERS]);
    assert.equal(helper.getNode('net'), before);
    await deploy(FLOW);
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    gateway.rows(1, 1);
    await received('out').find('a row');
  });

  it('restarts when its own settings change', async () => {
    await load(FLOW);
    await running();
    const before = helper.getNode('net').service;
    await deploy([TAB, { ...NET, name: 'changed' }, DECODE, READINGS, ...HELPERS]);
    assert.notEqual(helper.getNode('net').service, before);
    assert.equal(before.condition().kind, 'stopped');
    await running();
    assert.notEqual(badgeText('readings'), 'network id in use');
  });

  it('refuses a second configuration with the same network id', async () => {
    const second = { ...NET, id: 'second' };
    const tap = { ...READINGS, id: 'tap', network: 'second' };
    const credentials = { ...CREDENTIALS, second: CREDENTIALS.net };
    await load([TAB, NET, second, READINGS, tap, ...HELPERS], credentials);
    await running();
    await badges('tap').find('a red badge', ({ fill, text }) => fill === 'red' && text === 'network id in use');
    assert.match((await errors('second').find('the error')).message, /use that one, or give this one another id/);
  });

  it('refuses a second configuration with the same store file', async () => {
    const store = { store: 'file', storeFile: 'mine.sqlite' };
    const second = { ...NET, ...store, id: 'second', networkId: 'other-net' };
    const credentials = { ...CREDENTIALS, second: CREDENTIALS.net };
    await load([TAB, { ...NET, ...store }, second, { ...READINGS, network: 'second' }, ...HELPERS], credentials);
    await badges('readings').find('a red badge', ({ fill, text }) => fill === 'red' && text === 'store in use');
    assert.equal(badgeText('readings'), 'store in use');
  });

  it('keeps readings back while a deployment is under way, and sends them at its end', async () => {
    await load(FLOW);
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    const [out, answers] = [received('out'), received('answers')];
    deployment('stopping');
    gateway.rows(1, 2);
    await answers.until('the acknowledgement of stored rows', ({ all }) => all.length >= 2);
    assert.equal(out.all.length, 0);
    deployment('started');
    await out.until('both rows', ({ all }) => all.length === 2);
    assert.deepEqual(
      out.all.map(({ wattmesh }) => [wattmesh.seq, wattmesh.redelivered]),
      [
        [1, false],
        [2, false],
      ],
    );
  });

  it('sends after a full deployment what came in its midst', async () => {
    const flow = [TAB, { ...NET, store: 'default' }, DECODE, READINGS, ...HELPERS];
    await load(flow);
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    const answers = received('answers');
    deployment('stopping');
    gateway.rows(1, 2);
    await answers.until('the acknowledgement of stored rows', ({ all }) => all.length >= 2);
    await helper.unload();
    await load(flow);
    const out = received('out');
    await out.until('both rows', ({ all }) => all.length === 2);
    assert.deepEqual(
      out.all.map(({ wattmesh }) => [wattmesh.seq, wattmesh.redelivered]),
      [
        [1, true],
        [2, true],
      ],
    );
  });

  it('leaves nothing behind when it is closed', async () => {
    const before = resources();
    await load([TAB, { ...NET, store: 'default' }, DECODE, READINGS, ...HELPERS]);
    await running();
    assert.notDeepEqual(resources(), before);
    await helper.unload();
    assert.deepEqual(resources(), before);
  });
});

/** What keeps this process alive, but for what passes by itself: Node-RED lets its own time-out for closing nodes run on. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => !['Immediate', 'Timeout'].includes(kind))
    .sort();
}
