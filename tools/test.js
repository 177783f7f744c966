// npm test [-- mocha arguments]: lint, then every compiled test with its coverage.
import { join } from 'node:path';
import { runMocha } from './mocha.js';
import { ROOT, run, say } from './process.js';

const bin = (...parts) => join(ROOT, 'node_modules', ...parts);

const lintCode = await run(process.execPath, [bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '.'], {
  stdout: 'inherit',
});
if (lintCode !== 0) say('Biome found the faults above; `npm run format` repairs what can be repaired by itself.');

const coverage = [
  ...[process.execPath, bin('c8', 'bin', 'c8.js'), '--reporter=text-summary', '--exclude-after-remap'],
  ...['--include=nodes/**', '--include=firmware/**', process.execPath],
];
const passed = await runMocha({ runner: coverage, files: ['dist/test/**/*.test.js'], args: process.argv.slice(2) });
if (lintCode !== 0) say('The tests are above; the lint failed.');
process.exitCode = passed && lintCode === 0 ? 0 : 1;
