import assert from 'node:assert/strict';
import { SUITE_NONE } from '../../nodes/headend/frame/packet.ts';
import { emptyWindow } from '../../nodes/headend/security/replay.ts';
import { acceptedIn, freeSessionId, type Session, slotOf } from '../../nodes/headend/security/session.ts';

function session(sessionId: number): Session {
  return {
    sessionId,
    suite: SUITE_NONE,
    window: emptyWindow,
    handshakeHash: `hash ${sessionId}`,
    logId: 'a0a0a0a0',
    beganMs: 0,
    sealedKeys: '',
    downlink: { nextCounter: 0, echoed: true },
  };
}

describe('sessions of a node', () => {
  const slots = { previous: session(1), current: session(2), pending: session(3) };

  it('are found by number', () => {
    assert.equal(slotOf(slots, 1), 'previous');
    assert.equal(slotOf(slots, 2), 'current');
    assert.equal(slotOf(slots, 3), 'pending');
    assert.equal(slotOf(slots, 4), undefined);
  });

  it('stay where they are when the current or the previous one is used', () => {
    for (const slot of ['current', 'previous'] as const) {
      const after = acceptedIn(slots, slot, 9);
      assert.equal(after[slot]?.window.highest, 9);
      assert.equal(after.current?.sessionId, 2);
      assert.equal(after.pending, slots.pending);
    }
  });

  it('move up when the pending one is first used', () => {
    const after = acceptedIn(slots, 'pending', 0);
    assert.equal(after.current?.sessionId, 3);
    assert.equal(after.previous, slots.current);
    assert.equal(after.pending, undefined);
  });

  it('need no predecessor', () => {
    const after = acceptedIn({ pending: slots.pending }, 'pending', 0);
    assert.deepEqual(Object.keys(after), ['current']);
  });

  it('keep their log until a batch names another', () => {
    assert.equal(acceptedIn(slots, 'current', 0).current?.logId, 'a0a0a0a0');
    assert.equal(acceptedIn(slots, 'current', 0, 'b1b1b1b1').current?.logId, 'b1b1b1b1');
  });

  it('share their downlink counter with every later state', () => {
    assert.equal(acceptedIn(slots, 'current', 0).current?.downlink, slots.current.downlink);
  });

  it('get a number that none of them has, never 0', () => {
    assert.equal(freeSessionId(slots, 2), 4);
    assert.equal(freeSessionId(slots, 255), 255);
    assert.equal(freeSessionId({ current: session(255) }, 255), 1);
  });
});
