import { ask } from './ask.js';
import { labelView } from './label.js';
import { act, confirmAt, el, icon, say, t } from './parts.js';
import {
  givenSecrets,
  goesWithoutIdentity,
  identityRequest,
  missingSecrets,
  SAVED,
  SECRETS,
  takeSecrets,
} from './secrets.js';

/** The network's keys: whether they are there, new ones, the head-end's public key, the key for RSA. */

/** `isNew`: the network is being made in this dialog, so that it gets an id and keys by itself. */
export function prepareKeys(node, isNew) {
  const keys = { node, id: node.id, fresh: false, asked: 0 };
  prepareNetworkKey(keys);
  $('#wattmesh-keys-new').on('click', () => {
    // Keys that were made in this very dialog are known to no device yet.
    if (keys.fresh || missingSecrets().length === SECRETS.length) makeKeys(keys, false);
    else {
      confirmAt($('#wattmesh-keys-confirm'), {
        text: t('keys.confirm'),
        yes: t('button.newKeys'),
        onYes: () => makeKeys(keys, false),
      });
    }
  });
  $('#wattmesh-rsa-new').on('click', function () {
    act($(this), $('#wattmesh-rsa-message'), async () => {
      takeSecrets(await ask('POST', 'wattmesh/identity/rsa', identityRequest(keys.id)));
      showKeys(keys);
    });
  });
  showKeys(keys);
  // A network that exists keeps what it has, also when an import has lost its secrets.
  if (isNew) makeKeys(keys, true);
  return {
    /** Takes secrets from elsewhere. */
    restore: (secrets) => {
      takeSecrets(secrets);
      keys.fresh = false;
      showKeys(keys);
    },
  };
}

/** Keys need the server: browsers have no randomness for keys on plain-HTTP pages. */
function makeKeys(keys, withId) {
  act($('#wattmesh-keys-new'), $('#wattmesh-keys-message'), async () => {
    const made = await ask('POST', 'wattmesh/identity');
    if (withId) $('#node-config-input-networkId').val(made.networkId).trigger('change');
    takeSecrets(made);
    keys.fresh = true;
    showKeys(keys);
  });
}

function showKeys(keys) {
  const missing = missingSecrets();
  const kind = kindOf(keys, missing);
  const unsaved = Object.keys(givenSecrets()).length > 0 && !keys.fresh && kind === 'set';
  const look = {
    set: ['good', 'check-circle'],
    fresh: ['warn', 'star'],
    missing: ['bad', 'exclamation-circle'],
    old: ['warn', 'unlock'],
  };
  const [colour, iconName] = look[kind];
  const names = missing.map((name) => t(`keys.${name}`)).join(', ');
  const state = $('#wattmesh-keys-state').attr('class', `wm-state wm-${colour}`).attr('data-state', kind).empty();
  state.append(
    icon(iconName),
    el('div', '').append(
      el('b', '', t(`keys.state-${kind}`)),
      el('div', '', t(unsaved ? 'keys.detail-unsaved' : `keys.detail-${kind}`, { names })),
    ),
  );
  showNetworkKey();
  showPublic(keys);
}

function kindOf({ node, fresh }, missing) {
  if (missing.length === 0) return fresh ? 'fresh' : 'set';
  return goesWithoutIdentity(node) && !missing.includes('networkKey') ? 'old' : 'missing';
}

/** What devices must know of the head-end before they can join. */
async function showPublic(keys) {
  const asked = ++keys.asked;
  const place = $('#wattmesh-public').empty();
  const hasIdentity = !missingSecrets().includes('identity');
  $('#wattmesh-public-part').toggle(hasIdentity);
  $('#wattmesh-rsa-new').prop('disabled', !hasIdentity);
  if (!hasIdentity) return;
  try {
    const { label, hasRsa } = await ask('POST', 'wattmesh/identity/public', identityRequest(keys.id));
    if (asked !== keys.asked) return;
    place.append(labelView(label));
    $('#wattmesh-rsa-new').toggle(!hasRsa);
    $('#wattmesh-rsa-state').text(t(hasRsa ? 'rsa.there' : 'rsa.none'));
  } catch (error) {
    if (asked === keys.asked) say(el('div').appendTo(place), 'bad', error.message);
  }
}

function prepareNetworkKey(keys) {
  const input = $('#node-config-input-networkKey');
  input.on('input', () => showKeys(keys));
  $('#wattmesh-key-show').on('click', () => showAsText(input.attr('type') === 'password'));
  $('#wattmesh-key-copy').on('click', function () {
    RED.clipboard.copyText(input.val(), $(this), 'clipboard.copyMessageValue');
  });
  RED.popover.tooltip($('#wattmesh-key-show'), t('tip.showKey'));
  RED.popover.tooltip($('#wattmesh-key-copy'), t('tip.copyKey'));
}

function showAsText(visible) {
  $('#node-config-input-networkKey').attr('type', visible ? 'text' : 'password');
  $('#wattmesh-key-show i').attr('class', visible ? 'fa fa-eye-slash' : 'fa fa-eye');
}

function showNetworkKey() {
  const value = $('#node-config-input-networkKey').val();
  $('#wattmesh-key-show, #wattmesh-key-copy').prop('disabled', value === SAVED || value === '');
}
