import assert from 'node:assert/strict';
import { reasonOf } from '../../nodes/headend/errors.ts';
import { ENVELOPE_BYTES_MAX } from '../../nodes/headend/frame/slip.ts';
import { FlowLink } from '../../nodes/headend/link/flow.ts';
import { LinkRecorder } from '../support/link-recorder.ts';

describe('flow link', () => {
  it('carries envelopes both ways while it is open', async () => {
    const sent: [string, Uint8Array][] = [];
    const link = new FlowLink((gateway, envelope) => sent.push([gateway, envelope]));
    const told = new LinkRecorder();
    assert.equal(link.feed('gw', Uint8Array.of(1)), false);
    assert.equal(link.send('gw', Uint8Array.of(1)), false);
    await link.open(told);
    assert.equal(told.last?.up, true);
    assert.equal(link.feed('gw', Uint8Array.of(1, 2)), true);
    assert.equal(link.send('gw', Uint8Array.of(3)), true);
    await link.close();
    assert.equal(link.feed('gw', Uint8Array.of(4)), false);
    assert.equal(link.feedBad('gw', 'badCrc', 9), false);
    assert.equal(link.send('gw', Uint8Array.of(5)), false);
    assert.deepEqual(told.envelopes, [{ gateway: 'gw', bytes: Uint8Array.of(1, 2) }]);
    assert.deepEqual(told.faults, []);
    assert.deepEqual(sent, [['gw', Uint8Array.of(3)]]);
  });

  it('counts what is no envelope', async () => {
    const link = new FlowLink(() => undefined);
    const told = new LinkRecorder();
    await link.open(told);
    link.feed('gw', new Uint8Array());
    link.feed('gw', new Uint8Array(ENVELOPE_BYTES_MAX + 1));
    link.feedBad('gw', 'badCrc', 20);
    link.feed('gw', new Uint8Array(ENVELOPE_BYTES_MAX));
    assert.deepEqual(
      told.faults.map(({ reason, length }) => [reason, length]),
      [
        ['truncated', 0],
        ['oversize', ENVELOPE_BYTES_MAX + 1],
        ['badCrc', 20],
      ],
    );
    assert.equal(told.envelopes.length, 1);
    assert.throws(
      () => link.send('gw', new Uint8Array(ENVELOPE_BYTES_MAX + 1)),
      (error) => reasonOf(error) === 'oversize',
    );
  });
});
