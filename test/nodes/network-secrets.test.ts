import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { toHex } from '../../nodes/headend/bytes.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { headEndKey, OTHER_SECRETS, SECRETS } from '../support/secrets.ts';
import { badges, errors, helper, load, NET, plugIn, received, running, withNodeRed } from './support/bench.ts';

const PASSPHRASE = 'correct horse battery';
const PSK = 'e7'.repeat(32);
const TAB = { id: 'tab', type: 'tab', label: 'test' };
const WIRES = [['out'], ['answers']];
const DECODE = { id: 'decode', type: 'wattmesh-decode', z: 'tab', network: 'net', mode: 'envelope', wires: WIRES };
const HELPERS = ['answers', 'out'].map((id) => ({ id, type: 'helper', z: 'tab' }));
const FLOW = [TAB, { ...NET, store: 'default' }, DECODE, ...HELPERS];

/** Each secret in the ways in which text may hold it. */
const FORBIDDEN = [SECRETS.networkKey, SECRETS.storeKey, toHex(headEndKey.secret), PSK].flatMap((hex) => {
  const bytes = Buffer.from(hex, 'hex');
  return [
    hex,
    hex.toUpperCase(),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.join(),
  ];
});

function requireNone(place: string, text: string): void {
  for (const secret of [...FORBIDDEN, PASSPHRASE]) assert.ok(!text.includes(secret), `${secret} stands in ${place}`);
}

describe('secrets of a network', function () {
  this.timeout(30_000);
  withNodeRed();
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wattmesh-secrets-'));
    helper.settings({ userDir: folder });
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** All that Node-RED was told to log since the flow was loaded. */
  const logged = (): string => inspect(helper.log().args, { depth: 6, maxStringLength: null });

  it('stand in no log line, badge, error, message or file, however things go wrong', async () => {
    const { identity } = SECRETS;
    const troubles: [object, RegExp][] = [
      [{ ...SECRETS, storeKey: '' }, /no store key/],
      [{ ...SECRETS, storeKey: `${SECRETS.storeKey}00` }, /store key is not usable/],
      [{ ...SECRETS, networkKey: `${SECRETS.networkKey} ` }, /network key is not usable/],
      [{ ...SECRETS, identity: identity.slice(0, -1) }, /identity cannot be read \(it is no JSON\)/],
      [{ ...SECRETS, identity: identity.replace('"publicKey":"', '"publicKey":"0') }, /identity cannot be read/],
      [{ ...SECRETS, identity: OTHER_SECRETS.identity }, /another identity/],
      [{ ...SECRETS, storeKey: OTHER_SECRETS.storeKey }, /other credentials/],
    ];
    await load(FLOW, { net: SECRETS });
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    const [out, shown] = [received('out'), badges('decode')];
    await gateway.begin();
    gateway.rows(1, 1);
    await out.find('a row');
    const answers = await Promise.all(
      [
        ['recovery/write', { id: 'net', network: 'test-net', passphrase: PASSPHRASE }],
        [
          'recovery/write',
          { id: 'net', network: 'test-net', passphrase: PASSPHRASE, secrets: { storeKey: PSK.slice(2) } },
        ],
        ['networks/net/devices/approve', { nodeId: gateway.meter.nodeId, psk: PSK }],
        ['networks/net/devices/preload', { text: `nobody,,,${PSK}` }],
      ].map(([path, body]) => helper.request().post(`/wattmesh/${path}`).send(body)),
    );
    requireNone('an answer', JSON.stringify(answers.map(({ body }) => body)));
    requireNone('messages and badges', inspect([out.all, shown.all], { depth: 8 }));
    requireNone('the log', logged());
    await helper.unload();

    for (const [net, message] of troubles) {
      await load(FLOW, { net });
      const error = await errors('net').find('an error');
      assert.match(error.message, message);
      requireNone('an error', inspect(error, { depth: 6 }));
      requireNone('the log', logged());
      await helper.unload();
    }
    const files = readdirSync(join(folder, 'wattmesh'));
    assert.ok(files.includes('test-net.sqlite'));
    for (const file of files) requireNone(file, readFileSync(join(folder, 'wattmesh', file), 'latin1'));
  });
});

describe('secrets of a network in a whole Node-RED', function () {
  this.timeout(60_000);
  let nodeRed: RunningNodeRed;

  before(async () => {
    nodeRed = await startNodeRed();
  });
  after(() => nodeRed?.stop());

  it('stand in no flow that it keeps or exports, nor in what the editor is told', async () => {
    const net = { ...NET, credentials: SECRETS };
    await nodeRed.deploy([TAB, net, { ...DECODE, x: 100, y: 100, wires: [[], []] }]);
    const text = async (path: string): Promise<string> => (await fetch(`${nodeRed.url}/${path}`)).text();
    const flows = await text('flows');
    assert.match(flows, /"networkId":"test-net"/);
    requireNone('the flow that the editor exports', flows);
    const credentials = await text('credentials/wattmesh-network/net');
    for (const name of Object.keys(SECRETS)) assert.match(credentials, new RegExp(`"has_${name}":true`));
    requireNone('what the editor is told of the credentials', credentials);
    const kept = readdirSync(nodeRed.userDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    assert.ok(kept.some(({ name }) => name === 'flows_cred.json'));
    for (const { parentPath, name } of kept) requireNone(name, readFileSync(join(parentPath, name), 'latin1'));
    requireNone('what it prints', nodeRed.output());
    assert.doesNotMatch(nodeRed.output(), /\[error\]/);
  });
});
