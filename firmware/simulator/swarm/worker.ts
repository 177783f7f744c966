// The thread in which a swarm tries its seeds: takes numbers, answers each with its outcome.
import { parentPort, workerData } from 'node:worker_threads';
import { type SeedOptions, trySeed } from './seed.ts';

const port = parentPort;
if (!port) throw new Error('this file is the thread of a swarm: start it with run.ts');
port.on('message', (seed: number) => {
  // A rejection ends the thread with the error, which the swarm passes on.
  void trySeed(seed, workerData as SeedOptions).then((outcome) => port.postMessage(outcome));
});
