import { pair } from './radio-traffic.ts';
import { cell, near, play } from './raw-files.ts';

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

describe('radio against the referee', () => {
  for (const { bytes, unicastUs, kbitPerS, broadcastUs } of CYCLES) {
    it(`one saturated link, ${bytes} bytes`, () => {
      const file = { durationS: 30, payloadBytes: bytes, nodes: ['a', 'b'], links: pair('a', 'b') };
      const unicast = play({ ...file, traffic: [{ path: ['a', 'b'], saturated: true }] }).total;
      near(30e6 / unicast.delivered, unicastUs, 'cycle, us');
      near(unicast.goodputKbitPerS, kbitPerS, 'goodput, kbit/s');
      const broadcast = play({ ...file, traffic: [{ path: ['a', 'broadcast'], saturated: true }] }).total;
      near(30e6 / broadcast.delivered, broadcastUs, 'broadcast cycle, us');
    });
  }

  for (const { prr, transmissions, delivered, acknowledged, duplicates } of LOSSES) {
    it(`independent loss each way, reception ratio ${prr}`, () => {
      const traffic = [{ path: ['a', 'b'], saturated: true }];
      const { total } = play({ nodes: ['a', 'b'], links: pair('a', 'b', prr), traffic });
      near(total.transmissionsPerPacket, transmissions, 'transmissions a packet');
      near(total.delivered / total.offered, delivered, 'delivered');
      near(total.acknowledged / total.offered, acknowledged, 'acknowledged');
      near(total.duplicatesFiltered / total.offered, duplicates, 'duplicates');
    });
  }

  it('ten saturated senders in one place', () => {
    const { total } = play(cell(10));
    near(total.goodputKbitPerS, 382, 'goodput, kbit/s');
    near(total.collidedFraction, 0.291, 'collided');
    near(total.transmissionsPerPacket - 1, 0.408, 'retries a packet');
  });

  it('two senders hidden from each other', () => {
    const traffic = ['a', 'b'].map((id) => ({ path: [id, 'sink'], ratePerS: 10 }));
    const links = [...pair('a', 'sink'), ...pair('b', 'sink')];
    const { total } = play({ durationS: 2400, nodes: ['a', 'b', 'sink'], links, traffic });
    near(total.offered / 2400, 20, 'packets per second');
    near(total.delivered / total.offered, 0.997, 'delivered');
    near(total.transmissionsPerPacket, 1.083, 'transmissions a packet');
  });
});
