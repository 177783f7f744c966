import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { importIdentity } from '../../nodes/headend/security/identity.ts';
import { labelText, parseLabelText } from '../../nodes/headend/security/label.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { qrSvg } from '../../nodes/wattmesh-network/qr-code.ts';
import { readSecrets } from '../../nodes/wattmesh-network/secrets.ts';
import { headEndKey, SECRETS } from '../support/secrets.ts';
import { Endpoints } from './support/endpoints.ts';

const PUBLIC = { publicKey: toHex(headEndKey.publicKey), label: labelText(headEndKey.publicKey) };

describe('identities, through the endpoints', () => {
  const credentials = (id: string) => (id === 'net' ? SECRETS : undefined);
  const endpoints = new Endpoints({ getNode: () => null, getCredentials: credentials });

  it('are fresh, complete, and never the same twice', async () => {
    const { body, headers } = await endpoints.post('identity');
    assert.equal(headers['cache-control'], 'no-store');
    assert.match(body.networkId, /^wm-[0-9a-f]{8}$/);
    const { publicKey } = importIdentity(nodeProvider, readSecrets(body).identity).staticKey;
    assert.equal(body.publicKey, toHex(publicKey));
    assert.deepEqual(parseLabelText(body.label), fromHex(body.publicKey));
    const { body: other } = await endpoints.post('identity');
    for (const [name, value] of Object.entries(other)) assert.notEqual(body[name], value, name);
  });

  it('show their public half, from the request or from the credentials of a node', async () => {
    for (const asked of [{ identity: SECRETS.identity }, { id: 'net' }, { id: 'none', identity: SECRETS.identity }]) {
      const { body } = await endpoints.post('identity/public', asked);
      assert.deepEqual(body, { ...PUBLIC, hasRsa: false });
    }
  });

  it('get an RSA key, and keep their own', async () => {
    const { body } = await endpoints.post('identity/rsa', { id: 'net' });
    const { staticKey, rsa } = importIdentity(nodeProvider, body.identity);
    assert.deepEqual(staticKey, headEndKey);
    assert.match(rsa?.privateKeyPem ?? '', /PRIVATE KEY/);
    const { body: shown } = await endpoints.post('identity/public', { identity: body.identity });
    assert.deepEqual(shown, { ...PUBLIC, hasRsa: true });
  }).timeout(20_000);

  it('that are missing, damaged or too long are refused, and not quoted', async () => {
    const damaged = SECRETS.identity.replace('"publicKey":"', '"publicKey":"00');
    const asked: [unknown, RegExp][] = [
      [{}, /no identity.*recovery file/],
      [{ id: 'none' }, /no identity/],
      [undefined, /must be a JSON object/],
      [{ identity: damaged }, /cannot be read.*recovery file/],
      [{ identity: 'x'.repeat(10_000) }, /identity is too long/],
    ];
    for (const path of ['identity/public', 'identity/rsa']) {
      for (const [body, message] of asked) {
        const answer = await endpoints.post(path, body ?? null);
        assert.equal(answer.status, 400, path);
        assert.match(answer.body.error, message);
        assert.ok(!answer.body.error.includes(toHex(headEndKey.secret).slice(0, 8)));
      }
    }
  });
});

describe('QR pictures, through the endpoint', () => {
  const endpoints = new Endpoints();

  it('show a label', async () => {
    const { status, body, headers } = await endpoints.get('qr.svg', { text: PUBLIC.label });
    assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, 'image/svg+xml', 'no-store']);
    assert.equal(body, qrSvg(PUBLIC.label));
  });

  it('show nothing else', async () => {
    for (const text of [
      '',
      'HELLO',
      '<svg onload="x">',
      PUBLIC.label.slice(0, -1),
      `${PUBLIC.label}X`,
      'W'.repeat(5000),
    ]) {
      const { status, body } = await endpoints.get('qr.svg', { text });
      assert.equal(status, 400, text);
      assert.ok(!body.error.includes('<'));
    }
    assert.equal((await endpoints.get('qr.svg')).status, 400);
  });
});
