import { prepareConnection } from './connection.js';
import { prepareDevices } from './devices.js';
import { prepareKeys } from './keys.js';
import { prepareNames, readNames } from './names.js';
import { t } from './parts.js';
import { preparePolicy } from './policy.js';
import { prepareRecovery } from './recovery.js';
import { goesWithoutIdentity, secretsFault } from './secrets.js';

/** The dialog of a network. The editor's registration, which is no module, finds it under this name. */

const TABS = ['connection', 'security', 'devices', 'names'];

/** What is open; the editor shows one network at a time. */
let open;

function prepareTabs() {
  const tabs = RED.tabs.create({
    id: 'wattmesh-tabs',
    onchange: ({ id }) => {
      $('#wattmesh-tabs-content').children().hide();
      $(`#${id}`).show();
    },
  });
  for (const name of TABS) tabs.addTab({ id: `wattmesh-tab-${name}`, label: t(`tab.${name}`) });
  return tabs;
}

/** Settings of hand-written flows may lack what has a default. */
function fillGaps(node) {
  for (const [name, value] of [
    ['connection', 'simulated'],
    ['layout', 'demo'],
    ['baudRate', '115200'],
    ['store', 'default'],
  ]) {
    const input = $(`#node-config-input-${name}`);
    if (!input.val()) input.val(value);
  }
  if (node.seed === undefined) $('#node-config-input-seed').val(1);
}

function close() {
  open?.end();
  open = undefined;
}

globalThis.wattmeshNetworkDialog = {
  prepare(node) {
    close();
    const isNew = !RED.nodes.node(node.id);
    const tabs = prepareTabs();
    fillGaps(node);
    const policy = preparePolicy(node, isNew);
    prepareConnection(policy.follow);
    const keys = prepareKeys(node, isNew);
    prepareRecovery(node, keys.restore);
    prepareNames(node);
    const end = prepareDevices(node, !isNew, (pending) => {
      tabs.renameTab('wattmesh-tab-devices', pending > 0 ? t('tab.devicesWaiting', { n: pending }) : t('tab.devices'));
    });
    open = { tabs, end };
  },
  resize() {
    open?.tabs.resize();
  },
  goesWithoutIdentity,
  secretsFault,
  readNames,
  close,
};
