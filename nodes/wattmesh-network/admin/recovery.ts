import type { NodeAPI } from 'node-red';
import { systemClock } from '../../headend/clock.ts';
import { WattmeshError } from '../../headend/errors.ts';
import { isId } from '../../headend/frame/topics.ts';
import { chooseProvider } from '../../headend/security/choose-provider.ts';
import { RECOVERY_CHARS_MAX, readRecovery, writeRecovery } from '../../headend/security/recovery.ts';
import { headEndSecrets, IDENTITY_CHARS_MAX, readSecrets } from '../secrets.ts';
import { answer } from './answer.ts';
import { credentialsOf } from './deployed.ts';
import { bodyOf, innerOf, optionalText, requiredText, textsOf } from './input.ts';

/** Longest passphrase that is taken. */
export const PASSPHRASE_CHARS_MAX = 1_024;

/** Recovery files: a network's keys under a passphrase. */
export function serveRecovery(RED: NodeAPI): void {
  const mayWrite = RED.auth.needsPermission('flows.write');

  RED.httpAdmin.post(
    '/wattmesh/recovery/write',
    mayWrite,
    answer(async (request) => {
      const fields = bodyOf(request);
      const network = requiredText(fields, 'network');
      if (!isId(network)) throw new WattmeshError('badField', 'network must be a network id');
      const passphrase = requiredText(fields, 'passphrase', PASSPHRASE_CHARS_MAX);
      const given = textsOf(
        innerOf(fields, 'secrets'),
        ['networkKey', 'identity', 'storeKey'] as const,
        IDENTITY_CHARS_MAX,
      );
      const secrets = readSecrets({ ...credentialsOf(RED, optionalText(fields, 'id')), ...given });
      // A file with keys that no head-end can use would be found out when it is needed.
      await headEndSecrets(secrets);
      const { provider } = await chooseProvider();
      const nowMs = systemClock.nowMs();
      const text = await writeRecovery(provider, { network, secrets: { ...secrets } }, passphrase, nowMs);
      return { fileName: fileNameOf(network, nowMs), text };
    }),
  );

  RED.httpAdmin.post(
    '/wattmesh/recovery/read',
    mayWrite,
    answer(async (request) => {
      const fields = bodyOf(request);
      const text = requiredText(fields, 'text', RECOVERY_CHARS_MAX);
      const passphrase = requiredText(fields, 'passphrase', PASSPHRASE_CHARS_MAX);
      const { provider } = await chooseProvider();
      const { network, secrets } = await readRecovery(provider, text, passphrase);
      return { network, secrets: readSecrets(secrets) };
    }),
  );
}

function fileNameOf(network: string, nowMs: number): string {
  return `wattmesh-${network}-${new Date(nowMs).toISOString().slice(0, 10)}.recovery.json`;
}
