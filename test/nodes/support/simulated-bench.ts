import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '../../../nodes/headend/clock.ts';
import type { ReadingMessage } from '../../../nodes/headend/messages.ts';
import { NetworkRuntime } from '../../../nodes/wattmesh-network/runtime.ts';
import { migrateNetwork, readSettings } from '../../../nodes/wattmesh-network/settings.ts';
import { Endpoints } from './endpoints.ts';

const STEP_MS = 50;

/** A simulated network in a time that the test moves, and the dialogs' endpoints in front of it: its config node is called `net`. */
export class SimulatedBench {
  readonly clock = new ManualClock(Date.UTC(2026, 0, 15, 10));
  readonly readings: ReadingMessage[] = [];
  readonly troubles: string[] = [];
  readonly runtime: NetworkRuntime;
  readonly endpoints: Endpoints;

  constructor(settings: object) {
    const stored = migrateNetwork({ version: 2, connection: 'simulated', layout: 'campsite', ...settings });
    const context = { credentials: undefined, tls: undefined, userDir: undefined };
    const journal = {
      error: ({ message }: Error) => void this.troubles.push(message),
      warn: (text: string) => void this.troubles.push(text),
    };
    this.runtime = new NetworkRuntime(readSettings(stored, context), journal, this.clock);
    this.runtime.onReading((message) => this.readings.push(message));
    const node = { type: 'wattmesh-network', service: this.runtime };
    this.endpoints = new Endpoints({
      getNode: (id) => (id === 'net' ? node : null),
      getCredentials: () => undefined,
    });
    this.runtime.deliver();
  }

  /** Lets simulated time pass until something holds; fails after `withinS`. */
  async until(what: string, holds: () => boolean, withinS = 600): Promise<void> {
    const untilMs = this.clock.nowMs() + withinS * 1000;
    while (!holds()) {
      if (this.clock.nowMs() > untilMs) throw new Error(`waited ${withinS} s in vain for ${what}`);
      this.clock.advance(STEP_MS);
      await turn();
    }
  }

  /** Lets time pass while an answer is on its way: decisions are answered once they are durable. */
  async answered<Result>(answer: Promise<Result>): Promise<Result> {
    let settled = false;
    const noted = answer.finally(() => {
      settled = true;
    });
    await this.until('an answer', () => settled, 10);
    return noted;
  }
}
