import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { fromHex, toHex } from '../../nodes/headend/bytes.ts';
import { errorCodes, WattmeshError } from '../../nodes/headend/errors.ts';
import { repoRoot } from '../support/root.ts';
import { CODECS } from './codecs.ts';
import { KINDS, type Kind, loadVectors } from './load.ts';

/** The part of the WebAssembly API that this test needs: the types of the ECMAScript library leave it out. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): { readonly module: string; readonly name: string; readonly kind: string }[];
  };
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
const { Module, Instance } = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

/** What the firmware exports for this test: `wm_judge(kind, length)` judges the bytes at `wm_io()`. */
interface Firmware {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize?(): void;
  wm_io(): number;
  /** 0, or the number of the error; after 0 the canonical re-encoding stands at `wm_io()`. */
  wm_judge(kind: number, length: number): number;
  wm_judge_length(): number;
}

function load(): Firmware {
  const module = new Module(readFileSync(join(repoRoot(), 'dist', 'firmware', 'wasm', 'wattmesh.wasm')));
  const imports: Record<string, Record<string, () => never>> = {};
  for (const { module: from, name, kind } of Module.imports(module)) {
    assert.equal(kind, 'function', `import ${from}.${name}`);
    const functions = imports[from] ?? {};
    imports[from] = functions;
    functions[name] = () => {
      throw new Error(`a codec called ${from}.${name}`);
    };
  }
  const firmware = new Instance(module, imports).exports as Firmware;
  firmware._initialize?.();
  return firmware;
}

/** Bytes near a vector: some flipped, replaced, removed or put in. */
function mutate(bytes: Uint8Array, steps: readonly Mutation[]): Uint8Array {
  const mutated = [...bytes];
  for (const { how, at, value } of steps) {
    const index = at % (mutated.length + 1);
    if (how === 'insert') mutated.splice(index, 0, value);
    else if (how === 'remove') mutated.splice(index, 1 + (value % 4));
    else if (index < mutated.length) mutated[index] = how === 'replace' ? value : (mutated[index] as number) ^ value;
  }
  return Uint8Array.from(mutated);
}

interface Mutation {
  readonly how: 'flip' | 'replace' | 'remove' | 'insert';
  readonly at: number;
  readonly value: number;
}

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: fc.nat(600), value: fc.nat(7).map((bit) => 1 << bit) }),
  fc.record({
    how: fc.constantFrom('replace' as const, 'remove' as const, 'insert' as const),
    at: fc.nat(600),
    value: fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat(255)),
  }),
);

describe('vectors in WebAssembly', () => {
  let firmware: Firmware;

  before(() => {
    firmware = load();
  });

  function judge(kind: Kind, bytes: Uint8Array): { code: number; hex: string } {
    const io = firmware.wm_io();
    new Uint8Array(firmware.memory.buffer).set(bytes, io);
    const code = firmware.wm_judge(KINDS[kind], bytes.length);
    const length = code === 0 ? firmware.wm_judge_length() : 0;
    return { code, hex: toHex(new Uint8Array(firmware.memory.buffer).slice(io, io + length)) };
  }

  function judgeInTypeScript(kind: Kind, bytes: Uint8Array): { code: number; hex: string } {
    try {
      return { code: 0, hex: toHex(CODECS[kind](bytes).encoded) };
    } catch (error) {
      if (error instanceof WattmeshError) return { code: error.code, hex: '' };
      throw error;
    }
  }

  for (const kind of Object.keys(KINDS) as Kind[]) {
    describe(kind, () => {
      const { cases } = loadVectors(kind);
      for (const vector of cases) {
        it(vector.name, () => {
          const result = judge(kind, fromHex(vector.hex));
          if (!vector.valid) {
            assert.equal(result.code, errorCodes[vector.error], vector.why);
            return;
          }
          assert.equal(result.code, 0, 'refused');
          assert.equal(result.hex, vector.canonical ?? vector.hex);
        });
      }

      // A mutated SLIP stream may hold several packets: test/headend/slip.test.ts cuts those anywhere.
      if (kind === 'slip') return;
      it('gives the verdict of TypeScript on bytes near every vector', () => {
        const near = fc.tuple(fc.constantFrom(...cases), fc.array(mutation, { minLength: 1, maxLength: 3 }));
        fc.assert(
          fc.property(near, ([vector, steps]) => {
            const bytes = mutate(fromHex(vector.hex), steps);
            assert.deepEqual(judge(kind, bytes), judgeInTypeScript(kind, bytes), toHex(bytes));
          }),
          { numRuns: 2000, seed: KINDS[kind] },
        );
      });
    });
  }
});
