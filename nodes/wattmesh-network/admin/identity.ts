import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { NodeAPI } from 'node-red';
import { toHex } from '../../headend/bytes.ts';
import { WattmeshError } from '../../headend/errors.ts';
import { NETWORK_KEY_BYTES } from '../../headend/frame/fields.ts';
import { chooseProvider } from '../../headend/security/choose-provider.ts';
import {
  createIdentity,
  exportIdentity,
  type HeadEndIdentity,
  importIdentity,
  withNewRsaKey,
} from '../../headend/security/identity.ts';
import { labelText } from '../../headend/security/label.ts';
import type { CryptoProvider } from '../../headend/security/provider.ts';
import { STORE_KEY_BYTES } from '../../headend/security/store-key.ts';
import { IDENTITY_CHARS_MAX, type NetworkSecrets } from '../secrets.ts';
import { answer } from './answer.ts';
import { credentialsOf } from './deployed.ts';
import { bodyOf, optionalText } from './input.ts';

const NETWORK_ID_BYTES = 4;

/** What devices must know of their head-end: its public key, hex, and as the text of a label. */
export interface PublicIdentity {
  readonly publicKey: string;
  readonly label: string;
}

/** A network that nobody has: `networkId` "wm-" and 8 hexadecimal digits, and fresh secrets as the credentials keep them. */
export async function newIdentity(): Promise<NetworkSecrets & PublicIdentity & { readonly networkId: string }> {
  const { provider } = await chooseProvider();
  const identity = createIdentity(provider);
  return {
    networkId: `wm-${randomBytes(NETWORK_ID_BYTES).toString('hex')}`,
    networkKey: randomBytes(NETWORK_KEY_BYTES).toString('hex'),
    identity: exportIdentity(identity),
    storeKey: randomBytes(STORE_KEY_BYTES).toString('hex'),
    ...publicIdentity(identity),
  };
}

/** Keys of new networks, and what is asked about the keys of others. */
export function serveIdentity(RED: NodeAPI): void {
  const mayWrite = RED.auth.needsPermission('flows.write');
  const { httpAdmin } = RED;

  httpAdmin.post('/wattmesh/identity', mayWrite, answer(newIdentity));

  httpAdmin.post(
    '/wattmesh/identity/rsa',
    mayWrite,
    answer(async (request) => {
      const { identity, provider } = await givenIdentity(RED, request);
      return { identity: exportIdentity(await withNewRsaKey(identity, provider)) };
    }),
  );

  httpAdmin.post(
    '/wattmesh/identity/public',
    mayWrite,
    answer(async (request) => {
      const { identity } = await givenIdentity(RED, request);
      return { ...publicIdentity(identity), hasRsa: identity.rsa !== undefined };
    }),
  );
}

/** The identity of the request, or else the one that the named node has. */
async function givenIdentity(
  RED: NodeAPI,
  request: Request,
): Promise<{ identity: HeadEndIdentity; provider: CryptoProvider }> {
  const fields = bodyOf(request);
  const text =
    optionalText(fields, 'identity', IDENTITY_CHARS_MAX) ?? credentialsOf(RED, optionalText(fields, 'id')).identity;
  if (!text) {
    throw new WattmeshError('noKey', 'this network has no identity: make one, or restore it from the recovery file');
  }
  const { provider } = await chooseProvider();
  return { identity: importIdentity(provider, text), provider };
}

function publicIdentity({ staticKey: { publicKey } }: HeadEndIdentity): PublicIdentity {
  return { publicKey: toHex(publicKey), label: labelText(publicKey) };
}
