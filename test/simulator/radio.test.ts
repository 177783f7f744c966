import assert from 'node:assert/strict';
import { ACK_US, DIFS_US, dataAirtimeUs, SIFS_US } from '../../firmware/simulator/radio/airtime.ts';
import type { Transmission } from '../../firmware/simulator/radio/station.ts';
import { Bench, BROADCAST_MAC, fullMesh, Probe, pair } from './radio-traffic.ts';

function trace(bench: Bench): Transmission[] {
  const frames: Transmission[] = [];
  bench.radio.observe((transmission) => frames.push(transmission));
  return frames;
}

/** a and b do not hear each other, both reach the sink. */
const hidden = (aDbm: number, bDbm: number) => [...pair('a', 'sink', 1, aDbm), ...pair('b', 'sink', 1, bDbm)];

describe('radio', () => {
  it('carries a unicast frame and its acknowledgement at their times on air', () => {
    const bench = new Bench(['a', 'b', 'c'], fullMesh(['a', 'b', 'c'], 1, -71));
    const frames = trace(bench);
    bench.radio.send('a', bench.probe('b').mac, Uint8Array.of(1, 2, 3));
    bench.schedule.run(1e6);

    const endUs = DIFS_US + dataAirtimeUs(3);
    assert.equal(dataAirtimeUs(40), 856);
    assert.deepEqual(
      frames.map(({ from, to, kind, attempt, startUs, endUs }) => ({ from, to, kind, attempt, startUs, endUs })),
      [
        { from: 'a', to: 'b', kind: 'data', attempt: 1, startUs: DIFS_US, endUs },
        { from: 'b', to: 'a', kind: 'ack', attempt: 1, startUs: endUs + SIFS_US, endUs: endUs + SIFS_US + ACK_US },
      ],
    );
    assert.deepEqual(bench.probe('b').got, [
      { frame: Uint8Array.of(1, 2, 3), from: bench.probe('a').mac, to: bench.probe('b').mac, rssiDbm: -71 },
    ]);
    assert.deepEqual(bench.probe('c').got, [], 'overheard frames are not delivered');
    assert.deepEqual(bench.probe('a').results, [true]);
    assert.equal(bench.radio.stats('a').txUs, dataAirtimeUs(3));
    assert.equal(bench.radio.stats('b').txUs, ACK_US);
    assert.equal(bench.radio.stats('c').rxUs, dataAirtimeUs(3) + ACK_US);
  });

  it('gives a broadcast to everybody who hears it, unacknowledged', () => {
    const bench = new Bench(['a', 'b', 'c', 'far'], fullMesh(['a', 'b', 'c']));
    const frames = trace(bench);
    bench.send('a', undefined);
    bench.schedule.run(1e6);
    assert.deepEqual(
      frames.map(({ to, kind }) => [to, kind]),
      [['broadcast', 'data']],
    );
    assert.deepEqual(
      ['b', 'c', 'far'].map((id) => bench.probe(id).got.length),
      [1, 1, 0],
    );
    assert.deepEqual(bench.probe('b').got[0]?.to, BROADCAST_MAC);
    assert.deepEqual(bench.probe('a').results, [true]);
  });

  it('concludes every frame, also when what arrives instead of its acknowledgement is another frame', () => {
    const bench = new Bench(['a', 'b'], pair('a', 'b', 0.8));
    bench.saturate('a', 'b', 200);
    bench.saturate('b', 'a', 40);
    for (let second = 1; second <= 120; second++) {
      const before = ['a', 'b'].map((id) => bench.probe(id).results.length);
      bench.schedule.run(second * 1e6);
      for (const [index, id] of ['a', 'b'].entries()) {
        assert.ok(bench.probe(id).results.length > (before[index] as number), `${id} is stuck in second ${second}`);
      }
    }
  });

  it('takes one frame at a time and keeps its own copy', () => {
    const bench = new Bench(['a', 'b'], pair('a', 'b'));
    const frame = Uint8Array.of(9);
    assert.equal(bench.radio.send('a', bench.probe('b').mac, frame), true);
    frame[0] = 0;
    assert.equal(bench.radio.send('a', bench.probe('b').mac, frame), false);
    bench.schedule.run(1e6);
    assert.deepEqual(
      bench.probe('b').got.map(({ frame }) => frame[0]),
      [9],
    );
    assert.equal(bench.send('a', 'b'), true);
  });

  it('gives a frame up after all repetitions, to nobody and to a sleeper alike', () => {
    for (const stranger of [true, false]) {
      const bench = new Bench(['a', 'b'], pair('a', 'b'), { config: { macRetries: 5 } });
      const frames = trace(bench);
      bench.probe('b').on = false;
      bench.radio.send('a', stranger ? Uint8Array.of(2, 9, 9, 9, 9, 9) : bench.probe('b').mac, new Uint8Array(10));
      bench.schedule.run(10e6);
      assert.deepEqual(bench.probe('a').results, [false]);
      assert.deepEqual(
        frames.map(({ to, attempt }) => [to, attempt]),
        [1, 2, 3, 4, 5, 6].map((attempt) => [stranger ? '020909090909' : 'b', attempt]),
      );
      assert.deepEqual(bench.probe('b').got, []);
      const { attempts, retries, failures, collided } = bench.radio.stats('a');
      assert.deepEqual(
        { attempts, retries, failures, collided },
        { attempts: 6, retries: 5, failures: 1, collided: 0 },
      );
    }
  });

  it('filters and counts a frame that is repeated because only its acknowledgement was lost', () => {
    const oneWay = [
      { from: 'a', to: 'b', prr: 1 },
      { from: 'b', to: 'a', prr: 0 },
    ];
    const bench = new Bench(['a', 'b'], oneWay, { config: { macRetries: 3 } });
    bench.send('a', 'b');
    bench.schedule.run(1e6);
    bench.send('a', 'b');
    bench.schedule.run(2e6);
    assert.deepEqual(bench.probe('a').results, [false, false]);
    assert.equal(bench.probe('b').got.length, 2);
    const { received, duplicates, acks } = bench.radio.stats('b');
    assert.deepEqual({ received, duplicates, acks }, { received: 2, duplicates: 6, acks: 8 });
  });

  it('gives the same trace for the same seed and another one for another', () => {
    const run = (seed: number): string => {
      const ids = ['a', 'b', 'c', 'd'];
      const bench = new Bench(ids, fullMesh(ids, 0.7), { seed });
      const frames = trace(bench);
      for (const id of ['a', 'b', 'c']) bench.offer(id, 'd', 60, 50);
      bench.schedule.run(5e6);
      assert.ok(frames.length > 500);
      return JSON.stringify(frames);
    };
    assert.equal(run(3), run(3));
    assert.notEqual(run(3), run(4));
  });

  it('defers to a carrier it senses, and not to one it does not', () => {
    for (const sensed of [true, false]) {
      const links = [...pair('a', 'x'), ...pair('b', 'y')];
      const interference = [{ from: 'a', to: 'b', sensed }];
      const bench = new Bench(['a', 'b', 'x', 'y'], links, { interference });
      const frames = trace(bench);
      bench.send('a', undefined, 250);
      bench.schedule.at(500, () => bench.send('b', undefined, 10));
      bench.schedule.run(1e6);
      const startUs = frames.find(({ from }) => from === 'b')?.startUs as number;
      if (sensed) assert.ok(startUs >= DIFS_US + dataAirtimeUs(250) + DIFS_US, `began at ${startUs}`);
      else assert.equal(startUs, 500 + DIFS_US);
    }
  });

  it('lets overlapping frames destroy each other, or the stronger one survive with capture', () => {
    const survivors = (captureDb: number | null, aDbm: number, bDbm: number, lateUs: number): string[] => {
      const bench = new Bench(['a', 'b', 'sink'], hidden(aDbm, bDbm), { config: { captureDb, macRetries: 0 } });
      bench.send('a', 'sink', 100);
      bench.schedule.at(lateUs, () => bench.send('b', 'sink', 100));
      bench.schedule.run(1e6);
      return ['a', 'b'].filter((id) => bench.probe(id).results[0]);
    };
    assert.deepEqual(survivors(null, -50, -80, 300), []);
    assert.deepEqual(survivors(6, -50, -80, 300), ['a']);
    assert.deepEqual(survivors(6, -80, -50, 300), ['b'], 'the later one, too');
    assert.deepEqual(survivors(6, -60, -65, 300), []);
    assert.deepEqual(survivors(6, -60, -66, 300), ['a']);
    assert.deepEqual(survivors(null, -50, -80, 3000), ['a', 'b'], 'no overlap');
  });

  it('lets only senders above interferencePrr collide', () => {
    const delivered = (interferencePrr: number): number => {
      const links = [...pair('a', 'sink'), { from: 'b', to: 'sink', prr: 0.01, rssi: -50 }];
      const bench = new Bench(['a', 'b', 'sink'], links, { config: { interferencePrr, macRetries: 0 } });
      bench.saturate('b', undefined, 250);
      bench.saturate('a', 'sink', 100);
      bench.schedule.run(1e6);
      return bench.probe('a').results.filter(Boolean).length / bench.probe('a').results.length;
    };
    assert.equal(delivered(0.02), 1);
    assert.ok(delivered(0.01) < 0.2);
  });

  it('loses what a station would have heard while it transmitted itself', () => {
    const links = [...pair('a', 'sink'), { from: 'sink', to: 'x', prr: 1 }];
    const bench = new Bench(
      ['a', 'sink', 'x'],
      links.filter(({ from, to }) => !(from === 'sink' && to === 'a')),
    );
    bench.send('sink', undefined, 250);
    bench.schedule.at(500, () => bench.send('a', undefined, 10));
    bench.schedule.run(1e6);
    assert.equal(bench.probe('sink').got.length, 0);
    assert.equal(bench.probe('x').got.length, 1);
  });

  describe('partition', () => {
    it('cuts both directions until it heals, frames on their way too', () => {
      const ids = ['a', 'b', 'c', 'd'];
      const bench = new Bench(ids, fullMesh(ids));
      bench.send('a', undefined, 250);
      bench.schedule.at(1000, () => bench.radio.partition(['c', 'd']));
      bench.schedule.run(1e6);
      assert.deepEqual(
        ids.map((id) => bench.probe(id).got.length),
        [0, 1, 0, 0],
      );
      bench.send('c', undefined);
      bench.schedule.run(2e6);
      assert.deepEqual(
        ids.map((id) => bench.probe(id).got.length),
        [0, 1, 0, 1],
      );
      bench.radio.partition(['d']);
      bench.send('c', undefined);
      bench.schedule.run(3e6);
      assert.deepEqual(
        ids.map((id) => bench.probe(id).got.length),
        [0, 1, 0, 1],
      );
      bench.radio.heal();
      bench.send('c', undefined);
      bench.schedule.run(4e6);
      assert.deepEqual(
        ids.map((id) => bench.probe(id).got.length),
        [1, 2, 0, 2],
      );
      assert.throws(() => bench.radio.partition(['nobody']), /nobody/);
    });
  });

  describe('power', () => {
    it('breaks off the frame of a sender that loses power, and frees the medium', () => {
      const ids = ['a', 'b', 'c'];
      const bench = new Bench(ids, fullMesh(ids));
      const frames = trace(bench);
      bench.send('a', 'b', 250);
      bench.schedule.at(1000, () => bench.radio.detach('a'));
      bench.schedule.at(2000, () => bench.send('c', 'b', 10));
      bench.schedule.run(1e6);
      assert.deepEqual(bench.probe('a').results, [], 'dropped without a callback');
      assert.deepEqual(frames.map(({ from, endUs }) => [from, endUs]).slice(0, 1), [['a', 1000]]);
      assert.deepEqual(
        bench.probe('b').got.map(({ frame }) => frame.length),
        [10],
      );
      assert.deepEqual(bench.probe('c').results, [true]);
      assert.throws(() => bench.send('a', 'b'), /off/);
    });

    it('drops a waiting frame, an acknowledgement that is due and one that is on air', () => {
      const dataEndUs = DIFS_US + dataAirtimeUs(100);
      for (const [victim, atUs] of [
        ['a', 20],
        ['b', dataEndUs + 5],
        ['b', dataEndUs + 100],
      ] as const) {
        const bench = new Bench(['a', 'b'], pair('a', 'b'), { config: { macRetries: 0 } });
        bench.send('a', 'b');
        bench.schedule.at(atUs, () => bench.radio.detach(victim));
        bench.schedule.run(1e6);
        assert.deepEqual(bench.probe('a').results, victim === 'a' ? [] : [false], `${victim} off at ${atUs}`);
        assert.equal(bench.radio.stats('a').failures, victim === 'a' ? 0 : 1);
      }
    });

    it('works again after a restart, and misses the frame that was on air', () => {
      const bench = new Bench(['a', 'b'], pair('a', 'b'));
      bench.radio.detach('b');
      bench.send('a', undefined, 250);
      bench.schedule.at(1000, () => bench.radio.attach(bench.probe('b')));
      bench.schedule.run(1e6);
      assert.equal(bench.probe('b').got.length, 0);
      bench.send('a', 'b');
      bench.schedule.run(2e6);
      assert.equal(bench.probe('b').got.length, 1);
      assert.deepEqual(bench.probe('a').results, [true, true]);
    });

    it('delivers to the other receivers when one of them powers a sender off and sends itself', () => {
      const links = [...pair('x', 'b'), ...pair('x', 'c'), ...pair('a', 'd')];
      const bench = new Bench(['a', 'b', 'c', 'd', 'x'], links);
      bench.probe('b').onReceived = () => {
        bench.radio.detach('a');
        bench.send('b', 'x');
      };
      bench.send('x', undefined, 100);
      bench.schedule.at(100, () => bench.send('a', 'd', 250));
      bench.schedule.run(1e6);
      assert.equal(bench.probe('c').got.length, 1);
      assert.equal(bench.probe('d').got.length, 0);
      assert.deepEqual(bench.probe('a').results, []);
      assert.deepEqual(bench.probe('b').results, [true]);
      assert.deepEqual(bench.probe('x').results, [true]);
    });
  });

  it('refuses stations and frames that cannot be', () => {
    const bench = new Bench(['a', 'b'], pair('a', 'b'));
    const { radio } = bench;
    assert.throws(() => radio.attach(new Probe('stranger', 9)), /stranger/);
    assert.throws(() => radio.attach(bench.probe('a')), /already/);
    radio.detach('a');
    assert.throws(() => radio.attach(new Probe('a', 1)), /taken/);
    assert.throws(() => radio.send('b', BROADCAST_MAC, new Uint8Array(251)), /251/);
    assert.throws(() => radio.send('b', BROADCAST_MAC, new Uint8Array(0)), RangeError);
    assert.throws(() => radio.send('b', new Uint8Array(5), new Uint8Array(1)), /MAC address/);
    assert.throws(() => new Bench(['a'], [], { config: { macRetries: -1 } }), /macRetries/);
  });
});
