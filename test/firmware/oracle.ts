import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * A question to the firmware's cryptography (firmware/test/native/oracle/oracle.cpp): an operation and its arguments, hexadecimal or numbers.
 * `expected` are the words of its answer, `none` for a refusal.
 */
export interface Question {
  readonly name: string;
  readonly ask: readonly [operation: string, ...values: (string | number)[]];
  readonly expected: readonly string[];
}

/** No bytes are a word too. */
function word(value: string | number): string {
  return value === '' ? '-' : String(value);
}

/** The words of each answer; a sanitizer's report is a failure. */
export async function consult(program: string, asks: readonly Question['ask'][]): Promise<string[][]> {
  const child = spawn(program, { stdio: 'pipe' });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => output.push(data));
  child.stderr.on('data', (data: Buffer) => errors.push(data));
  // A program that ends early says why on its standard error.
  child.stdin.on('error', () => undefined);
  child.stdin.end(asks.map((ask) => `${ask.map(word).join(' ')}\n`).join(''));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, Buffer.concat(errors).toString());
  const lines = Buffer.concat(output).toString().trimEnd().split('\n');
  assert.equal(lines.length, asks.length);
  return lines.map((line) => line.split(' '));
}

/** Puts all questions; every answer must be the expected one, and there must be at least `least` of them. */
export async function judge(program: string, questions: readonly Question[], least = 1): Promise<void> {
  assert.ok(questions.length >= least, `${questions.length} cases instead of ${least}: the vectors are incomplete`);
  const answers = await consult(
    program,
    questions.map(({ ask }) => ask),
  );
  questions.forEach(({ name, expected }, index) => {
    assert.deepEqual(answers[index], expected.map(word), name);
  });
}
