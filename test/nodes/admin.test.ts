import assert from 'node:assert/strict';
import { toHex } from '../../nodes/headend/bytes.ts';
import { type RunningNodeRed, startNodeRed } from '../support/node-red.ts';
import { headEndKey } from '../support/secrets.ts';
import { helper, load, NET, plugIn, running, withNodeRed } from './support/bench.ts';
import { Endpoints } from './support/endpoints.ts';

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
    assert.deepEqual(new Endpoints().routes, [
      'POST /wattmesh/identity flows.write',
      'POST /wattmesh/identity/rsa flows.write',
      'POST /wattmesh/identity/public flows.write',
      'POST /wattmesh/recovery/write flows.write',
      'POST /wattmesh/recovery/read flows.write',
      'GET /wattmesh/ports flows.write',
      'GET /wattmesh/networks/:id/meters flows.read',
      'GET /wattmesh/networks/:id/devices flows.read',
      'POST /wattmesh/networks/:id/devices/approve flows.write',
      'POST /wattmesh/networks/:id/devices/reject flows.write',
      'POST /wattmesh/networks/:id/devices/rename flows.write',
      'POST /wattmesh/networks/:id/devices/revoke flows.write',
      'POST /wattmesh/networks/:id/devices/exchange flows.write',
      'POST /wattmesh/networks/:id/devices/preload flows.write',
      'GET /wattmesh/qr.svg flows.read',
      'GET /wattmesh/networks/:id/simulated-labels flows.write',
    ]);
  });

  it('is answered over HTTP', async () => {
    await load([TAB, NET]);
    const { body, headers } = await helper.request().post('/wattmesh/identity').expect(200);
    assert.match(body.networkId, /^wm-[0-9a-f]{8}$/);
    assert.equal(headers['cache-control'], 'no-store');
    const picture = await helper.request().get('/wattmesh/qr.svg').query({ text: body.label }).expect(200);
    assert.match(picture.headers['content-type'], /^image\/svg\+xml/);
    await helper.request().get('/wattmesh/identity').expect(404);
    const { body: shown } = await helper.request().post('/wattmesh/identity/public').send({ id: 'net' }).expect(200);
    assert.equal(shown.publicKey, toHex(headEndKey.publicKey));
  });

  it('is refused for a network of another connection, or none at all', async () => {
    await load([TAB, NET, DECODE, ANSWERS]);
    await running();
    const status = async (path: string) => (await helper.request().get(`/wattmesh/networks/${path}`)).status;
    assert.deepEqual(
      [await status('net/devices'), await status('decode/devices'), await status('net/simulated-labels')],
      [200, 404, 404],
    );
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
    for (const route of new Endpoints().routes) {
      const [method = '', path = '', permission] = route.replace(':id', 'none').replace('/wattmesh/', '').split(' ');
      const given = await status(method, path);
      if (permission === 'flows.write') assert.equal(given, 401, route);
      else assert.notEqual(given, 401, route);
    }
  });
});
