import assert from 'node:assert/strict';
import { bytesOf, senderOf } from '../../nodes/wattmesh-decode/input.ts';

describe('what a decode node takes', () => {
  it('takes bytes in all the forms in which flows carry them', () => {
    const bytes = Uint8Array.of(1, 2, 255);
    for (const payload of [Buffer.from(bytes), bytes, [1, 2, 255], JSON.parse(JSON.stringify(Buffer.from(bytes)))]) {
      assert.deepEqual(
        bytesOf(payload).map((piece) => [...piece]),
        [[1, 2, 255]],
      );
    }
    assert.deepEqual(
      bytesOf([bytes, Buffer.of(7), [8]]).map((piece) => [...piece]),
      [[1, 2, 255], [7], [8]],
    );
    assert.deepEqual(bytesOf([]), []);
  });

  it('refuses everything else and says what to do', () => {
    for (const payload of [
      'text',
      5,
      null,
      undefined,
      {},
      [256],
      [1.5],
      ['a'],
      [[]],
      { type: 'Buffer', data: 'x' },
      true,
    ]) {
      assert.throws(
        () => bytesOf(payload),
        { reason: 'badField', message: /msg\.payload must be a Buffer/ },
        JSON.stringify(payload),
      );
    }
  });

  it('knows the gateway by the topic', () => {
    assert.deepEqual(senderOf('wattmesh/home/gw-1/up', 'home'), { gateway: 'gw-1' });
    assert.deepEqual(senderOf('gw-2', 'home'), { gateway: 'gw-2' });
    assert.deepEqual(senderOf('/dev/ttyUSB0', 'home'), { gateway: 'dev-ttyusb0' });
    assert.deepEqual(senderOf(undefined, 'home'), { gateway: 'gateway' });
    assert.deepEqual(senderOf('///', 'home'), { gateway: 'gateway' });
    assert.deepEqual(senderOf(`${'x/'.repeat(40)}end`, 'home'), { gateway: `${'x-'.repeat(14)}end` });
  });

  it('tells topics apart that bring no envelope for this network', () => {
    for (const topic of ['wattmesh/home/gw/down', 'wattmesh/home/gw/status', 'wattmesh/home/host']) {
      assert.equal(senderOf(topic, 'home'), 'no envelope');
    }
    assert.equal(senderOf('wattmesh/other/gw/up', 'home'), 'other network');
  });
});
