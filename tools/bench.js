// npm run bench -- <name> [--json] [--quick]: measures; the result goes to stdout, as one JSON object with --json, progress to stderr. --quick
// takes seconds: it shows that the bench works, not how fast the machine is.
import { say } from './process.js';

const BENCHES = { headend: () => import('./bench/headend.js') };

const [name, ...flags] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, name ?? '') ? BENCHES[name] : undefined;
const unknown = flags.filter((flag) => flag !== '--json' && flag !== '--quick');
if (!load || unknown.length > 0) {
  say(`Use: npm run bench -- <${Object.keys(BENCHES).join('|')}> [--json] [--quick]`);
  process.exit(2);
}
const { bench } = await load();
const result = await bench({ quick: flags.includes('--quick'), report: say });
if (flags.includes('--json')) console.log(JSON.stringify(result, null, 2));
else for (const [key, value] of Object.entries(result)) console.log(`${key}: ${JSON.stringify(value)}`);
