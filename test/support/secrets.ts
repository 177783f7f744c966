import { exportIdentity } from '../../nodes/headend/security/identity.ts';
import { keyPairOf } from '../../nodes/headend/security/noise.ts';
import { nodeProvider } from '../../nodes/headend/security/provider-node.ts';
import type { NetworkSecrets } from '../../nodes/wattmesh-network/secrets.ts';

/** The head-end's key pair of tests of real networks. */
export const headEndKey = keyPairOf(nodeProvider, new Uint8Array(32).fill(7));

/** Credentials of a real network. */
export const SECRETS: NetworkSecrets = {
  networkKey: '000102030405060708090a0b0c0d0e0f',
  identity: exportIdentity({ staticKey: headEndKey }),
  storeKey: 'b4'.repeat(32),
};

/** Credentials of another network: other ones throughout. */
export const OTHER_SECRETS: NetworkSecrets = {
  networkKey: 'f'.repeat(32),
  identity: exportIdentity({ staticKey: keyPairOf(nodeProvider, new Uint8Array(32).fill(8)) }),
  storeKey: 'c5'.repeat(32),
};
