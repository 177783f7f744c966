import { parentPort } from 'node:worker_threads';
import { loadDriver } from './sqlite-driver.ts';
import { SqliteEngine } from './sqlite-engine.ts';
import type { WorkerCall, WorkerCalls, WorkerReply, WorkerRequest } from './sqlite-messages.ts';
import { notOpen, storeFailure } from './store-failure.ts';

/** The thread that owns a store file, so that a commit's fsync never stalls the main thread. */
const port = parentPort;
if (!port) throw new Error('this file is a worker thread of SqliteStore and does nothing by itself');

let engine: SqliteEngine | undefined;
let file = '';

function opened(): SqliteEngine {
  if (!engine) throw notOpen();
  return engine;
}

type Handlers = {
  [Call in WorkerCall]: (
    argument: WorkerCalls[Call]['argument'],
  ) => WorkerCalls[Call]['answer'] | Promise<WorkerCalls[Call]['answer']>;
};

const handlers: Handlers = {
  async open(argument) {
    file = argument.file;
    engine = new SqliteEngine(await loadDriver(argument.driver), file);
    return engine.state();
  },
  takeEpoch: (utcS) => opened().takeEpoch(utcS),
  commit: (group) => opened().commit(group),
  readings: (query) => opened().readings(query),
  count: () => opened().count(),
  conflicts: () => opened().conflicts(),
  close() {
    engine?.close();
    engine = undefined;
    return undefined;
  },
};

async function serve({ id, call, argument }: WorkerRequest): Promise<void> {
  const reply = await answer(id, call, argument);
  port?.postMessage(reply);
  if (call === 'close') port?.close();
}

async function answer(id: number, call: WorkerCall, argument: WorkerRequest['argument']): Promise<WorkerReply> {
  try {
    const handler = handlers[call] as (argument: WorkerRequest['argument']) => WorkerCalls[WorkerCall]['answer'];
    return { id, answer: await handler(argument) };
  } catch (error) {
    const { reason, message } = storeFailure(file, error);
    return { id, failed: { reason, message } };
  }
}

/** Requests are served one after the other, also those that come while the driver is still loading. */
let last = Promise.resolve();
port.on('message', (request: WorkerRequest) => {
  last = last.then(() => serve(request));
});
