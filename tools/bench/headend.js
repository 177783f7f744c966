// What one head-end can take: each stage by itself, the whole way from bytes to a durable store, and the same behind a real broker. The
// ceilings are measured in the same run: what this machine could do at best, and at this moment.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { twoDecimals } from './measure.js';
import { GATEWAYS, METERS } from './sections.js';

const SECTION = fileURLToPath(new URL('section.js', import.meta.url));
const REACH = { bytesToStorePerSecond: 50_000, mqttToStoreRatio: 0.6 };

export async function bench({ quick, report }) {
  const loadBefore = loadavg()[0];
  const figures = {};
  for (const section of ['handshakes', 'stages', 'bytesToStore', 'bytesToStore4Rows', 'mqttToStore']) {
    Object.assign(figures, await inItsOwnProcess(section, quick, report));
  }
  return {
    bench: 'headend',
    machine: machine(loadBefore),
    meters: METERS,
    gateways: GATEWAYS,
    ...figures,
    reach: REACH,
  };
}

/** No section inherits the heap and the compiled code of another: a head-end lives alone in its process, too. */
async function inItsOwnProcess(section, quick, report) {
  const child = fork(SECTION, [section, ...(quick ? ['--quick'] : [])], { stdio: ['ignore', 2, 2, 'ipc'] });
  let figures;
  child.on('message', (message) => {
    figures = message;
  });
  const [code] = await once(child, 'exit');
  if (code !== 0 || !figures) throw new Error(`the section ${section} failed: see its message above`);
  for (const [name, result] of Object.entries(figures)) {
    report(`${name}: ${result.skipped ?? `${result.perSecond}/s, best ${result.best}/s, ratio ${result.ratio}`}`);
  }
  return figures;
}

function machine(loadBefore) {
  const cores = cpus();
  const load = { before: twoDecimals(loadBefore), after: twoDecimals(loadavg()[0]) };
  return { cpu: cores[0]?.model ?? 'unknown', cores: cores.length, node: process.version, load };
}
