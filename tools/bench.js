// npm run bench -- <name> [--json] [--quick] …: measures; the result goes to stdout, as one JSON object with --json, progress to stderr.
// --quick takes seconds: it shows that the bench works, not how fast the machine is.
import { parseArgs } from 'node:util';
import { say } from './process.js';

/** Each bench with the options that it knows beside --json and --quick: text, by name, with what stands for its value in the help. */
const BENCHES = {
  headend: { load: () => import('./bench/headend.js'), options: {} },
  mesh: {
    load: () => import('./bench/mesh.js'),
    options: { scenario: 'NAME', part: 'PART', seeds: 'N', plot: 'FILE' },
  },
};
const FLAGS = { json: { type: 'boolean' }, quick: { type: 'boolean' } };

function usage() {
  const lines = Object.entries(BENCHES).map(([name, { options }]) => {
    const own = Object.entries(options).map(([option, value]) => ` [--${option} ${value}]`);
    return `npm run bench -- ${name} [--json] [--quick]${own.join('')}`;
  });
  return `Use: ${lines.join('\n     ')}`;
}

/** Undefined: this is no way to call it. */
function read([name, ...args]) {
  const bench = Object.hasOwn(BENCHES, name ?? '') ? BENCHES[name] : undefined;
  if (!bench) return undefined;
  const own = Object.keys(bench.options).map((option) => [option, { type: 'string' }]);
  try {
    const { values } = parseArgs({ args, options: { ...FLAGS, ...Object.fromEntries(own) } });
    return { load: bench.load, ...values };
  } catch (error) {
    say(error.message);
    return undefined;
  }
}

const called = read(process.argv.slice(2));
if (!called) {
  say(usage());
  process.exit(2);
}
const { load, json = false, quick = false, ...options } = called;
const { bench } = await load();
const result = await bench({ ...options, quick, report: say });
if (json) console.log(JSON.stringify(result, null, 2));
else for (const [key, value] of Object.entries(result)) console.log(`${key}: ${JSON.stringify(value)}`);
