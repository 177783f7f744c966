// Makes frames beside the thread that measures.
import { parentPort, workerData } from 'node:worker_threads';
import { packFrames } from './frames.js';

const packed = packFrames(workerData);
parentPort.postMessage(packed, [packed.bytes.buffer, packed.ends.buffer]);
