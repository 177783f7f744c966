import { Worker } from 'node:worker_threads';

/** Calls `run(job)` for every job, `width` at a time, and resolves with the results in the order of the jobs. */
export async function inParallel(jobs, width, run) {
  const results = new Array(jobs.length);
  const queue = jobs.entries();
  const next = async () => {
    for (const [index, job] of queue) results[index] = await run(job);
  };
  await Promise.all(Array.from({ length: width }, next));
  return results;
}

/** One run of the simulator in a thread of its own; rejects with its error. */
export function simulated(scenario, seed) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: { scenario, seed } });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`${scenario.name}, seed ${seed}: the run ended without a result`)));
  });
}
