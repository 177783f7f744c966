import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const START_LIMIT_MS = 10_000;

/** True where a mosquitto can be started. */
export function hasMosquitto() {
  return spawnSync('mosquitto', ['-h']).error === undefined;
}

/** A mosquitto of our own on a free loopback port, without limits on what waits: { port, url, end() }. */
export async function startMosquitto() {
  const folder = mkdtempSync(join(tmpdir(), 'wattmesh-broker-'));
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  const limits = ['max_inflight_messages 0', 'max_queued_messages 0', 'max_inflight_bytes 0', 'max_queued_bytes 0'];
  writeFileSync(
    config,
    [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', ...limits, ''].join('\n'),
  );
  const child = spawn('mosquitto', ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  await started(child);
  return {
    port,
    url: `mqtt://127.0.0.1:${port}`,
    async end() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function started(child) {
  return new Promise((resolve, reject) => {
    let log = '';
    const fail = () => reject(new Error(`mosquitto did not start:\n${log}`));
    const late = setTimeout(fail, START_LIMIT_MS);
    child.once('exit', fail);
    child.stderr.on('data', (text) => {
      log += text;
      if (!/mosquitto version .* running/.test(log)) return;
      clearTimeout(late);
      child.off('exit', fail);
      resolve();
    });
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
