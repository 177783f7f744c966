import assert from 'node:assert/strict';
import { QUEUE_PACKETS_MAX } from '../../firmware/simulator/raw/raw-node.ts';
import { pair } from './radio-traffic.ts';
import { cell, chain, near, play } from './raw-files.ts';

const SLOT_US = 20;
const EXCHANGE_US = 192 + 8 * 143 + 10 + 304 + 50;
const COLLISION_US = 192 + 8 * 143 + 364;
const TRANSMISSIONS_MAX = 5;

/**
 * Saturation throughput of the distributed coordination function (Bianchi, IEEE JSAC 18(3), 2000), with a limited number of transmissions:
 * every slot a sender sends with probability tau, and meets another one with probability p; 100 bytes of payload.
 */
function saturation(senders: number): { collided: number; kbitPerS: number } {
  const tauAt = (p: number): number => {
    let sent = 0;
    let slots = 0;
    for (let stage = 0; stage < TRANSMISSIONS_MAX; stage++) {
      sent += p ** stage;
      slots += p ** stage * (1 + (32 * 2 ** stage - 1) / 2);
    }
    return sent / slots;
  };
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const p = (low + high) / 2;
    if (1 - (1 - tauAt(p)) ** (senders - 1) > p) low = p;
    else high = p;
  }
  const tau = tauAt(low);
  const idle = (1 - tau) ** senders;
  const success = senders * tau * (1 - tau) ** (senders - 1);
  const slotUs = idle * SLOT_US + success * EXCHANGE_US + (1 - idle - success) * COLLISION_US;
  return { collided: low, kbitPerS: (success * 800e3) / slotUs };
}

describe('raw traffic', function () {
  this.timeout(60_000);

  for (const senders of [2, 5, 20]) {
    it(`matches the theory of ${senders} saturated senders`, () => {
      const { total, flows } = play(cell(senders, { durationS: senders < 10 ? 200 : 60 }));
      const theory = saturation(senders);
      near(total.goodputKbitPerS, theory.kbitPerS, 'goodput, kbit/s', 0.02);
      near(total.collidedFraction, theory.collided, 'collided');
      const shares = flows.map((flow) => flow.delivered / total.delivered);
      for (const share of shares) near(share, 1 / senders, 'share of one sender', 0.25);
    });
  }

  for (const transmissions of [1, 2, 7]) {
    it(`gives up after ${transmissions} transmissions, as theory says`, () => {
      const prr = 0.6;
      const traffic = [{ path: ['a', 'b'], saturated: true }];
      const file = { nodes: ['a', 'b'], links: pair('a', 'b', prr), maxTransmissions: transmissions, traffic };
      const { total } = play({ ...file, durationS: 240 });
      const failure = 1 - prr ** 2;
      near(total.delivered / total.offered, 1 - (1 - prr) ** transmissions, 'delivered', 0.02);
      near(total.acknowledged / total.offered, 1 - failure ** transmissions, 'acknowledged', 0.03);
      near(total.transmissionsPerPacket, (1 - failure ** transmissions) / (1 - failure), 'transmissions', 0.02);
      assert.equal(total.droppedByRetries, total.dropped);
      near(total.dropped / total.offered, failure ** transmissions, 'dropped', 0.1);
    });
  }

  it('forwards over four idle hops without loss, each in the time that it needs', () => {
    const { flows } = play(chain(['a', 'b', 'c', 'd', 'e'], { ratePerS: 2 }, { durationS: 600 }));
    const [flow] = flows;
    assert.ok(flow);
    assert.equal(flow.delivered, flow.offered);
    assert.equal(flow.dropped, 0);
    near(flow.transmissionsPerPacket, 4, 'transmissions', 0.02);
    // DIFS and the frame; then three times the acknowledgement of the hop before, DIFS and the frame.
    near(flow.latencyMs.p50, (50 + 1336 + 3 * (10 + 304 + 50 + 1336)) / 1000, 'latency, ms', 0.01);
    assert.deepEqual(
      flow.hops.map(({ from, to }) => from + to),
      ['ab', 'bc', 'cd', 'de'],
    );
  });

  it('forwards over four saturated hops at a share of one hop, and drops where a queue is full', () => {
    const { total, flows } = play(chain(['a', 'b', 'c', 'd', 'e'], { saturated: true }));
    // Neighbours exclude each other and the second next is hidden: between one fifth and one third of a link.
    assert.ok(total.goodputKbitPerS > 398 / 5 && total.goodputKbitPerS < 398 / 3, `${total.goodputKbitPerS} kbit/s`);
    assert.ok(total.collidedFraction > 0.1, 'hidden terminals collide');
    const [flow] = flows;
    for (const [index, hop] of (flow?.hops ?? []).entries()) {
      const next = flow?.hops[index + 1];
      if (next) assert.ok(hop.packets >= next.packets, 'no packet comes from nowhere');
    }
    // What the first MAC is done with was delivered, was dropped, or is still in one of three queues and MACs.
    const missing = total.offered - total.delivered - total.dropped;
    assert.ok(missing >= -10 && missing <= 3 * (QUEUE_PACKETS_MAX + 1) + 1, `${missing} packets`);
  });

  it('tells a hidden sender from one that is sensed', () => {
    const nodes = ['a', 'b', 'x', 'y'];
    const file = (sensed: boolean) => ({
      nodes,
      links: [...pair('a', 'b'), ...pair('x', 'y')],
      interference: [
        { from: 'x', to: 'b', sensed },
        { from: 'x', to: 'a', sensed },
        { from: 'a', to: 'x', sensed },
        { from: 'a', to: 'y', sensed },
      ],
      traffic: [
        { path: ['a', 'b'], saturated: true },
        { path: ['x', 'y'], saturated: true },
      ],
    });
    const hidden = play(file(false)).total;
    const sensed = play(file(true)).total;
    assert.ok(hidden.collidedFraction > 0.5, `hidden: ${hidden.collidedFraction}`);
    assert.ok(sensed.collidedFraction < 0.15, `sensed: ${sensed.collidedFraction}`);
  });

  it('lets the stronger of two hidden senders through when capture is on, and neither when it is off', () => {
    const file = (captureDb: number | null) => ({
      captureDb,
      nodes: ['near', 'far', 'sink'],
      links: [...pair('near', 'sink', 1, -50), ...pair('far', 'sink', 1, -70)],
      traffic: ['near', 'far'].map((id) => ({ path: [id, 'sink'], saturated: true })),
    });
    const [nearOn, farOn] = play(file(10)).flows;
    const [nearOff] = play(file(null)).flows;
    assert.equal(nearOn?.collidedFraction, 0);
    assert.ok((farOn?.collidedFraction ?? 0) > 0.5);
    assert.ok((nearOff?.collidedFraction ?? 0) > 0.3);
  });

  it('counts every reception of a broadcast, and repeats none', () => {
    const nodes = ['a', 'b', 'c', 'd'];
    const links = ['b', 'c', 'd'].flatMap((id) => pair('a', id, id === 'd' ? 0.5 : 1));
    const { total } = play({ durationS: 600, nodes, links, traffic: [{ path: ['a', 'broadcast'], ratePerS: 20 }] });
    near(total.delivered / total.offered, 2.5, 'receptions', 0.02);
    assert.equal(total.transmissionsPerPacket, 1);
    assert.equal(total.acknowledged, 0);
  });

  it('loses in bursts and keeps the mean', () => {
    const traffic = [{ path: ['a', 'broadcast'], ratePerS: 50 }];
    const file = { durationS: 2000, nodes: ['a', 'b'], links: pair('a', 'b', 0.6), traffic };
    const steady = play(file).total;
    const bursty = play({ ...file, burst: { meanBadS: 1, meanGoodS: 3 } }).total;
    near(steady.delivered / steady.offered, 0.6, 'delivered', 0.02);
    near(bursty.delivered / bursty.offered, 0.6, 'delivered in bursts', 0.05);
    const acknowledged = { ...file, durationS: 600, traffic: [{ path: ['a', 'b'], ratePerS: 50 }] };
    const retried = play(acknowledged).total;
    const broken = play({ ...acknowledged, burst: { meanBadS: 1, meanGoodS: 3 } }).total;
    assert.ok(retried.droppedByRetries / retried.offered < 0.15);
    // Repetitions do not help in the bad quarter of the time, of either direction.
    assert.ok(broken.droppedByRetries / broken.offered > 0.35, `${broken.droppedByRetries / broken.offered}`);
  });

  it('depends on nothing but the file and the seed', () => {
    const file = cell(3, { durationS: 5 });
    const bare = (seed: number) => JSON.stringify({ ...play(file, seed), wallMs: 0 });
    assert.equal(bare(4), bare(4));
    assert.notEqual(bare(4), bare(5));
  });
});
