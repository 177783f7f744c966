// Runs one scenario in a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { loadFirmware } from '../../../dist/firmware/simulator/firmware.js';
import { parseScenario } from '../../../dist/firmware/simulator/scenario.js';
import { simulate } from '../../../dist/firmware/simulator/simulation.js';

const { scenario, seed } = workerData;
parentPort.postMessage(await simulate({ scenario: parseScenario(scenario), firmware: loadFirmware(), seed }));
