import assert from 'node:assert/strict';
import { LISTENER_GRACE_MS } from '../../nodes/headend/device-events.ts';
import type { EventSection } from '../../nodes/headend/frame/sections.ts';
import type { EventMessage } from '../../nodes/headend/messages.ts';
import { Bench, ecc, START_MS, secured } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const RAISED_MS = START_MS + 60_000;

/** A network with one meter that tells events. */
class Desk {
  readonly bench: Bench;
  readonly node: ScriptedNode;

  private constructor(bench: Bench, node: ScriptedNode) {
    this.bench = bench;
    this.node = node;
  }

  static async started(): Promise<Desk> {
    const bench = await Bench.started(secured());
    bench.hello();
    const node = new ScriptedNode({ seed: 'meter', security: ecc });
    await bench.joinAndSpeak(node);
    return new Desk(bench, node);
  }

  listen(): EventMessage[] {
    const told: EventMessage[] = [];
    this.bench.headEnd.events.listen((message) => told.push(message));
    return told;
  }

  async tell(...events: Partial<EventSection>[]): Promise<void> {
    const sections = events.map(
      (event) => ({ kind: 'event', code: 3, utcMs: RAISED_MS, value: 165, ...event }) as const,
    );
    this.bench.up(this.node.up(sections), { route: [this.node.shortId] });
    await this.bench.run(1);
  }

  /** Events that the node has been told are known, all so far. */
  async seen() {
    await this.bench.run(300);
    return this.bench.downs(this.node, 'down').flatMap((packet) => {
      return this.node.open(packet).sections.flatMap((section) => (section.kind === 'eventSeen' ? [section] : []));
    });
  }
}

describe('head-end: events', () => {
  it('are told once, at once, and the device hears that they are known', async () => {
    const desk = await Desk.started();
    const told = desk.listen();
    await desk.tell({});
    assert.equal(told.length, 1);
    const { nodeId, keyHex } = desk.node;
    const [message] = told;
    assert.equal(message?.topic, `test-net/${nodeId}/event`);
    const { receivedAt, ...payload } = message.payload;
    assert.deepEqual(payload, {
      meter: nodeId,
      name: `meter-${nodeId.slice(-4)}`,
      event: 'overCurrent',
      code: 3,
      value: 165,
      current_a: 16.5,
      raisedAt: new Date(RAISED_MS).toISOString(),
    });
    assert.ok(Date.parse(receivedAt) >= START_MS);
    const { id, redelivered, hops, suite } = message.wattmesh;
    assert.deepEqual([id, redelivered, hops, suite], [`${keyHex}:3:${RAISED_MS}`, false, 1, 'ecc']);
    // Its answer was lost: it tells again, and hears again, and nobody else does.
    assert.deepEqual(await desk.seen(), [{ kind: 'eventSeen', code: 3, utcMs: RAISED_MS, value: 165 }]);
    await desk.tell({}, { utcMs: RAISED_MS + 1 });
    assert.equal(told.length, 2);
    assert.equal((await desk.seen()).length, 3);
  });

  it('say what their values mean, and an unknown code what it is', async () => {
    const desk = await Desk.started();
    const told = desk.listen();
    const values: [code: number, value: number][] = [
      [1, 0],
      [2, 0],
      [4, 2605],
      [5, 1980],
      [6, 1],
      [7, 0],
      [8, -7],
      [9, 40],
      [200, 12],
    ];
    await desk.tell(...values.map(([code, value]) => ({ code, value })));
    const fields = told.map(({ payload: { event, voltage_v, open, on, ahead_s, count } }) =>
      JSON.stringify({ event, voltage_v, open, on, ahead_s, count }),
    );
    assert.deepEqual(fields, [
      '{"event":"powerFailing"}',
      '{"event":"powerBack"}',
      '{"event":"overVoltage","voltage_v":260.5}',
      '{"event":"underVoltage","voltage_v":198}',
      '{"event":"tamper","open":true}',
      '{"event":"switchMoved","on":false}',
      '{"event":"clockWrong","ahead_s":-7}',
      '{"event":"suppressed","count":40}',
      '{"event":"unknown"}',
    ]);
  });

  it('stay with the device while nobody listens, but not for ever', async () => {
    const desk = await Desk.started();
    await desk.tell({});
    assert.deepEqual(await desk.seen(), []);
    const told = desk.listen();
    await desk.tell({});
    assert.equal(told.length, 1);
    const silent = await Desk.started();
    await silent.bench.run(LISTENER_GRACE_MS);
    await silent.tell({});
    assert.equal((await silent.seen()).length, 1);
  });

  it('of before the start may have been told before, and a moment beyond the calendar is none', async () => {
    const desk = await Desk.started();
    const told = desk.listen();
    await desk.tell({ utcMs: START_MS - 1 }, { utcMs: 2 ** 48 - 1 });
    assert.deepEqual(
      told.map(({ wattmesh }) => wattmesh.redelivered),
      [true, false],
    );
    assert.ok(!Number.isNaN(Date.parse(told[1]?.payload.raisedAt ?? '')));
  });
});
