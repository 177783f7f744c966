// The whole way within one process: envelopes in, everything of them in the store, durable and acknowledged.
import { randomBytes } from 'node:crypto';
import { makeFrames } from './frames.js';
import { BenchLink, endAndVerify, joinedMeters, newFolder, startHeadEnd } from './head-end.js';
import { figures, rate, repeated, until } from './measure.js';
import { rawOpenPerSecond } from './stages.js';

/** Most UP envelopes that a gateway may send without an acknowledgement (PROTOCOL.md, HELLO). */
const WINDOW_MAX = 255;
/** Frames fed in one turn of the event loop, as a socket would hand them over. */
const FRAMES_PER_TURN = 256;

/** Figures of packets with `rows` rows each; the ceiling is node:crypto opening the same packets. */
export async function wholeWay({ meterCount, gateways, rows, frameCount, roundCount }) {
  const link = new BenchLink();
  const folder = newFolder();
  const life = await startHeadEnd(link, { folder, storeKey: new Uint8Array(randomBytes(32)) });
  const meters = await joinedMeters(link, meterCount, gateways);
  const underWayMax = WINDOW_MAX * gateways;
  await life.unheard;
  let [frameBytes, fed] = [0, 0];
  const rounds = await repeated(roundCount, async () => {
    const frames = await makeFrames(meters, frameCount, rows);
    frameBytes = Math.round(frames.bytes.length / frames.count);
    fed += frames.count;
    const ceilingPerSecond = rawOpenPerSecond(meters, frames, frameCount / 5);
    return { perSecond: await storedPerSecond(link, life.headEnd, frames, { rows, underWayMax }), ceilingPerSecond };
  });
  const storedRows = await endAndVerify(life, folder, meters);
  const result = figures(rounds);
  const rowsPerSecond = result.perSecond * rows;
  return { ...result, rowsPerSecond, frames: fed, frameBytes, rowsPerFrame: rows, storedRows };
}

/** Feeds as fast as the gateways' windows allow. */
async function feed(link, frames, underWayMax) {
  const before = link.acknowledged;
  const underWay = (fed) => fed - (link.acknowledged - before);
  for (let fed = 0; fed < frames.count; ) {
    const end = Math.min(fed + FRAMES_PER_TURN, frames.count);
    for (; fed < end; fed++) link.feed(frames.gateway(fed), frames.envelope(fed));
    await new Promise((resolve) => setImmediate(resolve));
    const sent = fed;
    if (underWay(sent) > underWayMax) await until(() => underWay(sent) <= underWayMax, 'a commit');
  }
  await until(() => underWay(frames.count) === 0, 'the last commit');
}

async function storedPerSecond(link, headEnd, frames, { rows, underWayMax }) {
  const before = headEnd.state().stored;
  const startMs = performance.now();
  await feed(link, frames, underWayMax);
  const done = rate(frames.count, startMs);
  const stored = headEnd.state().stored - before;
  if (stored !== frames.count * rows) throw new Error(`${stored} rows are stored of ${frames.count * rows}`);
  return done;
}
