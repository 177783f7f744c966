import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { repoRoot } from './root.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_MS = 100;
const OUTPUT_CHARS_MAX = 1_000_000;
const HOST = '127.0.0.1';

export interface NodeRedOptions {
  /** Flow to start with; written to the flow file unless the user directory has one already. */
  flows?: readonly object[];
  /** TCP port on the loopback address; a free one by default. */
  port?: number;
  /** User directory to use and keep; a temporary one by default, removed by stop() or at the end of the test run. */
  userDir?: string;
  /** Whether this package is loaded from the repository (default) or absent, as in a fresh Node-RED. */
  withPackage?: boolean;
  /** Further settings, over those below; JSON only. */
  settings?: Record<string, unknown>;
  /** Options for node itself, before the program: `--require` and the like. */
  execArgv?: readonly string[];
}

export interface RunningNodeRed {
  /** Address of the editor and admin interface, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  readonly userDir: string;
  /** Deploys a complete flow; nodes may carry `credentials`. Rejects when Node-RED refuses it. */
  deploy(flows: readonly object[]): Promise<void>;
  /** Ends the process as a user would (SIGTERM), waits for it and removes a temporary user directory. */
  stop(): Promise<void>;
  /** Ends the process at once (SIGKILL) and keeps the user directory, so that it can be started again on it. */
  kill9(): Promise<void>;
  /** What it printed so far (the last million characters). */
  output(): string;
}

const children = new Set<ChildProcess>();
const temporaryFolders = new Set<string>();

process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of temporaryFolders) rmSync(folder, { recursive: true, force: true });
});

/** Folder of the node-red package under test: WATTMESH_NODE_RED where set (the matrix), else the one in node_modules. */
export function nodeRedRoot(): string {
  const chosen = process.env.WATTMESH_NODE_RED;
  const folder = chosen ? resolve(chosen) : join(repoRoot(), 'node_modules', 'node-red');
  if (!existsSync(join(folder, 'red.js')))
    throw new Error(`no node-red in ${folder}: run npm ci, or npm run test:matrix`);
  return folder;
}

/** Version of the node-red under test, for example 4.1.8. */
export function nodeRedVersion(): string {
  const { version } = JSON.parse(readFileSync(join(nodeRedRoot(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** What our tests use of node-red-node-test-helper, which comes without types. */
export interface NodeTestHelper {
  init(runtimePath: string, settings?: object): void;
  settings(settings: object): object;
  load(nodes: unknown, flow: readonly object[], credentials?: object): Promise<void>;
  /** Deploys a flow; rejects when it has not started after 300 ms. */
  setFlows(flow: readonly object[], type: 'full' | 'flows' | 'nodes', credentials?: object): Promise<void>;
  unload(): Promise<unknown>;
  startServer(done: () => void): void;
  stopServer(done: () => void): void;
  // biome-ignore lint/suspicious/noExplicitAny: a node is whatever its shell puts on it; tests look at all of it
  getNode(id: string): any;
  clearFlows(): void;
  /** supertest agent on the admin interface. */
  // biome-ignore lint/suspicious/noExplicitAny: supertest's types are not a dependency
  request(): any;
  // biome-ignore lint/suspicious/noExplicitAny: sinon's types are not a dependency
  log(): any;
  url(): string;
}

/**
 * node-red-node-test-helper, set up for the node-red under test. Node modules of ours are ES modules: hand their default
 * export (or an array of several) to load().
 */
export function loadTestHelper(): NodeTestHelper {
  const require = createRequire(join(nodeRedRoot(), 'package.json'));
  const helper = require('node-red-node-test-helper') as NodeTestHelper;
  helper.init(require.resolve('node-red'));
  return helper;
}

/** A TCP port that nobody uses on the loopback address at this moment. */
export function freePort(): Promise<number> {
  return new Promise((settle, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, HOST, () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => settle(port));
    });
  });
}

function temporaryUserDir(): string {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-node-red-'));
  temporaryFolders.add(folder);
  return folder;
}

/** Writes settings and flow. Settings are CommonJS: Node-RED loads them by require(). Returns the settings file. */
function writeUserDir(userDir: string, port: number, options: NodeRedOptions): string {
  const settings = {
    uiHost: HOST,
    uiPort: port,
    flowFile: 'flows.json',
    nodesDir: options.withPackage === false ? [] : [repoRoot()],
    credentialSecret: 'secret of a test',
    telemetry: { enabled: false, updateNotification: false },
    editorTheme: { tours: false, projects: { enabled: false } },
    logging: { console: { level: 'info', metrics: false, audit: false } },
    ...options.settings,
  };
  const settingsFile = join(userDir, 'settings.cjs');
  writeFileSync(settingsFile, `module.exports = ${JSON.stringify(settings, null, 2)};\n`);
  const flowFile = join(userDir, 'flows.json');
  if (!existsSync(flowFile)) writeFileSync(flowFile, JSON.stringify(options.flows ?? []));
  return settingsFile;
}

/** Coverage of a foreign process tells nothing about our tests and costs seconds; PORT would override the settings. */
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_V8_COVERAGE, NODE_OPTIONS, PORT, ...environment } = process.env;
  return environment;
}

async function waitUntilItAnswers(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Node-RED ended at once:\n${output()}`);
    if (output().includes('Waiting for missing types'))
      throw new Error(`the flow names unknown node types:\n${output()}`);
    const answer = await fetch(`${url}/flows`).catch(() => undefined); // not listening yet
    if (answer?.ok && output().includes('Started flows')) return;
    await delay(POLL_MS);
  }
  throw new Error(`Node-RED did not answer within ${START_TIMEOUT_MS} ms:\n${output()}`);
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise<void>((settle) => child.once('close', () => settle()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
  if (child.signalCode === 'SIGKILL' && signal !== 'SIGKILL') {
    throw new Error(`Node-RED did not end within ${STOP_TIMEOUT_MS} ms of SIGTERM`);
  }
}

async function deployTo(url: string, flows: readonly object[]): Promise<void> {
  const answer = await fetch(`${url}/flows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'Node-RED-Deployment-Type': 'full' },
    body: JSON.stringify(flows),
  });
  if (!answer.ok) throw new Error(`Node-RED refused the flow: ${answer.status} ${await answer.text()}`);
}

/** Starts a real Node-RED process on the loopback address and resolves when it answers and its flow has started. */
export async function startNodeRed(options: NodeRedOptions = {}): Promise<RunningNodeRed> {
  const userDir = options.userDir ?? temporaryUserDir();
  const port = options.port ?? (await freePort());
  const settingsFile = writeUserDir(userDir, port, options);
  const program = [join(nodeRedRoot(), 'red.js'), '-u', userDir, '-s', settingsFile];
  const child = spawn(process.execPath, [...(options.execArgv ?? []), ...program], {
    cwd: userDir,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  let printed = '';
  const keep = (chunk: string) => {
    printed = (printed + chunk).slice(-OUTPUT_CHARS_MAX);
  };
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);

  const url = `http://${HOST}:${port}`;
  const removeUserDir = () => {
    if (!temporaryFolders.delete(userDir)) return;
    rmSync(userDir, { recursive: true, force: true });
  };
  try {
    await waitUntilItAnswers(url, child, () => printed);
  } catch (error) {
    await end(child, 'SIGKILL');
    if (options.userDir === undefined) removeUserDir();
    throw error;
  }
  return {
    url,
    port,
    userDir,
    deploy: (flows) => deployTo(url, flows),
    stop: async () => {
      await end(child, 'SIGTERM');
      removeUserDir();
    },
    kill9: () => end(child, 'SIGKILL'),
    output: () => printed,
  };
}
