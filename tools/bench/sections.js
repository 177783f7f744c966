import { randomBytes } from 'node:crypto';
import { makeFrames } from './frames.js';
import { BenchLink, joinedMeters, newFolder, startHeadEnd } from './head-end.js';
import { figures, repeated } from './measure.js';
import { mqttToStore } from './mqtt.js';
import { decodePerSecond, handshakeRound, openPerSecond, rawOpenPerSecond, storePerSecond } from './stages.js';
import { wholeWay } from './whole.js';

export const METERS = 500;
export const GATEWAYS = 64;

export const FULL = {
  ...{ rounds: 5, handshakes: 2_000, stageFrames: 40_000, storeGroups: 40, frames: 100_000, mqttFrames: 50_000 },
};
export const QUICK = {
  ...{ rounds: 1, handshakes: 100, stageFrames: 2_000, storeGroups: 4, frames: 5_000, mqttFrames: 5_000 },
};

/** Each gives its figures by name. */
export const sections = {
  async handshakes({ rounds, handshakes }) {
    return { handshakes: figures(await repeated(rounds, () => handshakeRound(handshakes))) };
  },
  stages,
  async bytesToStore({ rounds, frames }) {
    return { bytesToStore: await wholeWay({ ...common(rounds), rows: 1, frameCount: frames }) };
  },
  async bytesToStore4Rows({ rounds, frames }) {
    return { bytesToStore4Rows: await wholeWay({ ...common(rounds), rows: 4, frameCount: frames / 2 }) };
  },
  async mqttToStore({ rounds, mqttFrames }) {
    return { mqttToStore: await mqttToStore({ ...common(rounds), frameCount: mqttFrames }) };
  },
};

function common(roundCount) {
  return { meterCount: METERS, gateways: GATEWAYS, roundCount };
}

/** Open, decode and store by themselves, in frames of one row; the ceiling of all is node:crypto opening the same packets. */
async function stages({ rounds: roundCount, stageFrames, storeGroups }) {
  const link = new BenchLink();
  const folder = newFolder();
  const { headEnd } = await startHeadEnd(link, { folder, storeKey: new Uint8Array(randomBytes(32)) });
  const meters = await joinedMeters(link, METERS, GATEWAYS);
  await headEnd.stop();
  const frames = await makeFrames(meters, stageFrames, 1);
  const rounds = await repeated(roundCount, async () => ({
    raw: rawOpenPerSecond(meters, frames, stageFrames),
    open: openPerSecond(meters, frames, stageFrames),
    decode: decodePerSecond(meters, frames, stageFrames),
    store: await storePerSecond(storeGroups, METERS),
  }));
  const of = (stage) => figures(rounds.map((round) => ({ perSecond: round[stage], ceilingPerSecond: round.raw })));
  return { open: of('open'), decode: of('decode'), store: of('store') };
}
