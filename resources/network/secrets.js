import { t } from './parts.js';

/** The network's secrets as the dialog's fields hold them: they are Node-RED credentials and never part of the flow. */

/** What the editor puts into the field of a credential that it is not told. */
export const SAVED = '__PWRD__';
export const SECRETS = ['networkKey', 'identity', 'storeKey'];

function inputOf(name) {
  return $(`#node-config-input-${name}`);
}

/** Names of the secrets that are neither kept nor in the dialog. */
export function missingSecrets() {
  return SECRETS.filter((name) => !inputOf(name).val());
}

/** Those that the dialog holds itself; the server has the others. */
export function givenSecrets() {
  const given = SECRETS.map((name) => [name, inputOf(name).val()]);
  return Object.fromEntries(given.filter(([, value]) => value && value !== SAVED));
}

/** Puts secrets into the fields. They are kept when the network is deployed. */
export function takeSecrets(secrets) {
  for (const name of SECRETS) if (secrets[name]) inputOf(name).val(secrets[name]).trigger('change');
}

/** What an endpoint needs to find the identity: the text where the dialog holds it, else whose credentials. */
export function identityRequest(id) {
  const { identity } = givenSecrets();
  return identity ? { identity } : { id };
}

/** A real network of the first version, which had no identities, and none given since: it goes on as it was. */
export function goesWithoutIdentity(node) {
  return (node.version || 1) < 2 && !inputOf('identity').val() && !inputOf('storeKey').val();
}

/** What is wrong with the secrets of a real network; undefined when they are well, or when they are not in sight because no dialog is open. */
export function secretsFault(node) {
  const key = inputOf('networkKey').val();
  if (key === undefined) return undefined;
  if (key !== '' && key !== SAVED && !/^[0-9a-f]{32}$/i.test(key)) return t('error.key');
  const whole = goesWithoutIdentity(node) ? key !== '' : missingSecrets().length === 0;
  return whole ? undefined : t('error.noKey');
}
