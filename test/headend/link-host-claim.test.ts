import assert from 'node:assert/strict';
import { ManualClock } from '../../nodes/headend/clock.ts';
import {
  answerAsHost,
  HOST_REFRESH_MS,
  HOST_SETTLE_MS,
  HOST_SILENT_MS,
  HostWatch,
} from '../../nodes/headend/link/host-claim.ts';

const LOW = '0000000000000001';
const OWN = '8888888888888888';
const HIGH = 'ffffffffffffffff';

function watch(): { clock: ManualClock; watch: HostWatch; told: string[] } {
  const clock = new ManualClock();
  const told: string[] = [];
  const events = { free: () => told.push('free'), held: (by: string) => told.push(`held by ${by}`) };
  return { clock, watch: new HostWatch(OWN, clock, events), told };
}

describe('watch of the host topic', () => {
  it('takes a network without any host after the broker had time to say so', () => {
    const { clock, watch: host, told } = watch();
    clock.advance(HOST_SILENT_MS * 2);
    assert.deepEqual(told, []);
    host.subscribed();
    clock.advance(HOST_SETTLE_MS - 1);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, ['free']);
    host.heard({ online: true, instance: HIGH });
    clock.advance(HOST_SILENT_MS);
    assert.deepEqual(told, ['free']);
  });

  it('takes it at once after an offline, an empty message or its own online', () => {
    for (const presence of [{ online: false, instance: HIGH }, undefined, { online: true, instance: OWN }]) {
      const { watch: host, told } = watch();
      host.subscribed();
      host.heard(presence);
      assert.deepEqual(told, ['free']);
    }
  });

  it('waits as long as the other instance repeats its online', () => {
    const { clock, watch: host, told } = watch();
    host.heard({ online: true, instance: HIGH });
    host.subscribed();
    for (let beat = 0; beat < 20; beat++) {
      clock.advance(HOST_REFRESH_MS);
      host.heard({ online: true, instance: HIGH });
    }
    assert.deepEqual(told, [`held by ${HIGH}`]);
    host.heard({ online: false, instance: LOW });
    host.heard(undefined);
    assert.deepEqual(told, [`held by ${HIGH}`]);
    host.heard({ online: false, instance: HIGH });
    assert.deepEqual(told, [`held by ${HIGH}`, 'free']);
  });

  it('takes over from a retained online that nobody repeats, and follows a change of the host', () => {
    const { clock, watch: host, told } = watch();
    host.subscribed();
    host.heard({ online: true, instance: HIGH });
    clock.advance(HOST_SILENT_MS - 1);
    host.heard({ online: true, instance: LOW });
    clock.advance(HOST_SILENT_MS - 1);
    assert.deepEqual(told, [`held by ${HIGH}`, `held by ${LOW}`]);
    clock.advance(1);
    assert.deepEqual(told, [`held by ${HIGH}`, `held by ${LOW}`, 'free']);
  });

  it('says nothing after stop', () => {
    const { clock, watch: host, told } = watch();
    host.subscribed();
    host.stop();
    host.subscribed();
    host.heard({ online: false, instance: HIGH });
    clock.advance(HOST_SILENT_MS);
    assert.deepEqual(told, []);
  });
});

describe('instance in charge', () => {
  it('asserts itself over everything but a lower instance that is online', () => {
    assert.equal(answerAsHost(OWN, { online: true, instance: OWN }), 'nothing');
    assert.equal(answerAsHost(OWN, { online: true, instance: LOW }), 'yield');
    assert.equal(answerAsHost(OWN, { online: true, instance: HIGH }), 'assert');
    assert.equal(answerAsHost(OWN, undefined), 'assert');
    for (const instance of [LOW, OWN, HIGH]) assert.equal(answerAsHost(OWN, { online: false, instance }), 'assert');
  });
});
