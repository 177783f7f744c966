import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_TIMEOUT_MS = 10_000;
const LOG_CHARS_MAX = 200_000;

export interface MosquittoOptions {
  /** TCP port on the loopback address; a free one by default. */
  port?: number;
  /** Serve TLS with a certificate for `localhost` made for this broker alone. */
  tls?: boolean;
  /** The only user it lets in; anybody by default. */
  user?: { readonly name: string; readonly password: string };
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A mosquitto of the tests' own on the loopback address, without persistence; stop and start keep its port. */
export class Mosquitto {
  readonly port: number;
  readonly url: string;
  /** The CA's certificate (PEM) of a TLS broker. */
  readonly ca: string | undefined;
  readonly #folder: string;
  readonly #config: string;
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(port: number, folder: string, options: MosquittoOptions) {
    this.port = port;
    this.#folder = folder;
    this.url = options.tls ? `mqtts://localhost:${port}` : `mqtt://127.0.0.1:${port}`;
    this.ca = options.tls ? makeCertificates(folder) : undefined;
    this.#config = writeConfig(folder, port, options);
  }

  /** Makes a broker and starts it; resolves when it takes connections. */
  static async start(options: MosquittoOptions = {}): Promise<Mosquitto> {
    const folder = mkdtempSync(join(tmpdir(), 'wattmesh-mosquitto-'));
    folders.add(folder);
    const broker = new Mosquitto(options.port ?? (await freePort()), folder, options);
    await broker.restart();
    return broker;
  }

  /** Starts it (again, if it runs) on the same port, with nothing retained. */
  async restart(): Promise<void> {
    await this.stop();
    this.#log = '';
    const child = spawn('mosquitto', ['-c', this.#config], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`mosquitto on port ${this.port} ${why}:\n${this.#log}`));
      const late = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
      child.once('error', reject);
      child.once('exit', () => fail('ended'));
      child.stderr.on('data', (text: Buffer) => {
        this.#log = (this.#log + text).slice(-LOG_CHARS_MAX);
        if (!/mosquitto version .* running/.test(this.#log)) return;
        clearTimeout(late);
        resolve();
      });
    });
  }

  /** Ends the process: SIGTERM as an administrator would, SIGKILL as a power cut would. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Stops it and removes its files. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    folders.delete(this.#folder);
  }

  /** What it logged since its last start. */
  log(): string {
    return this.#log;
  }
}

function writeConfig(folder: string, port: number, options: MosquittoOptions): string {
  const lines = [`listener ${port} 127.0.0.1`, 'persistence false', 'log_dest stderr', 'log_type all'];
  // Started by root it would change to a user that may not read this folder.
  if (process.getuid?.() === 0) lines.push('user root');
  if (options.tls) lines.push(`certfile ${join(folder, 'broker.pem')}`, `keyfile ${join(folder, 'broker.key')}`);
  lines.push(`allow_anonymous ${options.user ? 'false' : 'true'}`);
  if (options.user) {
    const file = join(folder, 'passwords');
    execute('mosquitto_passwd', ['-b', '-c', file, options.user.name, options.user.password]);
    lines.push(`password_file ${file}`);
  }
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}

/** A CA and a certificate for `localhost`, both of one day; gives the CA's certificate. */
function makeCertificates(folder: string): string {
  const file = (name: string): string => join(folder, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-keyout', file('ca.key'), '-out', file('ca.pem'), '-subj', '/CN=Wattmesh test CA', '-days', '1'];
  execute('openssl', ['req', '-x509', ...newKey, ...ca]);
  execute('openssl', [
    'req',
    ...newKey,
    '-keyout',
    file('broker.key'),
    '-out',
    file('broker.csr'),
    '-subj',
    '/CN=localhost',
  ]);
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost\n');
  const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '1'];
  execute('openssl', [
    'x509',
    '-req',
    '-in',
    file('broker.csr'),
    ...signer,
    '-extfile',
    file('names'),
    '-out',
    file('broker.pem'),
  ]);
  return readFileSync(file('ca.pem'), 'utf8');
}

function execute(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} failed: ${error?.message ?? stderr}`);
}
