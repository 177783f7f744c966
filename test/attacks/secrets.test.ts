import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { credentialsOf } from '../../firmware/simulator/credentials.ts';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { decodeHostEnvelope, encodeGatewayEnvelope } from '../../nodes/headend/frame/envelope.ts';
import { decodePacket } from '../../nodes/headend/frame/packet.ts';
import { exportIdentity } from '../../nodes/headend/security/identity.ts';
import { networkNumber } from '../../nodes/headend/security/keys.ts';
import { labelText } from '../../nodes/headend/security/label.ts';
import { ScriptedNode } from '../headend/support/scripted-node.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { requireNone } from '../support/secret-forms.ts';
import { Comms } from './support/comms.ts';

/** Attack 25: exported flow, debug sidebar, logs, errors and files searched for every secret. The numbers are those of SECURITY.md. */

const NETWORK = 'sealed';
const PASSPHRASE = 'correct horse battery staple';
const BROKER_PASSWORD = 'a password of the broker';
const CREDENTIAL_SECRET = 'secret of the credentials file';
const WAIT_MS = 20_000;

const { identity, storeKey } = credentialsOf('attack 25', true);
const networkKey = fromHex('f00dfeedf00dfeed0123456789abcdef');
const psk = fromHex('5ec2'.repeat(16));
const rsaPem = identity.rsa?.privateKeyPem ?? '';
const rsaNumbers = createPrivateKey(rsaPem).export({ format: 'jwk' });
const number = (text = '') => new Uint8Array(Buffer.from(text, 'base64url'));
const CREDENTIALS = {
  networkKey: toHex(networkKey),
  identity: exportIdentity(identity),
  storeKey: toHex(storeKey),
  user: 'gateway',
  password: BROKER_PASSWORD,
};

/** Grows as sessions and keys are made. */
const secrets: Record<string, Uint8Array | string> = {
  networkKey,
  storeKey,
  psk,
  identity: identity.staticKey.secret,
  rsaD: number(rsaNumbers.d),
  rsaP: number(rsaNumbers.p),
  rsaQ: number(rsaNumbers.q),
  rsaPem: rsaPem.split('\n')[5] ?? '',
  passphrase: PASSPHRASE,
  brokerPassword: BROKER_PASSWORD,
};

const network = (credentials: object, change: object = {}) => ({
  ...{ id: 'net', type: 'wattmesh-network', version: 2, connection: 'flow', networkId: NETWORK, store: 'default' },
  ...{ allowSuiteNone: false, allowRsa: true, approval: 'operator', names: [], ...change, credentials },
});

/** Everything that a network can say, to the debug sidebar and to the console; bytes in and out by HTTP. */
function flow(...networks: object[]): object[] {
  const shown = [['sidebar'], ['sidebar']];
  // Without a place it would be a configuration node.
  const placed = { z: 'tab', x: 100, y: 100 };
  const tap = { ...placed, network: 'net', version: 1 };
  const http = { ...placed, method: 'post' };
  const collect =
    "const all = flow.get('down') ?? []; all.push(msg.payload.toString('base64')); flow.set('down', all);";
  const hand = "msg.payload = flow.get('down') ?? []; return msg;";
  return [
    { id: 'tab', type: 'tab', label: 'everything' },
    ...networks,
    { id: 'up', type: 'http in', ...http, url: '/up', wires: [['decode', 'ok']] },
    { id: 'decode', type: 'wattmesh-decode', ...tap, mode: 'envelope', wires: [['sidebar'], ['collect']] },
    { id: 'collect', type: 'function', ...placed, func: collect, outputs: 0, wires: [] },
    { id: 'down', type: 'http in', ...http, method: 'get', url: '/down', wires: [['hand']] },
    { id: 'hand', type: 'function', ...placed, func: hand, outputs: 1, wires: [['ok']] },
    { id: 'ok', type: 'http response', ...placed, wires: [] },
    { id: 'order', type: 'http in', ...http, url: '/order', wires: [['alone', 'thank']] },
    {
      id: 'thank',
      type: 'function',
      ...placed,
      func: "msg.payload = 'taken'; return msg;",
      outputs: 1,
      wires: [['ok']],
    },
    // The request has the body too, and nobody but its own nodes can take it out of there.
    {
      id: 'alone',
      type: 'function',
      ...placed,
      func: 'return { payload: msg.payload };',
      outputs: 1,
      wires: [['orders']],
    },
    { id: 'orders', type: 'wattmesh-command', ...tap, operation: '', wires: shown },
    { id: 'readings', type: 'wattmesh-readings', ...tap, split: true, wires: shown },
    { id: 'nodes', type: 'wattmesh-status', ...tap, wires: shown },
    { id: 'topology', type: 'wattmesh-topology', ...tap, wires: shown },
    { id: 'caught', type: 'catch', ...placed, scope: null, wires: [['sidebar']] },
    { id: 'badges', type: 'status', ...placed, scope: null, wires: [['sidebar']] },
    {
      id: 'sidebar',
      type: 'debug',
      ...placed,
      active: true,
      tosidebar: true,
      console: true,
      complete: 'true',
      wires: [],
    },
  ];
}

/** A gateway of the flow with nodes behind it. */
class Outpost {
  readonly #url: string;
  #number = 1;

  constructor(url: string) {
    this.#url = url;
  }

  async say(node: ScriptedNode, packet: Uint8Array): Promise<void> {
    const item = { more: false, urgent: false, route: [node.shortId], packet };
    const bytes = encodeGatewayEnvelope({ type: 'up', number: this.#number++, rssiDbm: -70, utcMs: 0, item });
    const headers = { 'content-type': 'application/octet-stream' };
    await fetch(`${this.#url}/up`, { method: 'POST', headers, body: Buffer.from(bytes) });
  }

  /** Sealed packets for a node, of one type, once there is one. */
  async packets(node: ScriptedNode, type: 'm2' | 'down'): Promise<Uint8Array[]> {
    return await eventually(`${type} for ${node.nodeId}`, async () => {
      const all = (await (await fetch(`${this.#url}/down`)).json()) as string[];
      const found = all
        .map((text) => decodeHostEnvelope(new Uint8Array(Buffer.from(text, 'base64'))))
        .flatMap((envelope) => (envelope.type === 'down' ? [envelope.packet] : []))
        .filter((packet) => decodePacket(packet).type === type && decodePacket(packet).nodeId === node.nodeId);
      return found.length > 0 ? found : undefined;
    });
  }

  /** Joins and reports; its session is secret from now on. */
  async join(name: string, node: ScriptedNode): Promise<void> {
    for (const part of node.m1Parts()) await this.say(node, part);
    const m2 = node.takeM2((await this.packets(node, 'm2'))[0] as Uint8Array);
    assert.deepEqual(m2.networkKey, networkKey);
    Object.assign(secrets, { [`${name} up`]: node.keys?.up, [`${name} down`]: node.keys?.down });
    await this.say(node, node.up([node.telemetry(), node.readings(1, 3)]));
  }
}

async function eventually<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
  for (const deadline = Date.now() + WAIT_MS; Date.now() < deadline; await delay(50)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`waited in vain for ${what}`);
}

describe('attack 25: a real Node-RED searched for every secret', function () {
  this.timeout(90_000);
  this.slow(60_000);
  let nodeRed: RunningNodeRed;
  let comms: Comms;
  const answers: string[] = [];

  before(async () => {
    const logging = { console: { level: 'trace', metrics: true, audit: true } };
    nodeRed = await startNodeRed({ settings: { logging, credentialSecret: CREDENTIAL_SECRET } });
    comms = await Comms.open(nodeRed.url);
    await nodeRed.deploy(flow(network(CREDENTIALS)));
  });

  after(async () => {
    comms?.close();
    await nodeRed?.stop();
  });

  async function ask(path: string, body?: object): Promise<{ status: number; text: string }> {
    const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(`${nodeRed.url}${path}`, body ? json : {});
    const text = await answer.text();
    answers.push(`${path}: ${text}`);
    return { status: answer.status, text };
  }

  it('finds none while devices join, report, are commanded and shut out', async () => {
    const outpost = new Outpost(nodeRed.url);
    const known = { networkNumber: networkNumber(NETWORK) };
    const ecc = new ScriptedNode({
      seed: 'ecc',
      relay: true,
      security: { suite: 'ecc', headEndKey: identity.staticKey.publicKey, ...known },
    });
    const rsa = new ScriptedNode({
      seed: 'rsa',
      security: { suite: 'rsa', publicKeyPem: identity.rsa?.publicKeyPem ?? '', psk, ...known },
    });
    await eventually(
      'the network to run',
      async () => (await ask('/wattmesh/networks/net/devices')).status === 200 || undefined,
    );
    await ask('/order', { operation: 'approve', key: labelText(ecc.key), name: 'with a key pair' });
    await ask('/order', { operation: 'preload', text: `key,name,hub,psk\n${rsa.keyHex},with a PSK,,${toHex(psk)}\n` });
    await eventually('both to be approved', async () => {
      const { text } = await ask('/wattmesh/networks/net/devices');
      return text.split('"approved"').length === 3 || undefined;
    });
    await outpost.join('ecc', ecc);
    await outpost.join('rsa', rsa);
    await comms.until('readings of both', ({ text }) => [ecc, rsa].every(({ keyHex }) => text.includes(`${keyHex}:`)));
    await ask('/order', { operation: 'identify', nodeId: ecc.nodeId, args: { seconds: 5 }, timeoutS: 5 });
    await comms.until(
      'the command to fail',
      ({ text }) => text.includes('commandTimeout') || text.includes('no result'),
    );
    // Whoever is shut out makes the others change to another network key.
    await ask('/wattmesh/networks/net/devices/revoke', { nodeId: rsa.nodeId });
    const next = await eventually('the next network key', async () => {
      const sections = (await outpost.packets(ecc, 'down')).flatMap((packet) => ecc.open(packet).sections);
      return sections.find((section) => section.kind === 'netkey');
    });
    secrets.nextNetworkKey = next.networkKey;
    assert.notDeepEqual(next.networkKey, networkKey);
  });

  it('finds none when something is wrong with a secret', async () => {
    const wrong: [path: string, body: object, status: number][] = [
      ['/order', { operation: 'approve', key: 'WM1:NONSENSE', psk: toHex(psk) }, 200],
      ['/order', { operation: 'approve', nodeId: '010203040506', digits: '1', psk: `${toHex(psk)}00` }, 200],
      ['/order', { operation: 'preload', text: `nobody,"x,,${toHex(psk)}\n${'0'.repeat(63)},,,${toHex(psk)}x` }, 200],
      ['/wattmesh/networks/net/devices/approve', { nodeId: '010203040506', digits: '1', psk: toHex(psk) }, 400],
      ['/wattmesh/networks/net/devices/preload', { text: `nobody,,,${toHex(psk)}` }, 200],
      ['/wattmesh/identity/public', { identity: CREDENTIALS.identity.slice(0, -2) }, 400],
      ['/wattmesh/identity/public', { identity: CREDENTIALS.identity.replace('BEGIN', 'BEGUN') }, 400],
      ['/wattmesh/recovery/write', { id: 'net', network: NETWORK, passphrase: 'too short' }, 400],
      [
        '/wattmesh/recovery/write',
        { id: 'net', network: NETWORK, passphrase: PASSPHRASE, secrets: { storeKey: `${CREDENTIALS.storeKey}0` } },
        400,
      ],
    ];
    for (const [path, body, status] of wrong) assert.equal((await ask(path, body)).status, status, path);
    const written = await ask('/wattmesh/recovery/write', { id: 'net', network: NETWORK, passphrase: PASSPHRASE });
    const { text } = JSON.parse(written.text) as { text: string };
    const damaged = text.replace('"data": "', '"data": "A');
    assert.equal((await ask('/wattmesh/recovery/read', { text, passphrase: `${PASSPHRASE}!` })).status, 400);
    assert.equal((await ask('/wattmesh/recovery/read', { text: damaged, passphrase: PASSPHRASE })).status, 400);
    await comms.until('the refusals', ({ text: said }) => /check character|label/.test(said));
  });

  it('finds none in what the editor, the admin interface and diagnostics give away', async () => {
    for (const path of [
      '/flows',
      '/flow/tab',
      '/flow/global',
      '/credentials/wattmesh-network/net',
      '/settings',
      '/nodes',
      '/diagnostics',
      '/wattmesh/networks/net/devices',
      '/wattmesh/networks/net/meters',
      '/context/flow/tab',
    ]) {
      const { status } = await ask(path);
      assert.equal(status, 200, path);
    }
    assert.ok(answers.some((text) => text.startsWith('/flows') && text.includes(NETWORK)));
  });

  it('finds none when the credentials are wrong', async () => {
    const cases: [object, RegExp][] = [
      [{ ...CREDENTIALS, networkKey: `${CREDENTIALS.networkKey}00` }, /network key is not usable/],
      [{ ...CREDENTIALS, identity: CREDENTIALS.identity.slice(1) }, /identity cannot be read/],
      [{ ...CREDENTIALS, identity: CREDENTIALS.identity.replace('BEGIN', 'BEGUN') }, /RSA key is not a private key/],
      [{ ...CREDENTIALS, storeKey: toHex(psk) }, /does not open/],
      [{ ...CREDENTIALS, storeKey: '' }, /has no store key/],
    ];
    for (const [credentials, message] of cases) {
      await nodeRed.deploy(flow(network(credentials)));
      await eventually(String(message), async () => message.test(nodeRed.output()) || undefined);
    }
    await nodeRed.deploy(flow(network(CREDENTIALS)));
    await eventually(
      'the network to run',
      async () => (await ask('/wattmesh/networks/net/devices')).status === 200 || undefined,
    );
  });

  it('found none anywhere', async () => {
    assert.ok(Object.keys(secrets).length > 14 && Object.values(secrets).every((secret) => secret.length >= 16));
    requireNone('the debug sidebar', comms.text, secrets);
    requireNone('the log', nodeRed.output(), secrets);
    for (const answer of answers) requireNone(answer.slice(0, 60), answer, secrets);
    const files = readdirSync(nodeRed.userDir, { recursive: true, withFileTypes: true });
    for (const file of files.filter((each) => each.isFile())) {
      requireNone(file.name, readFileSync(join(file.parentPath, file.name)), secrets);
    }
    const store = join(nodeRed.userDir, 'wattmesh', `${NETWORK}.sqlite`);
    assert.ok(readFileSync(store).includes(new ScriptedNode({ seed: 'ecc' }).keyHex), 'the store was searched');
    assert.ok(readFileSync(join(nodeRed.userDir, 'flows_cred.json')).length > 1000, 'and the credentials');
  });

  it('would find each of them, in any form', () => {
    for (const [name, secret] of Object.entries(secrets)) {
      const bytes = Buffer.from(secret);
      const forms =
        typeof secret === 'string'
          ? [secret]
          : [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url'), JSON.stringify(bytes)];
      for (const form of [...forms, Uint8Array.from([0, ...bytes, 0])]) {
        assert.throws(() => requireNone('here', typeof form === 'string' ? `<${form}>` : form, secrets), name);
      }
    }
  });
});
