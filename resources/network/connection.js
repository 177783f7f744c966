import { ask } from './ask.js';
import { t } from './parts.js';

/** The fields of the chosen connection, and where readings are kept. */

const FIRST_SEED = 1;

/** Shows the fields of the chosen connection only. */
export function prepareConnection(onChange) {
  const connection = $('#node-config-input-connection');
  connection.on('change', () => {
    $('.wattmesh-only').hide();
    $(`.wattmesh-${connection.val()}`).show();
    followStore();
    onChange();
  });
  $('#node-config-input-tls').on('change', function () {
    const tls = this.value && this.value !== '_ADD_';
    $('#node-config-input-brokerPort').attr('placeholder', tls ? '8883' : '1883');
  });
  $('#node-config-input-store').on('change', followStore);
  $('#node-config-input-networkId, #node-config-input-seed').on('change input', followStore);
  $('#wattmesh-ports-button').on('click', listPorts);
  RED.popover.tooltip($('#wattmesh-ports-button'), t('tip.ports'));
  $('#wattmesh-ports').on('change', function () {
    if (this.value) $('#node-config-input-port').val(this.value).trigger('change');
  });
  connection.trigger('change');
}

function followStore() {
  const store = $('#node-config-input-store').val();
  const file = `wattmesh/${$('#node-config-input-networkId').val() || 'demo'}${simulatedSuffix()}.sqlite`;
  $('#wattmesh-store-file').toggle(store === 'file');
  $('#wattmesh-store-tip').text(store === 'default' ? t('tip.storeDefault', { file }) : t(`tip.store-${store}`));
}

/** Another seed is another mesh: it has a file of its own. */
function simulatedSuffix() {
  if ($('#node-config-input-connection').val() !== 'simulated') return '';
  const seed = Number($('#node-config-input-seed').val());
  return `-simulated${seed === FIRST_SEED ? '' : `-${seed}`}`;
}

async function listPorts() {
  const choice = $('#wattmesh-ports').empty().show();
  const first = $('<option/>').val('').appendTo(choice);
  try {
    const ports = await ask('GET', 'wattmesh/ports');
    first.text(t(ports.length > 0 ? 'ports.choose' : 'ports.none'));
    for (const { path, label } of ports) choice.append($('<option/>').val(path).text(label));
  } catch {
    first.text(t('ports.failed'));
  }
}
