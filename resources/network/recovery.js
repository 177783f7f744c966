import { ask } from './ask.js';
import { act, download, pickFile, say, t } from './parts.js';
import { givenSecrets, missingSecrets } from './secrets.js';

/** The recovery file: the network's secrets under a passphrase. */

const PASSPHRASE_CHARS_MIN = 12;

/** `restore` takes the secrets of a file. */
export function prepareRecovery(node, restore) {
  const place = $('#wattmesh-recovery-message');
  $('#wattmesh-recovery-save').on('click', function () {
    act($(this), place, () => save(node, place));
  });
  let file = '';
  pickFile($('#wattmesh-recovery-file'), '.json,application/json', (text, name) => {
    file = text;
    $('#wattmesh-recovery-name').text(name);
  });
  $('#wattmesh-recovery-read').on('click', function () {
    act($(this), $('#wattmesh-restore-message'), async () => {
      if (file === '') throw new Error(t('recovery.noFile'));
      const passphrase = $('#wattmesh-restore-passphrase').val();
      const { network, secrets } = await ask('POST', 'wattmesh/recovery/read', { text: file, passphrase });
      restore(secrets);
      $('#wattmesh-restore-passphrase').val('');
      const id = $('#node-config-input-networkId');
      const other = id.val() !== network;
      id.val(network).trigger('change');
      say($('#wattmesh-restore-message'), 'good', t(other ? 'recovery.restoredId' : 'recovery.restored', { network }));
    });
  });
}

async function save(node, place) {
  const [one, other] = ['#wattmesh-passphrase', '#wattmesh-passphrase-again'].map((id) => $(id));
  const passphrase = one.val();
  if (missingSecrets().length > 0) throw new Error(t('recovery.missing'));
  if ([...passphrase].length < PASSPHRASE_CHARS_MIN) {
    throw new Error(t('recovery.short', { n: PASSPHRASE_CHARS_MIN }));
  }
  if (passphrase !== other.val()) throw new Error(t('recovery.different'));
  const { fileName, text } = await ask('POST', 'wattmesh/recovery/write', {
    id: node.id,
    secrets: givenSecrets(),
    network: $('#node-config-input-networkId').val(),
    passphrase,
  });
  download(fileName, text, 'application/json');
  one.add(other).val('');
  say(place, 'good', t('recovery.saved', { file: fileName }));
}
