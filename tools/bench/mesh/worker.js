// Runs one scenario in a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { loadFirmware } from '../../../dist/firmware/simulator/firmware.js';
import { parseScenario } from '../../../dist/firmware/simulator/scenario.js';
import { simulate } from '../../../dist/firmware/simulator/simulation.js';
import { hubKillOf, REHEARSAL_DRAIN_S } from './faults.js';

const firmware = loadFirmware();
const { scenario, seed } = workerData;
const run = (file, options) => simulate({ scenario: parseScenario(file), firmware, seed, ...options });
const file = scenario.hubKill
  ? await hubKillOf(scenario, (rehearsed) => run(rehearsed, { drainS: REHEARSAL_DRAIN_S }))
  : scenario;
parentPort.postMessage(await run(file));
