import assert from 'node:assert/strict';
import { Bench, fullMesh, pair } from './radio-traffic.ts';

/** Figures of ns-3 3.37's 802.11b model (1 Mbit/s, 43 bytes around the payload, at most five transmissions, no capture). */
const CYCLES = [
  { bytes: 40, unicastUs: 1530, kbitPerS: 209, broadcastUs: 1216 },
  { bytes: 100, unicastUs: 2010, kbitPerS: 398, broadcastUs: 1696 },
  { bytes: 250, unicastUs: 3210, kbitPerS: 623, broadcastUs: 2896 },
];
const LOSSES = [
  { prr: 0.8, transmissions: 1.55, delivered: 0.9997, acknowledged: 0.994, duplicates: 0.242 },
  { prr: 0.5, transmissions: 3.044, delivered: 0.97, acknowledged: 0.764, duplicates: 0.557 },
];
const TOLERANCE = 0.05;

function near(actual: number, expected: number, what: string): void {
  assert.ok(Math.abs(actual / expected - 1) <= TOLERANCE, `${what}: ${actual.toFixed(4)}, the referee has ${expected}`);
}

function total(bench: Bench, ids: string[], counter: 'attempts' | 'retries' | 'collided'): number {
  return ids.reduce((sum, id) => sum + bench.radio.stats(id)[counter], 0);
}

describe('radio against the referee', () => {
  for (const { bytes, unicastUs, kbitPerS, broadcastUs } of CYCLES) {
    it(`one saturated link, ${bytes} bytes`, () => {
      const seconds = 30;
      const unicast = new Bench(['a', 'b'], pair('a', 'b'));
      unicast.saturate('a', 'b', bytes);
      unicast.schedule.run(seconds * 1e6);
      const { received } = unicast.radio.stats('b');
      near((seconds * 1e6) / received, unicastUs, 'cycle, us');
      near((received * bytes * 8) / seconds / 1000, kbitPerS, 'goodput, kbit/s');

      const broadcast = new Bench(['a', 'b'], pair('a', 'b'));
      broadcast.saturate('a', undefined, bytes);
      broadcast.schedule.run(seconds * 1e6);
      near((seconds * 1e6) / broadcast.radio.stats('b').received, broadcastUs, 'broadcast cycle, us');
    });
  }

  for (const { prr, transmissions, delivered, acknowledged, duplicates } of LOSSES) {
    it(`independent loss each way, reception ratio ${prr}`, () => {
      const bench = new Bench(['a', 'b'], pair('a', 'b', prr));
      bench.saturate('a', 'b', 100);
      bench.schedule.run(60e6);
      const packets = bench.probe('a').results.length;
      const { attempts, failures } = bench.radio.stats('a');
      const receiver = bench.radio.stats('b');
      near(attempts / packets, transmissions, 'transmissions a packet');
      near(receiver.received / packets, delivered, 'delivered');
      near(1 - failures / packets, acknowledged, 'acknowledged');
      near(receiver.duplicates / packets, duplicates, 'duplicates');
    });
  }

  it('ten saturated senders in one place', () => {
    const senders = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const bench = new Bench([...senders, 'sink'], fullMesh([...senders, 'sink']));
    for (const id of senders) bench.saturate(id, 'sink', 100);
    const seconds = 60;
    bench.schedule.run(seconds * 1e6);
    const attempts = total(bench, senders, 'attempts');
    const packets = senders.reduce((sum, id) => sum + bench.probe(id).results.length, 0);
    near((bench.radio.stats('sink').received * 800) / seconds / 1000, 382, 'goodput, kbit/s');
    near(total(bench, senders, 'collided') / attempts, 0.291, 'collided');
    near(total(bench, senders, 'retries') / packets, 0.408, 'retries a packet');
  });

  it('two senders hidden from each other', () => {
    const bench = new Bench(['a', 'b', 'sink'], [...pair('a', 'sink'), ...pair('b', 'sink')]);
    for (const id of ['a', 'b']) bench.offer(id, 'sink', 100, 10);
    bench.schedule.run(2400e6);
    const packets = bench.probe('a').results.length + bench.probe('b').results.length;
    near(packets / 2400, 20, 'packets per second');
    near(bench.radio.stats('sink').received / packets, 0.997, 'delivered');
    near(total(bench, ['a', 'b'], 'attempts') / packets, 1.083, 'transmissions a packet');
  });
});
