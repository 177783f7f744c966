// A thread of its own per part of the work: the compiler keeps a core busy for seconds. With `objectsOnly` the objects go to the cache,
// otherwise the linked module is the answer.
import { parentPort, workerData } from 'node:worker_threads';
import { compileModule, compileObjects } from './compiler.js';

const { objectsOnly, ...job } = workerData;
if (objectsOnly) {
  await compileObjects(job);
  parentPort.postMessage(true);
} else {
  parentPort.postMessage(await compileModule(job));
}
