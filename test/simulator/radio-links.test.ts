import assert from 'node:assert/strict';
import { type Link, LinkTable } from '../../firmware/simulator/radio/links.ts';
import { BUILDING, linksFromPositions } from '../../firmware/simulator/radio/path-loss.ts';
import { prrAt, rssiFor, SENSITIVITY_DBM } from '../../firmware/simulator/radio/reception.ts';
import { Random } from '../../firmware/simulator/random.ts';

const EXACT = { ...BUILDING, shadowingDb: 0, asymmetryDb: 0 };

function rows(table: LinkTable): { from: string; to: string; prr: number; rssi: number }[] {
  return [...table.to.keys()].map((link) => ({
    from: table.ids[table.from[link] as number] as string,
    to: table.ids[table.to[link] as number] as string,
    prr: table.prr[link] as number,
    rssi: table.rssiDbm[link] as number,
  }));
}

function tableOf(...args: Parameters<typeof linksFromPositions>): LinkTable {
  return new LinkTable(
    args[0].map(({ id }) => id),
    linksFromPositions(...args),
  );
}

const line = (metres: number[]) => metres.map((x, i) => ({ id: `n${i}`, x, y: 0 }));

describe('radio links', () => {
  it('holds directed links by sender, whatever their order', () => {
    const links: Link[] = [
      { from: 'c', to: 'a', prr: 0.5, rssi: -90 },
      { from: 'a', to: 'c', prr: 1, rssi: -50 },
      { from: 'a', to: 'b', prr: 0.25, rssi: -95 },
    ];
    const table = new LinkTable(['a', 'b', 'c', 'd'], links);
    assert.deepEqual(rows(table), [links[2], links[1], links[0]]);
    assert.deepEqual(rows(new LinkTable(['a', 'b', 'c', 'd'], links.reverse())), rows(table));
    assert.deepEqual([...table.first], [0, 2, 2, 3, 3]);
    assert.equal(table.find(0, 2), 1);
    assert.equal(table.find(2, 0), 2);
    assert.equal(table.find(1, 0), -1);
  });

  it('adds interference to pairs with and without a link', () => {
    const table = new LinkTable(
      ['a', 'b', 'c'],
      [{ from: 'a', to: 'b', prr: 0.3, rssi: -88 }],
      [
        { from: 'a', to: 'b', sensed: true },
        { from: 'a', to: 'c', sensed: false, rssi: -60 },
      ],
    );
    assert.deepEqual(rows(table), [
      { from: 'a', to: 'b', prr: 0.3, rssi: -88 },
      { from: 'a', to: 'c', prr: 0, rssi: -60 },
    ]);
    assert.deepEqual([...table.disturbs], [1, 1]);
    assert.deepEqual([...table.sensed], [1, 0]);
  });

  it('refuses what makes no sense and names it', () => {
    const table = (links: Link[], ids = ['a', 'b']) => new LinkTable(ids, links);
    assert.throws(() => table([{ from: 'a', to: 'z', prr: 1 }]), /z/);
    assert.throws(() => table([{ from: 'a', to: 'a', prr: 1 }]), /back to its sender/);
    assert.throws(() => table([{ from: 'a', to: 'b', prr: 1.1 }]), /1\.1/);
    assert.throws(() => table([{ from: 'a', to: 'b', prr: Number.NaN }]), /NaN/);
    assert.throws(
      () =>
        table([
          { from: 'a', to: 'b', prr: 1 },
          { from: 'a', to: 'b', prr: 1 },
        ]),
      /twice/,
    );
    assert.throws(() => table([], ['a', 'a']), /twice/);
  });

  it('ties power and reception ratio together', () => {
    assert.ok(Math.abs(prrAt(SENSITIVITY_DBM) - 0.9) < 1e-9);
    assert.ok(prrAt(-80) > 0.999);
    assert.ok(prrAt(-110) < 0.01);
    for (const prr of [0.1, 0.5, 0.9, 0.99]) assert.ok(Math.abs(prrAt(rssiFor(prr)) - prr) < 0.1, `prr ${prr}`);
    assert.equal(rssiFor(1), -80);
    assert.equal(rssiFor(0), -114);
  });

  it('computes path loss by distance', () => {
    const table = tableOf(line([0, 10, 100]), new Random(1), 0.02, EXACT);
    const power = new Map(rows(table).map(({ from, to, rssi }) => [`${from}${to}`, rssi]));
    assert.equal(power.get('n0n1'), 20 - 40 - 30);
    assert.equal(power.get('n0n2'), 20 - 40 - 60);
    assert.equal(power.get('n2n0'), power.get('n0n2'));
  });

  it('leaves out pairs that can neither deliver nor interfere', () => {
    const places = line([0, 500, 1100]);
    const pairs = (interferencePrr: number) =>
      rows(tableOf(places, new Random(1), interferencePrr, EXACT)).map(({ from, to }) => from + to);
    assert.deepEqual(pairs(0.02), ['n0n1', 'n1n0', 'n1n2', 'n2n1']);
    assert.equal(pairs(1e-6).length, 6, 'a small interferencePrr reaches beyond reception');
  });

  it('draws shadowing and asymmetry once, from the seed', () => {
    const places = Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, x: (i % 8) * 20, y: Math.floor(i / 8) * 20 }));
    const table = tableOf(places, new Random(5), 0.02);
    assert.deepEqual(rows(table), rows(tableOf(places, new Random(5), 0.02)));
    assert.notDeepEqual(rows(table), rows(tableOf(places, new Random(6), 0.02)));

    const power = new Map(rows(table).map(({ from, to, rssi }) => [`${from} ${to}`, rssi]));
    const differences = rows(table).flatMap(({ from, to, rssi }) => {
      const back = power.get(`${to} ${from}`);
      return from < to && back !== undefined ? [rssi - back] : [];
    });
    const deviation = Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0) / differences.length);
    assert.ok(differences.length > 500);
    assert.ok(deviation > 2 && deviation < 3, `asymmetry ${deviation}`);
  });
});
