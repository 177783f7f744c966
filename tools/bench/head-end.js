// A whole head-end for the benches, on a store of its own on disk, with meters that have joined.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { LISTEN_GRACE_MS } from '../../dist/nodes/headend/audience.js';
import { systemClock } from '../../dist/nodes/headend/clock.js';
import { decodeHostEnvelope } from '../../dist/nodes/headend/frame/envelope.js';
import { HeadEnd } from '../../dist/nodes/headend/headend.js';
import { openStore } from '../../dist/nodes/headend/store/open-store.js';
import { ROOT } from '../process.js';
import { BenchMeter, headEndKey, NETWORK, rowOf, takeM2s } from './frames.js';
import { until } from './measure.js';

/** A folder that goes with this process, on the disk that this repository lies on: the one for temporary files may be in memory. */
export function newFolder() {
  const folders = join(ROOT, '.cache', 'bench');
  mkdirSync(folders, { recursive: true });
  const folder = mkdtempSync(join(folders, 'store-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function storeIn(folder) {
  return openStore({ file: join(folder, 'bench.sqlite'), kind: 'sqlite' });
}

/** A link within this process: what is fed is received at once. */
export class BenchLink {
  kind = 'simulated';
  /** Packets to nodes, while somebody wants them. */
  downs = [];
  keepDowns = true;
  /** Envelopes that have been acknowledged; they are counted, not kept. */
  acknowledged = 0;

  async open(handler) {
    this.handler = handler;
    handler.state({ up: true, detail: 'bench' });
  }

  feed(gateway, envelope) {
    this.handler.envelope(gateway, envelope);
  }

  send(_gateway, bytes) {
    const envelope = decodeHostEnvelope(bytes);
    if (envelope.type === 'upAck') this.acknowledged += envelope.numbers.length;
    else if (envelope.type === 'down' && this.keepDowns) this.downs.push(envelope.packet);
    return true;
  }

  async close() {}
}

/**
 * A head-end on the store in `folder`: `{ headEnd, problems, unheard }`. Once `unheard` has resolved, its messages of readings wait for nobody
 * any more.
 */
export async function startHeadEnd(link, { folder, storeKey, instanceId = newInstance(), clock = systemClock }) {
  const store = await storeIn(folder);
  const headEnd = new HeadEnd({
    ...{ network: NETWORK, store, link, clock, instanceId, storeKey },
    random: (length) => new Uint8Array(randomBytes(length)),
    identity: { staticKey: headEndKey },
    policy: { allowSuiteNone: false, approval: 'everyone' },
  });
  const problems = [];
  headEnd.onProblem((error) => problems.push(error));
  await headEnd.start();
  const unheard = new Promise((resolve) => setTimeout(resolve, LISTEN_GRACE_MS + 100));
  return { headEnd, problems, unheard };
}

export function newInstance() {
  return randomBytes(8).toString('hex');
}

/** `count` meters that have joined through `gateways` gateways, each through its own. */
export async function joinedMeters(link, count, gateways) {
  const meters = Array.from({ length: count }, (_, index) => new BenchMeter(index, `gw${index % gateways}`));
  meters.forEach((meter, index) => {
    link.feed(meter.gateway, meter.joinEnvelope(index));
  });
  await until(() => link.downs.length >= count, 'joining');
  takeM2s(meters, link.downs);
  link.downs.length = 0;
  link.keepDowns = false;
  return meters;
}

/** Ends a head-end and looks into its store: every row that the meters measured must be in it, exactly once, and nothing else. */
export async function endAndVerify({ headEnd, problems }, folder, meters) {
  const { errors } = headEnd.state();
  await headEnd.stop();
  if (problems.length > 0) throw problems[0];
  if (Object.keys(errors).length > 0) throw new Error(`the head-end counted errors: ${JSON.stringify(errors)}`);
  const store = await storeIn(folder);
  const { logs, outbox } = await store.open();
  const measured = meters.reduce((sum, meter) => sum + meter.measured, 0);
  try {
    require(outbox.length === 0, `${outbox.length} messages are left in the outbox`);
    require((await store.count()) === measured, `the store counts ${await store.count()} rows of ${measured}`);
    for (const meter of meters) verifyRows(meter, await store.readings({ key: meter.key }));
    for (const { key, cumulative, ranges, gaps } of logs) {
      const meter = meters.find((each) => each.key === key);
      require(cumulative === meter?.measured && ranges.length + gaps.length === 0, `the log of ${key} is not whole`);
    }
  } finally {
    await store.close();
  }
  return measured;
}

function verifyRows(meter, rows) {
  require(rows.length === meter.measured, `${rows.length} rows of ${meter.nodeId} instead of ${meter.measured}`);
  rows.forEach(({ seq, logId, importDwh, powerDw }, index) => {
    const row = rowOf(index + 1);
    const isSame = logId === meter.logId && importDwh === row.importDwh && powerDw === row.powerDw;
    require(seq === index + 1 && isSame, `row ${seq} of ${meter.nodeId} is not what it measured`);
  });
}

function require(isTrue, text) {
  if (!isTrue) throw new Error(text);
}
