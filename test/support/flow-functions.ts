import assert from 'node:assert/strict';
import { compileFunction } from 'node:vm';
import type { FlowNode } from './demo-flow.ts';

/** What Node-RED's function nodes see as `flow` and `context`. */
class Memory {
  readonly #values = new Map<string, unknown>();

  get(key: string): unknown {
    return structuredClone(this.#values.get(key));
  }

  set(key: string, value: unknown): void {
    this.#values.set(key, structuredClone(value));
  }
}

/** The function nodes of a flow at a time that the test sets. */
export class FlowFunctions {
  nowMs: number;
  readonly #nodes: readonly FlowNode[];
  readonly #flow = new Memory();
  readonly #contexts = new Map<string, Memory>();

  constructor(nodes: readonly FlowNode[], nowMs: number) {
    this.#nodes = nodes;
    this.nowMs = nowMs;
  }

  /** Runs one function node on a message; what it returns. */
  run(name: string, payload: unknown, wattmesh: unknown = {}): { payload: never } | null | undefined {
    const now = () => this.nowMs;
    class Clock extends Date {
      constructor(...args: [] | [number]) {
        super(args[0] ?? now());
      }
      static override now = now;
    }
    const context = this.#contexts.get(name) ?? new Memory();
    this.#contexts.set(name, context);
    const code = String(this.#called(name).func);
    return compileFunction(code, ['msg', 'flow', 'context', 'Date'])({ payload, wattmesh }, this.#flow, context, Clock);
  }

  #called(name: string): FlowNode {
    return this.#nodes.find((node) => node.name === name) ?? assert.fail(`the flow has no node called ${name}`);
  }
}
