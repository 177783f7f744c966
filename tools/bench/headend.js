// What one head-end can take: each stage by itself, the whole way from bytes to a durable store, and the same behind a real broker. The
// ceilings are measured in the same run: what this machine could do at best, and at this moment.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { makeFrames } from './frames.js';
import { BenchLink, joinedMeters, newFolder, startHeadEnd } from './head-end.js';
import { figures, repeated, twoDecimals } from './measure.js';
import { mqttToStore } from './mqtt.js';
import { decodePerSecond, handshakeRound, openPerSecond, rawOpenPerSecond, storePerSecond } from './stages.js';
import { wholeWay } from './whole.js';

const METERS = 500;
const GATEWAYS = 32;
const REACH = { bytesToStorePerSecond: 50_000, mqttToStoreRatio: 0.6 };

const FULL = {
  rounds: 5,
  handshakes: 2_000,
  stageFrames: 40_000,
  storeGroups: 40,
  frames: 100_000,
  mqttFrames: 50_000,
};
const QUICK = { rounds: 1, handshakes: 100, stageFrames: 2_000, storeGroups: 4, frames: 5_000, mqttFrames: 5_000 };

export async function bench({ quick, report }) {
  const size = quick ? QUICK : FULL;
  const loadBefore = loadavg()[0];
  const tell = (name, result) => {
    report(`${name}: ${result.skipped ?? `${result.perSecond}/s, best ${result.best}/s, ratio ${result.ratio}`}`);
    return result;
  };
  const common = { meterCount: METERS, gateways: GATEWAYS, roundCount: size.rounds };
  const handshakes = figures(await repeated(size.rounds, () => handshakeRound(size.handshakes)));
  tell('handshakes', handshakes);
  const stages = await stageFigures(size, tell);
  const bytesToStore = tell('bytes to store', await wholeWay({ ...common, rows: 1, frameCount: size.frames }));
  const bytesToStore4 = tell(
    'bytes to store, 4 rows each',
    await wholeWay({ ...common, rows: 4, frameCount: size.frames / 2 }),
  );
  const mqtt = tell('MQTT to store', await mqttToStore({ ...common, frameCount: size.mqttFrames }));
  return {
    bench: 'headend',
    machine: machine(loadBefore),
    meters: METERS,
    gateways: GATEWAYS,
    ...{ handshakes, ...stages, bytesToStore, bytesToStore4Rows: bytesToStore4, mqttToStore: mqtt },
    reach: REACH,
  };
}

/** Open, decode and store by themselves, in frames of one row; the ceiling of all is node:crypto opening the same packets. */
async function stageFigures({ rounds: roundCount, stageFrames, storeGroups }, tell) {
  const link = new BenchLink();
  const folder = newFolder();
  const { headEnd } = await startHeadEnd(link, { folder, storeKey: new Uint8Array(randomBytes(32)) });
  const meters = await joinedMeters(link, METERS);
  await headEnd.stop();
  rmSync(folder, { recursive: true, force: true });
  const frames = makeFrames(meters, stageFrames, { gateways: GATEWAYS });
  const rounds = await repeated(roundCount, async () => ({
    raw: rawOpenPerSecond(meters, frames, stageFrames),
    open: openPerSecond(meters, frames, stageFrames),
    decode: decodePerSecond(meters, frames, stageFrames),
    store: await storePerSecond(storeGroups, METERS),
  }));
  const of = (stage) =>
    tell(stage, figures(rounds.map((round) => ({ perSecond: round[stage], ceilingPerSecond: round.raw }))));
  return { open: of('open'), decode: of('decode'), store: of('store') };
}

function machine(loadBefore) {
  const cores = cpus();
  const load = { before: twoDecimals(loadBefore), after: twoDecimals(loadavg()[0]) };
  return { cpu: cores[0]?.model ?? 'unknown', cores: cores.length, node: process.version, load };
}
