import assert from 'node:assert/strict';
import { COMMANDS_MAX, COMMANDS_PER_NODE_MAX } from '../../nodes/headend/commands.ts';
import type { CommandRequest } from '../../nodes/headend/headend.ts';
import type { CommandMessage } from '../../nodes/headend/messages.ts';
import { Bench, ecc, secured } from './support/bench.ts';
import { ScriptedNode } from './support/scripted-node.ts';

const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

type Outcome = 'done' | 'prepared' | 'refused' | 'expired' | 'unknownOperation' | 'failed';

/** A network with one meter, whose operator commands it. */
class Desk {
  readonly bench: Bench;
  readonly node: ScriptedNode;
  readonly events: CommandMessage[] = [];
  readonly own: string[] = [];

  private constructor(bench: Bench, node: ScriptedNode) {
    this.bench = bench;
    this.node = node;
    bench.headEnd.onCommand((message) => this.events.push(message));
  }

  static async with(more: Partial<ConstructorParameters<typeof ScriptedNode>[0]> = {}): Promise<Desk> {
    const bench = await Bench.started(secured());
    bench.hello();
    const node = new ScriptedNode({ seed: 'meter', security: ecc, relay: true, ...more });
    await bench.joinAndSpeak(node);
    return new Desk(bench, node);
  }

  command(request: Omit<CommandRequest, 'meter'>): Promise<CommandMessage> {
    const answer = this.bench.headEnd.command({ meter: this.node.nodeId, ...request }, ({ payload }) =>
      this.own.push(payload.event),
    );
    answer.catch(() => undefined);
    return answer;
  }

  /** COMMANDs on their way to the node, oldest first. */
  sent() {
    return this.bench.downs(this.node, 'down').flatMap((packet) => {
      const { sections } = this.node.open(packet);
      return sections.flatMap((section) => (section.kind === 'command' ? [section] : []));
    });
  }

  async result(command: number, outcome: Outcome, data = new Uint8Array(0)): Promise<void> {
    this.bench.up(this.node.up([{ kind: 'result', command, outcome, data }]), { route: [this.node.shortId] });
    await this.bench.run(100);
  }

  async run(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 30_000) {
      this.bench.hello();
      await this.bench.run(Math.min(30_000, left));
    }
  }
}

describe('head-end: commands', () => {
  it('are sent sealed, and end with the result', async () => {
    const desk = await Desk.with();
    const answer = desk.command({ operation: 'setInterval', args: { intervalS: 300, pollCycleS: 900 } });
    await desk.bench.run(10);
    const [sent] = desk.sent();
    assert.ok(sent);
    assert.equal(sent.operation, 2);
    assert.deepEqual(sent.arguments, Uint8Array.of(0x2c, 1, 0x84, 3));
    await desk.result(sent.command, 'done', Uint8Array.of(7));
    const message = await answer;
    assert.deepEqual(message, {
      topic: `test-net/${desk.node.nodeId}/command`,
      payload: {
        id: 1,
        meter: desk.node.nodeId,
        name: `meter-${desk.node.nodeId.slice(-4)}`,
        operation: 'setInterval',
        event: 'done',
        outcome: 'done',
        data: '07',
        at: new Date(desk.bench.clock.nowMs() - 50).toISOString(),
      },
      wattmesh: { network: 'test-net', nodeId: desk.node.nodeId, suite: 'ecc' },
    });
    assert.deepEqual(desk.own, ['sent', 'done']);
    assert.deepEqual(
      desk.events.map(({ payload }) => payload.event),
      ['sent', 'done'],
    );
  });

  for (const outcome of ['refused', 'expired', 'unknownOperation', 'failed'] as const) {
    it(`end with what the node says: ${outcome}`, async () => {
      const desk = await Desk.with();
      const answer = desk.command({ operation: 'identify' });
      await desk.bench.run(10);
      const [sent] = desk.sent();
      assert.deepEqual(sent?.arguments, Uint8Array.of(10));
      await desk.result(sent?.command ?? 0, outcome);
      const { payload } = await answer;
      assert.deepEqual([payload.event, payload.outcome, payload.data], [outcome, outcome, null]);
    });
  }

  it('are repeated under the same number until the result comes, whose repetition is nothing new', async () => {
    const desk = await Desk.with();
    const answer = desk.command({ operation: 'pollNow' });
    await desk.run(35_000);
    const sent = desk.sent();
    assert.equal(sent.length, 4);
    assert.equal(new Set(sent.map(({ command }) => command)).size, 1);
    const number = sent[0]?.command ?? 0;
    await desk.result(number, 'done');
    await answer;
    await desk.result(number, 'done');
    await desk.run(30_000);
    assert.equal(desk.sent().length, 4);
    assert.equal(desk.bench.errors().commandLate, undefined);
    assert.deepEqual(desk.own, ['sent', 'done']);
  });

  it('wait for the polls of a sleeping node', async () => {
    const desk = await Desk.with({ energyClass: 'battery', pollCycleS: 60 });
    void desk.command({ operation: 'pollNow', timeoutS: 300 });
    await desk.run(130_000);
    assert.equal(desk.sent().length, 3);
    const envelopes = desk.bench.link.all('down');
    assert.ok(envelopes.at(-1)?.hold);
  });

  it('run out of time, and a result that comes later is told as such', async () => {
    const desk = await Desk.with();
    const answer = desk.command({ operation: 'reboot', timeoutS: 30 });
    await desk.run(31_000);
    await assert.rejects(answer, { reason: 'commandTimeout', message: /may still have been done/ });
    const number = desk.sent()[0]?.command ?? 0;
    await desk.result(number, 'done');
    await desk.result(number, 'done');
    assert.deepEqual(desk.own, ['sent', 'timeout', 'late']);
    assert.equal(desk.events.at(-1)?.payload.outcome, 'done');
    assert.equal(desk.bench.errors().commandLate, 1);
    await desk.result(number + 7, 'done');
    assert.equal(desk.bench.errors().commandLate, 2);
    assert.equal(desk.own.length, 3);
  });

  it('say so when they could not even be sent', async () => {
    const desk = await Desk.with();
    desk.bench.link.unreachable.add('gw');
    const answer = desk.command({ operation: 'reboot', timeoutS: 10 });
    await desk.run(11_000);
    await assert.rejects(answer, { reason: 'commandTimeout', message: /never sent/ });
    assert.deepEqual(desk.own, ['timeout']);
  });

  it('are refused when they cannot be', async () => {
    const desk = await Desk.with();
    const { headEnd } = desk.bench;
    const { nodeId } = desk.node;
    const wrong: Omit<CommandRequest, 'meter'>[] = [
      { operation: 'relay' },
      { operation: 'identify', args: { seconds: 0 } },
      { operation: 'identify', args: { seconds: 256 } },
      { operation: 'setInterval', args: { intervalS: 60 } },
      { operation: 'setInterval', args: { intervalS: 1.5, pollCycleS: 60 } },
      { operation: 'pollNow', timeoutS: 1 },
      { operation: 'pollNow', timeoutS: Number.NaN },
      { operation: 'constructor' as 'pollNow' },
    ];
    for (const request of wrong) {
      await assert.rejects(headEnd.command({ nodeId, ...request }), { reason: 'badField' }, JSON.stringify(request));
    }
    await assert.rejects(headEnd.command({ nodeId: '000000000000', operation: 'pollNow' }), { reason: 'unknownNode' });
    await assert.rejects(headEnd.command({ meter: 'nobody', operation: 'pollNow' }), { reason: 'unknownNode' });
    const revoking = headEnd.devices.revoke({ nodeId });
    await desk.bench.run(100);
    await revoking;
    await assert.rejects(headEnd.command({ nodeId, operation: 'pollNow' }), { reason: 'revoked' });
    assert.deepEqual(desk.sent(), []);
  });

  it('are bounded, and end when the head-end stops', async () => {
    const desk = await Desk.with();
    const others = Array.from({ length: COMMANDS_MAX / COMMANDS_PER_NODE_MAX }, (_, index) => {
      return new ScriptedNode({ seed: `other ${index}`, security: ecc });
    });
    for (const node of others) await desk.bench.joinAndSpeak(node);
    const ask = (nodeId: string) => {
      const answer = desk.bench.headEnd.command({ nodeId, operation: 'pollNow' });
      answer.catch(() => undefined);
      return answer;
    };
    const [first] = others as [ScriptedNode];
    const under = others.flatMap(({ nodeId }) => Array.from({ length: COMMANDS_PER_NODE_MAX }, () => ask(nodeId)));
    await assert.rejects(ask(first.nodeId), { reason: 'queueFull' });
    await assert.rejects(ask(desk.node.nodeId), { reason: 'queueFull' });
    await desk.bench.headEnd.stop();
    for (const answer of under) await assert.rejects(answer, { reason: 'linkClosed' });
    await assert.rejects(ask(first.nodeId), { reason: 'linkClosed' });
  });
});

describe('head-end: switching a relay', () => {
  async function prepared(): Promise<{ desk: Desk; answer: Promise<CommandMessage>; commit: number }> {
    const desk = await Desk.with();
    const answer = desk.command({ operation: 'relay', args: { on: true } });
    await desk.bench.run(10);
    const [prepare] = desk.sent();
    assert.deepEqual([prepare?.operation, prepare?.arguments], [16, Uint8Array.of(1)]);
    await desk.result(prepare?.command ?? 0, 'prepared', NONCE);
    const [, commit] = desk.sent();
    assert.deepEqual([commit?.operation, commit?.arguments], [17, NONCE]);
    assert.notEqual(commit?.command, prepare?.command);
    return { desk, answer, commit: commit?.command ?? 0 };
  }

  it('takes two steps: PREPARE, and COMMIT with the nonce of the node', async () => {
    const { desk, answer, commit } = await prepared();
    await desk.result(commit, 'done');
    assert.equal((await answer).payload.outcome, 'done');
    assert.deepEqual(desk.own, ['sent', 'prepared', 'done']);
    await desk.run(30_000);
    assert.equal(desk.sent().length, 2);
  });

  it('sends no COMMIT once the nonce is too old', async () => {
    const { desk, answer } = await prepared();
    await desk.run(60_000);
    const sent = desk.sent().length;
    await desk.run(50_000);
    assert.equal(desk.sent().length, sent);
    await desk.run(20_000);
    await assert.rejects(answer, { reason: 'commandTimeout' });
  });

  it('moves nothing when the nonce comes too late, or is none', async () => {
    const desk = await Desk.with();
    const answer = desk.command({ operation: 'relay', args: { on: false }, timeoutS: 30 });
    await desk.bench.run(10);
    const number = desk.sent()[0]?.command ?? 0;
    await desk.result(number, 'prepared', NONCE.subarray(1));
    await desk.run(30_000);
    await assert.rejects(answer, { reason: 'commandTimeout' });
    await desk.result(number, 'prepared', NONCE);
    await desk.run(30_000);
    assert.ok(desk.sent().every(({ operation }) => operation === 16));
    assert.deepEqual(desk.own, ['sent', 'timeout', 'late']);
  });

  it('acts on a result once, however often its packet is replayed', async () => {
    const { desk, answer, commit } = await prepared();
    const packet = desk.node.up([{ kind: 'result', command: commit, outcome: 'done', data: new Uint8Array(0) }]);
    for (let copy = 0; copy < 3; copy++) desk.bench.up(packet, { route: [desk.node.shortId] });
    await desk.bench.run(100);
    await answer;
    assert.deepEqual(desk.own, ['sent', 'prepared', 'done']);
    assert.equal(desk.bench.errors().commandLate, undefined);
  });

  it('reports what the node says of a COMMIT that came too late', async () => {
    const { desk, answer, commit } = await prepared();
    await desk.result(commit, 'expired');
    assert.equal((await answer).payload.outcome, 'expired');
  });
});
