// The whole way within one process: envelopes in, everything of them in the store, durable and acknowledged.
import { randomBytes } from 'node:crypto';
import { makeFrames } from './frames.js';
import { BenchLink, endAndVerify, joinedMeters, newFolder, startHeadEnd } from './head-end.js';
import { figures, rate, repeated, until } from './measure.js';
import { rawOpenPerSecond } from './stages.js';

/** Frames that are not acknowledged yet: what 64 gateways with a window of 128 have under way. */
const UNDER_WAY_MAX = 8_192;
/** Frames fed in one turn of the event loop, as a socket would hand them over. */
const FRAMES_PER_TURN = 256;

/** Figures of packets with `rows` rows each; the ceiling is node:crypto opening the same packets. */
export async function wholeWay({ meterCount, gateways, rows, frameCount, roundCount }) {
  const link = new BenchLink();
  const folder = newFolder();
  const life = await startHeadEnd(link, { folder, storeKey: new Uint8Array(randomBytes(32)) });
  const meters = await joinedMeters(link, meterCount);
  await life.unheard;
  let frameBytes = 0;
  const rounds = await repeated(roundCount, async () => {
    const frames = makeFrames(meters, frameCount, { gateways, rows });
    frameBytes = Math.round(frames.bytes.length / frames.count);
    const ceilingPerSecond = rawOpenPerSecond(meters, frames, frameCount / 5);
    return { perSecond: await storedPerSecond(link, life.headEnd, frames, rows), ceilingPerSecond };
  });
  const storedRows = await endAndVerify(life, folder, meters);
  return { ...figures(rounds), frames: roundCount * frameCount, frameBytes, rowsPerFrame: rows, storedRows };
}

async function storedPerSecond(link, headEnd, frames, rows) {
  const acknowledgedBefore = link.acknowledged;
  const storedBefore = headEnd.state().stored;
  const underWay = (fed) => fed - (link.acknowledged - acknowledgedBefore);
  const startMs = performance.now();
  for (let fed = 0; fed < frames.count; ) {
    const end = Math.min(fed + FRAMES_PER_TURN, frames.count);
    for (; fed < end; fed++) link.feed(frames.gateway(fed), frames.envelope(fed));
    await new Promise((resolve) => setImmediate(resolve));
    const now = fed;
    if (underWay(now) >= UNDER_WAY_MAX) await until(() => underWay(now) < UNDER_WAY_MAX / 2, 'a commit');
  }
  await until(() => underWay(frames.count) === 0, 'the last commit');
  const done = rate(frames.count, startMs);
  const stored = headEnd.state().stored - storedBefore;
  if (stored !== frames.count * rows) throw new Error(`${stored} rows are stored of ${frames.count * rows}`);
  return done;
}
