/**
 * A head-end in a process of its own, for tests that kill it: `headend-child <driver> <file> <ms>`, the last being how far its clock is ahead of
 * the machine's. One line per event. In: `up <hex>` is an envelope from its one gateway, `stop` ends it. Out: `open`, `down <hex>`,
 * `reading <id> <redelivered>`, `problem <text>`.
 */
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { type Clock, systemClock } from '../../nodes/headend/clock.ts';
import { HeadEnd } from '../../nodes/headend/headend.ts';
import type { Link } from '../../nodes/headend/link/link.ts';
import { SqliteStore } from '../../nodes/headend/store/sqlite.ts';
import type { DriverName } from '../../nodes/headend/store/sqlite-driver.ts';
import { NETWORK, secured } from './support/bench.ts';

const [driver = '', file = '', aheadMs = '0'] = process.argv.slice(2);
const COMMIT_DELAY_MS = 2;

/** On a pipe this is written when it returns. */
function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + Number(aheadMs) };
const lines = createInterface(process.stdin);

const link: Link = {
  kind: 'flow',
  async open(handler) {
    handler.state({ up: true, detail: 'pipe' });
    lines.on('line', (line) => line.startsWith('up ') && handler.envelope('gw', fromHex(line.slice(3))));
  },
  send(_gateway, envelope) {
    say(`down ${toHex(envelope)}`);
    return true;
  },
  async close() {
    lines.close();
  },
};

const headEnd = new HeadEnd({
  network: NETWORK,
  store: new SqliteStore({ file, driver: driver as DriverName }),
  link,
  clock,
  random: (length) => new Uint8Array(randomBytes(length)),
  instanceId: toHex(randomBytes(8)),
  commitDelayMs: COMMIT_DELAY_MS,
  ...secured(),
});
headEnd.onReading(({ wattmesh }) => say(`reading ${wattmesh.id} ${wattmesh.redelivered}`));
headEnd.onProblem((error) => say(`problem ${error.message}`));
lines.on('line', (line) => {
  if (line === 'stop') void headEnd.stop();
});
await headEnd.start();
say('open');
