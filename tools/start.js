// npm start [-- --reset] [-- --flow FILE]: a private Node-RED with this package and the demo flow on the loopback address.
import { spawn } from 'node:child_process';
import { copyFileSync, createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ROOT, say } from './process.js';

const HOST = '127.0.0.1';
const USER_DIR = join(ROOT, '.demo');
const FLOW = join(USER_DIR, 'flows.json');
const LOG = join(USER_DIR, 'node-red.log');
const ANSWER_TIMEOUT_MS = 120_000;
const POLL_MS = 250;
const LOG_LINES_SHOWN = 30;

function fail(message) {
  say(message);
  process.exit(1);
}

function readPort() {
  const port = Number(process.env.PORT || 1880);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    fail(`PORT=${process.env.PORT} is not a port number (1 to 65535).`);
  return port;
}

/** Resolves with undefined when the port can be had, otherwise with the error code (EADDRINUSE, EACCES). */
function portProblem(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(error.code));
    probe.listen(port, HOST, () => probe.close(() => resolve(undefined)));
  });
}

/** The flow file is copied once: what the user changes in the editor survives until --reset. */
function prepareUserDir({ reset, flow }) {
  const source = resolve(ROOT, flow);
  if (!existsSync(source)) fail(`There is no flow file ${source}.`);
  if (reset) rmSync(USER_DIR, { recursive: true, force: true });
  mkdirSync(USER_DIR, { recursive: true });
  if (!existsSync(FLOW)) copyFileSync(source, FLOW);
}

async function answers(url) {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false; // not listening yet: asked again until the time-out
  }
}

async function waitForAnswers(urls, isRunning) {
  const deadline = Date.now() + ANSWER_TIMEOUT_MS;
  for (const url of urls) {
    while (!(await answers(url))) {
      if (!isRunning()) return false;
      if (Date.now() > deadline) return false;
      await delay(POLL_MS);
    }
  }
  return true;
}

function startNodeRed() {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'node_modules', 'node-red', 'red.js'), '-u', USER_DIR, '-s', join(ROOT, 'tools', 'demo-settings.cjs')],
    { cwd: USER_DIR, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log = createWriteStream(LOG);
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const ended = new Promise((settle) => child.on('close', (code) => log.end(() => settle(code))));
  return { child, ended };
}

function showLog() {
  say(readFileSync(LOG, 'utf8').trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n'));
  say(`The whole log: ${LOG}`);
}

const { values: options } = parseArgs({
  options: { reset: { type: 'boolean', default: false }, flow: { type: 'string', default: 'flows/demo.json' } },
});
const port = readPort();
const problem = await portProblem(port);
if (problem) fail(`Port ${port} is not free (${problem}). Choose another one: PORT=${port + 1} npm start`);
prepareUserDir(options);

say('Starting Node-RED …');
const { child, ended } = startNodeRed();
let running = true;
let exitCode; // set by whoever wants the end
ended.then((code) => {
  running = false;
  if (exitCode !== undefined) process.exit(exitCode);
  showLog();
  fail(`Node-RED ended by itself (code ${code}): see its log above.`);
});
function stop(code) {
  exitCode ??= code;
  child.kill('SIGTERM');
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(0));

const editor = `http://${HOST}:${port}/`;
const dashboard = `http://${HOST}:${port}/dashboard`;
if (await waitForAnswers([editor, dashboard], () => running)) {
  console.log(`\n  Dashboard  ${dashboard}\n  Editor     ${editor}\n`);
  console.log('Ctrl+C ends it. `npm start -- --reset` starts afresh with the original demo flow.');
} else if (running && exitCode === undefined) {
  showLog();
  say(`Node-RED did not answer on ${dashboard} within ${ANSWER_TIMEOUT_MS / 1000} s: see its log above.`);
  stop(1);
}
