import { Worker } from 'node:worker_threads';
import { WattmeshError } from '../errors.ts';
import type { WorkerCall, WorkerCalls, WorkerReply, WorkerRequest } from './sqlite-messages.ts';

/** Most calls under way at once; past it a call fails with `queueFull` instead of piling up memory before a slow disk. */
export const CALLS_PENDING_MAX = 256;

interface PendingCall {
  resolve(answer: never): void;
  reject(error: Error): void;
}

/** The main thread's end of one worker thread (`sqlite-worker.ts`): calls in, answers out, in order. */
export class SqliteThread {
  readonly #file: string;
  readonly #worker: Worker;
  readonly #pending = new Map<number, PendingCall>();
  readonly #exited: Promise<void>;
  #nextCall = 1;
  #crash: Error | undefined;

  /** Starts the thread; `file` is for error texts. */
  constructor(file: string) {
    this.#file = file;
    // node:sqlite announces itself as experimental on stderr where it is new; that would be noise in Node-RED's log.
    const options = { execArgv: ['--disable-warning=ExperimentalWarning'] };
    this.#worker = new Worker(new URL('./sqlite-worker.js', import.meta.url), options);
    this.#worker.on('message', (reply: WorkerReply) => this.#settle(reply));
    this.#worker.on('error', (error) => {
      this.#crash = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#rejectAll();
        resolve();
      });
    });
  }

  async call<Call extends WorkerCall>(
    call: Call,
    argument: WorkerCalls[Call]['argument'],
    transfer: ArrayBuffer[] = [],
  ): Promise<WorkerCalls[Call]['answer']> {
    if (this.#pending.size >= CALLS_PENDING_MAX) {
      throw new WattmeshError(
        'queueFull',
        `${CALLS_PENDING_MAX} calls wait for the store ${this.#file}: its disk is too slow`,
      );
    }
    return this.#post(call, argument, transfer);
  }

  /** Closes the file after the calls under way, then ends the thread. */
  async end(): Promise<void> {
    try {
      await this.#post('close', undefined, []);
    } finally {
      await this.#exited;
    }
  }

  #post<Call extends WorkerCall>(
    call: Call,
    argument: WorkerCalls[Call]['argument'],
    transfer: ArrayBuffer[],
  ): Promise<WorkerCalls[Call]['answer']> {
    if (this.#crash) return Promise.reject(this.#ended());
    const id = this.#nextCall++;
    const request: WorkerRequest<Call> = { id, call, argument };
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  #settle(reply: WorkerReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('failed' in reply) pending?.reject(new WattmeshError(reply.failed.reason, reply.failed.message));
    else pending?.resolve(reply.answer as never);
  }

  /** The thread is gone: what it has not answered never will be. */
  #rejectAll(): void {
    this.#crash ??= new Error('it was stopped');
    for (const { reject } of this.#pending.values()) reject(this.#ended());
    this.#pending.clear();
  }

  #ended(): WattmeshError {
    const text = `the thread of the store ${this.#file} has ended (${this.#crash?.message}): close the store and open it again`;
    return new WattmeshError('storeFailed', text, { cause: this.#crash });
  }
}
