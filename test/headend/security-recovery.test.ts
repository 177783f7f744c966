import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { CryptoProvider } from '../../nodes/headend/security/provider.ts';
import { readRecovery, writeRecovery } from '../../nodes/headend/security/recovery.ts';
import { providers } from './support/security-vectors.ts';

const [provider, other] = providers as [CryptoProvider, CryptoProvider];

describe('recovery file', () => {
  const passphrase = 'caf\u00e9 au lait, no sugar';
  const recovery = { network: 'demo', secrets: { identity: '{"secret":"5ec2e7"}', storeKey: 'a1'.repeat(32) } };
  let text = '';

  before(async () => {
    text = await writeRecovery(provider, recovery, passphrase, Date.UTC(2026, 0, 2, 3, 4, 5));
  });

  /** The file after a change to its fields; `checksum` as a forger would make it, or left alone. */
  function changed(change: (file: Record<string, unknown>) => void): string {
    const file = JSON.parse(text) as Record<string, unknown>;
    change(file);
    return JSON.stringify(file);
  }

  it('comes back with its passphrase, on either provider', async () => {
    assert.deepEqual(await readRecovery(other, text, passphrase), recovery);
  });

  it('takes a passphrase as it is read, not as it is encoded', async () => {
    assert.deepEqual(await readRecovery(provider, text, passphrase.normalize('NFD')), recovery);
  });

  it('tells what it is and of which network and day, and no secret', () => {
    const { format, version, network, created } = JSON.parse(text) as Record<string, unknown>;
    assert.deepEqual(
      { format, version, network, created },
      { format: 'wattmesh-recovery', version: 1, network: 'demo', created: '2026-01-02T03:04:05.000Z' },
    );
    for (const secret of ['5ec2e7', 'a1a1a1']) assert.ok(!text.includes(secret));
  });

  it('says that the passphrase is wrong', async () => {
    await assert.rejects(readRecovery(provider, text, `${passphrase}!`), { reason: 'badTag', message: /passphrase/ });
  });

  it('says that the file is damaged, before it asks for time and memory', async () => {
    const damages: ((file: Record<string, unknown>) => void)[] = [
      (file) => Object.assign(file, { network: 'another' }),
      (file) => Object.assign(file, { data: `A${String(file.data).slice(1)}A` }),
      (file) => Object.assign(file, { nonce: '00' }),
      (file) => Object.assign(file, { checksum: undefined }),
      (file) => Object.assign(file, { cipher: 'none' }),
      (file) => Object.assign(file, { data: undefined }),
      (file) => Object.assign(file, { kdf: undefined }),
      (file) => Object.assign(file.kdf as object, { n: 2 ** 30 }),
      (file) => Object.assign(file.kdf as object, { n: 65535 }),
      (file) => Object.assign(file.kdf as object, { n: 2 }),
      (file) => Object.assign(file.kdf as object, { p: 1e9 }),
      (file) => Object.assign(file.kdf as object, { r: 9 }),
      (file) => Object.assign(file.kdf as object, { salt: 'zz' }),
    ];
    for (const damage of damages) {
      await assert.rejects(readRecovery(provider, changed(damage), passphrase), {
        reason: 'badCrc',
        message: /damaged/,
      });
    }
  });

  it('does not open with a header that was changed with care', async () => {
    const forged = changed((file) => {
      file.network = 'another';
      const { format, version, network, created, cipher, nonce, data } = file;
      const { name, n, r, p, salt } = file.kdf as Record<string, unknown>;
      const header = JSON.stringify([format, version, network, created, name, n, r, p, salt, cipher, nonce]);
      file.checksum = createHash('sha256').update(header).update(String(data)).digest('hex');
    });
    await assert.rejects(readRecovery(provider, forged, passphrase), { reason: 'badTag' });
  });

  it('refuses other files and later versions', async () => {
    for (const given of ['', 'null', '[]', '{', '{}', '{"format":"other"}', `${text}${' '.repeat(70_000)}`]) {
      await assert.rejects(readRecovery(provider, given, passphrase), { reason: 'badField' });
    }
    const later = changed((file) => Object.assign(file, { version: 2 }));
    await assert.rejects(readRecovery(provider, later, passphrase), { reason: 'badVersion' });
  });

  it('needs a passphrase of twelve characters', async () => {
    await assert.rejects(writeRecovery(provider, recovery, 'eleven char', 0), { reason: 'badConfig' });
  });
});
