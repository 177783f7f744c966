import assert from 'node:assert/strict';
import type { NodeAPI } from 'node-red';
import { newIdentity, serveDialogs } from '../../nodes/wattmesh-network/admin.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { helper, load, NET, plugIn, running, withNodeRed } from './support/bench.ts';

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
const ANSWERS = { id: 'answers', type: 'helper', z: 'tab' };

describe('what dialogs ask the server', () => {
  withNodeRed();

  it('stands behind permissions, all of it', () => {
    const routes: string[] = [];
    const add =
      (method: string) =>
      (path: string, guard: unknown): void =>
        void routes.push(`${method} ${path} ${guard}`);
    const RED = {
      auth: { needsPermission: (permission: string) => permission },
      httpAdmin: { get: add('GET'), post: add('POST') },
    };
    serveDialogs(RED as unknown as NodeAPI);
    assert.deepEqual(routes, [
      'POST /wattmesh/identity flows.write',
      'GET /wattmesh/ports flows.write',
      'GET /wattmesh/networks/:id/meters flows.read',
    ]);
  });

  it('makes ids and keys that fit, and never the same twice', async () => {
    assert.notDeepEqual(newIdentity(), newIdentity());
    await load([TAB]);
    const { body, headers } = await helper.request().post('/wattmesh/identity').expect(200);
    assert.match(body.networkId, /^wm-[0-9a-f]{8}$/);
    assert.match(body.networkKey, /^[0-9a-f]{32}$/);
    assert.equal(headers['cache-control'], 'no-store');
    await helper.request().get('/wattmesh/identity').expect(404);
  });

  it('lists serial ports, and an empty list where there is none', async () => {
    await load([TAB]);
    const { body } = await helper.request().get('/wattmesh/ports').expect(200);
    assert.ok(Array.isArray(body));
    for (const port of body) assert.deepEqual(Object.keys(port).sort(), ['label', 'path']);
  });

  it('lists the meters that a network has heard', async () => {
    await load([TAB, NET, DECODE, ANSWERS]);
    await running();
    const gateway = plugIn('gw', 'decode', 'answers');
    await gateway.begin();
    const { meter } = gateway;
    const { body } = await helper.request().get('/wattmesh/networks/net/meters').expect(200);
    assert.deepEqual(body, [{ nodeId: meter.nodeId, meter: meter.nodeId, name: `meter-${meter.nodeId.slice(-4)}` }]);
    for (const id of ['nothing', 'decode']) {
      assert.deepEqual((await helper.request().get(`/wattmesh/networks/${id}/meters`).expect(200)).body, []);
    }
  });
});

describe('what dialogs ask a Node-RED with users', function () {
  this.timeout(60_000);
  let nodeRed: RunningNodeRed;

  before(async () => {
    const adminAuth = { type: 'credentials', users: [], default: { permissions: ['flows.read'] } };
    nodeRed = await startNodeRed({ settings: { adminAuth } });
  });
  after(() => nodeRed?.stop());

  it('gives nothing to those who may only look', async () => {
    const status = async (method: string, path: string): Promise<number> =>
      (await fetch(`${nodeRed.url}/wattmesh/${path}`, { method })).status;
    assert.equal(await status('POST', 'identity'), 401);
    assert.equal(await status('GET', 'ports'), 401);
    assert.equal(await status('GET', 'networks/none/meters'), 200);
  });
});
