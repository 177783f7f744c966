import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OTHER_SECRETS, SECRETS } from '../support/secrets.ts';
import { errors, helper, load, NET, plugIn, received, running, withNodeRed } from './support/bench.ts';
import { type Answer, Endpoints } from './support/endpoints.ts';

const PASSPHRASE = 'correct horse battery';
const TAB = { id: 'tab', type: 'tab', label: 'test' };
const WIRES = [['out'], ['answers']];
const DECODE = { id: 'decode', type: 'wattmesh-decode', z: 'tab', network: 'net', mode: 'envelope', wires: WIRES };
const HELPERS = ['answers', 'out'].map((id) => ({ id, type: 'helper', z: 'tab' }));
const FLOW = [TAB, { ...NET, store: 'default' }, DECODE, ...HELPERS];

const endpoints = new Endpoints({
  getNode: () => null,
  getCredentials: (id) => ({ net: SECRETS, half: { networkKey: SECRETS.networkKey } })[id],
});

function write(body: object): Promise<Answer> {
  return endpoints.post('recovery/write', { network: 'test-net', passphrase: PASSPHRASE, ...body });
}

function read(text: unknown, passphrase: unknown = PASSPHRASE): Promise<Answer> {
  return endpoints.post('recovery/read', { text, passphrase });
}

describe('the recovery file, through the endpoints', function () {
  this.timeout(20_000);

  it('keeps the keys of a deployed network', async () => {
    const { status, body, headers } = await write({ id: 'net' });
    assert.deepEqual([status, headers['cache-control']], [200, 'no-store']);
    assert.match(body.fileName, /^wattmesh-test-net-\d{4}-\d\d-\d\d\.recovery\.json$/);
    for (const secret of Object.values(SECRETS)) assert.ok(!body.text.includes(secret));
    assert.deepEqual((await read(body.text)).body, { network: 'test-net', secrets: SECRETS });
  });

  it('keeps keys that are in the dialog only, and takes the others from the node', async () => {
    const { identity, storeKey } = OTHER_SECRETS;
    const { body } = await write({ id: 'half', secrets: { identity, storeKey, networkKey: '' } });
    const { secrets } = (await read(body.text)).body;
    assert.deepEqual(secrets, { networkKey: SECRETS.networkKey, identity, storeKey });
  });

  it('is not written without all keys, with keys that nobody can use, or with a poor passphrase', async () => {
    const asked: [object, RegExp][] = [
      [{}, /no network key and no identity and no store key/],
      [{ id: 'half' }, /no identity and no store key/],
      [{ id: 'net', secrets: { storeKey: 'b4b4' } }, /store key is not usable/],
      [{ id: 'net', secrets: { networkKey: 'x'.repeat(32) } }, /network key is not usable/],
      [{ id: 'net', secrets: { identity: '{"secret":"5ec2e7"}' } }, /identity cannot be read/],
      [{ id: 'net', secrets: 'all' }, /secrets must be a JSON object/],
      [{ id: 'net', passphrase: 'eleven char' }, /passphrase is too short/],
      [{ id: 'net', passphrase: 'x'.repeat(2000) }, /passphrase is too long/],
      [{ id: 'net', passphrase: ['a', 'b'] }, /passphrase must be a text/],
      [{ id: 'net', network: '../etc' }, /network must be a network id/],
    ];
    for (const [body, message] of asked) {
      const answer = await write(body);
      assert.equal(answer.status, 400, JSON.stringify(body));
      assert.match(answer.body.error, message);
      for (const secret of ['b4b4', '5ec2e7', 'xxxx']) assert.ok(!answer.body.error.includes(secret));
    }
  });

  it('is not read with another passphrase, nor when it is none', async () => {
    const { body } = await write({ id: 'net' });
    const asked: [unknown, unknown, RegExp][] = [
      [body.text, `${PASSPHRASE}!`, /passphrase is not the one/],
      [body.text.replace('"test-net"', '"other"'), PASSPHRASE, /damaged/],
      ['{}', PASSPHRASE, /no recovery file/],
      ['x'.repeat(100_000), PASSPHRASE, /text is too long/],
      [body.text, undefined, /passphrase is missing/],
      [7, PASSPHRASE, /text must be a text/],
    ];
    for (const [text, passphrase, message] of asked) {
      const answer = await endpoints.post('recovery/read', { text, passphrase });
      assert.equal(answer.status, 400);
      assert.match(answer.body.error, message);
    }
  });
});

describe('keys that come back from the recovery file', function () {
  this.timeout(20_000);
  withNodeRed();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-recovery-'));
    helper.settings({ userDir: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('open the store that was sealed before: the meter goes on in its session', async () => {
    await load(FLOW);
    await running();
    const before = plugIn('gw', 'decode', 'answers');
    await before.begin();
    before.rows(1, 1);
    await received('out').find('a row', ({ wattmesh }) => wattmesh.seq === 1);
    const { body: file } = await helper
      .request()
      .post('/wattmesh/recovery/write')
      .send({ id: 'net', network: 'test-net', passphrase: PASSPHRASE })
      .expect(200);
    await helper.unload();

    await load(FLOW, {});
    const { message } = await errors('net').find('an error without keys');
    assert.match(message, /restore its keys from the recovery file/);
    const { body } = await helper
      .request()
      .post('/wattmesh/recovery/read')
      .send({ text: file.text, passphrase: PASSPHRASE })
      .expect(200);
    await helper.unload();

    await load(FLOW, { net: body.secrets });
    await running();
    const after = plugIn('gw', 'decode', 'answers', before.meter);
    after.rowZeroS = before.rowZeroS;
    after.hello();
    after.rows(2, 2);
    await received('out').find('a row without another handshake', ({ wattmesh }) => wattmesh.seq === 2);
  });

  it('are needed: a store refuses the keys of another network, all of them and the identity alone', async () => {
    await load(FLOW);
    await running();
    await helper.unload();
    const refused: [object, RegExp][] = [
      [OTHER_SECRETS, /belongs to other credentials: restore them from the recovery file/],
      [{ ...SECRETS, identity: OTHER_SECRETS.identity }, /another identity: restore that one from the recovery file/],
    ];
    for (const [net, message] of refused) {
      await load(FLOW, { net });
      assert.match((await errors('net').find('a refusal')).message, message);
      assert.equal(helper.getNode('net').service.condition().kind, 'failed');
      await helper.unload();
    }
    await load(FLOW);
    await running();
  });
});
