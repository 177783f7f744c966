import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '../../nodes/headend/bytes.ts';
import type { Clock } from '../../nodes/headend/clock.ts';
import { HeadEnd } from '../../nodes/headend/headend.ts';
import { SerialLink } from '../../nodes/headend/link/serial.ts';
import type { ReadingMessage } from '../../nodes/headend/messages.ts';
import { labelDigits, labelText, parseLabelText } from '../../nodes/headend/security/label.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import { MemoryStore } from '../../nodes/headend/store/memory.ts';
import { needFile, needTool } from '../support/tools.ts';
import { type BoardOptions, BoardProcess } from './board-process.ts';
import { BACKENDS, BUILD_MS_MAX, buildNative } from './native-build.ts';

/** Boards and head-end live this many times faster than the machine. */
const SPEED = 8;
const NETWORK = 'boards';
const INTERVAL_S = 5;
/** 1 Wh every two seconds. */
const PULSE_MS = 2000;
const POWER_W = 1800;
const ROWS = 4;

const LABEL_SHOWN = /^digits .*\r\nok\r\n/m;

const headEndKey = keyPairOf(nodeProvider, new Uint8Array(randomBytes(32)));

function fastClock(): Clock {
  const startMs = Date.now();
  return {
    nowMs: () => startMs + (Date.now() - startMs) * SPEED,
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs / SPEED);
      return { cancel: () => clearTimeout(timer) };
    },
  };
}

describe('boards as processes', function () {
  this.timeout(60_000);
  this.slow(30_000);
  const programs = { meter: '', gateway: '' };
  let folder: string;
  const boards: BoardProcess[] = [];

  before(async function () {
    this.timeout(2 * BUILD_MS_MAX);
    if (!needTool(this, 'g++') || !needFile(this, BACKENDS.libsodium.header)) return;
    programs.meter = await buildNative('board-meter');
    programs.gateway = await buildNative('board-gateway');
  });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'wm-boards-'));
  });

  afterEach(async () => {
    for (const board of boards.splice(0)) await board.off();
    rmSync(folder, { recursive: true, force: true });
  });

  function switchOn(options: Pick<BoardOptions, 'program' | 'number' | 'pulseMs'>): BoardProcess {
    const board = new BoardProcess({ folder, speed: SPEED, ...options });
    boards.push(board);
    return board;
  }

  /** Tells a board its settings and waits until it has restarted. */
  async function provision(board: BoardProcess, settings: readonly string[]): Promise<void> {
    for (const setting of settings) assert.deepEqual(await board.ask(`set ${setting}`), ['ok, not saved yet']);
    assert.deepEqual(await board.ask('save'), ['ok, saved, restarting']);
    await board.restarted();
  }

  it('shows the label of a fresh board, takes its settings, and keeps both over restarts', async () => {
    const first = switchOn({ program: programs.meter, number: 1 });
    const hello = await first.heard(LABEL_SHOWN);
    const [, label = ''] = /^label (\S+)\r$/m.exec(hello) ?? [];
    const key = parseLabelText(label);
    assert.match(hello, new RegExp(`^digits ${labelDigits(key).join(' ')}\r$`, 'm'));
    assert.match((await first.ask('save')).at(-1) ?? '', /^error: no network/);
    assert.match((await first.ask('set channel 99')).at(-1) ?? '', /^error: a channel is/);
    await provision(first, [`network ${NETWORK}`, `head-end ${labelText(headEndKey.publicKey)}`, 'input pulse']);

    const second = switchOn({ program: programs.meter, number: 1 });
    assert.match(await second.heard(LABEL_SHOWN), new RegExp(`^label ${label}\r$`, 'm'));
    const shown = await second.ask('show');
    assert.ok(shown.includes(`network ${NETWORK}`) && shown.includes('input pulse'), shown.join('\n'));
    assert.equal((await second.ask('status')).at(-1), 'ok, running');
    await second.ask('restart');
    await second.restarted();
  });

  it('brings a meter’s pulses through a gateway into the head-end, over a channel that had to be found', async () => {
    const common = [
      `network ${NETWORK}`,
      `head-end ${labelText(headEndKey.publicKey)}`,
      `interval ${INTERVAL_S}`,
      `poll-cycle ${INTERVAL_S}`,
    ];
    const meter = { program: programs.meter, number: 1, pulseMs: PULSE_MS };
    const gateway = { program: programs.gateway, number: 2 };
    const freshMeter = switchOn(meter);
    const freshGateway = switchOn(gateway);
    await Promise.all([freshMeter.heard(LABEL_SHOWN), freshGateway.heard(LABEL_SHOWN)]);
    await provision(freshMeter, [...common, 'input pulse', 'pulses-per-kwh 1000']);
    await provision(freshGateway, [...common, 'channel 3']);

    // The console of a gateway that has its settings: called within the first seconds.
    const called = switchOn(gateway);
    assert.match((await called.ask('console')).at(-1) ?? '', /^ok/);
    await called.heard(LABEL_SHOWN);
    assert.ok((await called.ask('show')).includes('channel 3'));
    await called.off();

    const clock = fastClock();
    const root = switchOn(gateway);
    const headEnd = new HeadEnd({
      network: NETWORK,
      store: new MemoryStore(),
      link: new SerialLink({ path: 'board', baudRate: 115_200, clock, open: () => root.port() }),
      clock,
      random: (length) => new Uint8Array(randomBytes(length)),
      instanceId: toHex(new Uint8Array(randomBytes(8))),
      identity: { staticKey: headEndKey },
      storeKey: new Uint8Array(32).fill(1),
      provider: nodeProvider,
      policy: { allowSuiteNone: false, approval: 'everyone' },
    });
    const readings: ReadingMessage[] = [];
    await new Promise<void>((resolve, reject) => {
      headEnd.onReading((message) => {
        readings.push(message);
        if (readings.length >= ROWS) resolve();
      });
      headEnd.start().catch(reject);
      switchOn(meter);
    }).finally(() => headEnd.stop());

    const [, label = ''] = /^label (\S+)\r$/m.exec(await (boards.at(-1) as BoardProcess).heard(/^label/m)) ?? [];
    for (const { wattmesh } of readings) assert.equal(wattmesh.suite, 'ecc');
    assert.ok(readings.every(({ wattmesh }) => wattmesh.id.startsWith(toHex(parseLabelText(label)))));
    assert.deepEqual(
      readings.map(({ wattmesh }) => wattmesh.seq),
      Array.from({ length: readings.length }, (_, index) => index + 1),
    );
    const last = readings.at(-1)?.payload;
    const first = readings[0]?.payload;
    const risenWh = ((last?.energy_import_kwh ?? 0) - (first?.energy_import_kwh ?? 0)) * 1000;
    const expectedWh = ((readings.length - 1) * INTERVAL_S * 1000) / PULSE_MS;
    assert.ok(Math.abs(risenWh - expectedWh) <= 2, `${risenWh} Wh instead of ${expectedWh}`);
    assert.ok(Math.abs((last?.power_w ?? 0) - POWER_W) < 0.2 * POWER_W, `${last?.power_w} W instead of ${POWER_W}`);
  });
});
