// One variant per thread: the compiler keeps a core busy for seconds.
import { parentPort, workerData } from 'node:worker_threads';
import { compileModule } from './compiler.js';

parentPort.postMessage(await compileModule(workerData));
