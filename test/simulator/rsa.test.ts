import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentialsOf } from '../../firmware/simulator/credentials.ts';
import { loadFirmware } from '../../firmware/simulator/firmware.ts';
import { factoryList, identityOf, pskOf, publicKeyOf } from '../../firmware/simulator/provision.ts';
import { Random } from '../../firmware/simulator/random.ts';
import { modulusOf, rsaKeyFrom } from '../../firmware/simulator/rsa-key.ts';
import { parseScenario } from '../../firmware/simulator/scenario.ts';
import { simulate } from '../../firmware/simulator/simulation.ts';
import { readDeviceList } from '../../nodes/headend/preload.ts';
import { exportIdentity, importIdentity } from '../../nodes/headend/security/identity.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { repoRoot } from '../support/root.ts';

describe('the simulated RSA key', () => {
  it('is a sound one of 2048 bits, and the same for the same seed', () => {
    const key = rsaKeyFrom(new Random('one'));
    assert.equal(createPrivateKey(key.privateKeyPem).asymmetricKeyDetails?.modulusLength, 2048);
    assert.equal(modulusOf(key).length, 256);
    assert.deepEqual(rsaKeyFrom(new Random('one')), key);
    assert.notEqual(rsaKeyFrom(new Random('two')).publicKeyPem, key.publicKeyPem);
    const { identity } = credentialsOf('one', true);
    assert.deepEqual(importIdentity(nodeProvider, exportIdentity(identity)), identity);
    assert.equal(credentialsOf('one').identity.rsa, undefined);
  });
});

describe('the simulated factory', () => {
  it('lists every device with the key that it has and a secret of its own', () => {
    const { devices, faults } = readDeviceList(factoryList('7', ['m1', 'm2']));
    assert.deepEqual(faults, []);
    assert.deepEqual(
      devices.map(({ key, psk }) => [key, psk]),
      ['m1', 'm2'].map((id) => [Buffer.from(publicKeyOf(identityOf('7', id))).toString('hex'), pskOf('7', id)]),
    );
    assert.notDeepEqual(devices[0]?.psk, devices[1]?.psk);
  });
});

describe('simulation under suite 0x10', function () {
  this.timeout(60_000);
  const grid = JSON.parse(readFileSync(join(repoRoot(), 'test', 'scenarios', 'grid-12.json'), 'utf8'));
  const secured = (mesh: object) => parseScenario({ ...grid, mesh: { ...grid.mesh, ...mesh } });

  it('loses nothing and repeats nothing on links that lose a fifth, whatever the seed', async () => {
    for (const seed of [1, 2, 3]) {
      const result = await simulate({ scenario: secured({ suite: 'rsa' }), firmware: loadFirmware(), seed });
      assert.deepEqual(result.violations, [], `seed ${seed}`);
      const { measured, delivered, duplicates, lost } = result.readings;
      assert.deepEqual([measured, delivered, duplicates, lost], [600, 600, 0, 0], `seed ${seed}`);
    }
  });

  it('depends on nothing but scenario and seed', async () => {
    const short = { ...secured({ suite: 'rsa' }), durationS: 700 };
    const results = [];
    for (const seed of [5, 5, 6]) {
      const { wallMs: _, ...result } = await simulate({ scenario: short, firmware: loadFirmware(), seed });
      results.push(result);
    }
    assert.deepEqual(results[0], results[1]);
    assert.notDeepEqual(results[0], results[2]);
  });
});
