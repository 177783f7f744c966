import { ask } from './ask.js';
import { act, button, download, el, field, pickFile, say, t } from './parts.js';
import { detailFields } from './pending-card.js';

/** Devices that are let in before they ask: a list, or one label. */

/** Most faults of a list that are shown. */
const FAULTS_MAX = 50;

export function prepareAdding(panel) {
  prepareList(panel);
  prepareLabel(panel);
}

function prepareList(panel) {
  const text = $('#wattmesh-list');
  const report = $('#wattmesh-list-report');
  const message = $('#wattmesh-list-message');
  pickFile($('#wattmesh-list-file'), '.csv,.txt,text/csv,text/plain', (content) => text.val(content));
  $('#wattmesh-fill-simulated')
    .hide()
    .on('click', function () {
      act($(this), message, async () => {
        const { csv } = await ask('GET', `${panel.base}/simulated-labels`);
        text.val(csv);
        report.empty().append(savedList(csv));
      });
    });
  $('#wattmesh-list-load').on('click', function () {
    act($(this), message, async () => {
      report.empty();
      if (text.val().trim() === '') throw new Error(t('adding.empty'));
      const { approved, faults } = await panel.decide('preload', { text: text.val() });
      const kind = faults.length > 0 ? 'approved' : 'approvedAll';
      say(message, faults.length > 0 ? 'warn' : 'good', t(`adding.${kind}`, { n: approved, faults: faults.length }));
      report.append(faults.slice(0, FAULTS_MAX).map((fault) => el('li', '', t('adding.fault', fault))));
      if (faults.length > FAULTS_MAX)
        report.append(el('li', '', t('adding.faults', { n: faults.length - FAULTS_MAX })));
      if (faults.length === 0) text.val('');
    });
  });
}

/** The list as a file, for those who want to see what a factory would deliver. */
function savedList(csv) {
  const save = button(t('button.saveList'), { iconName: 'download' });
  save.on('click', () => download('wattmesh-devices.csv', csv, 'text/csv'));
  return el('li', 'wm-plain', t('adding.filled')).append(document.createTextNode(' '), save);
}

function prepareLabel(panel) {
  const label = field(t('device.label'), { className: 'wm-wide', placeholder: 'WM1:…' });
  const details = detailFields({ role: null });
  const message = el('div', 'wm-message');
  const add = button(t('button.add'), { iconName: 'plus', kind: 'wm-primary' });
  add.on('click', () => {
    act(add, message, async () => {
      const { device } = await panel.decide('approve', { key: label.input.val().trim(), ...details.value() });
      label.input.val('');
      details.clear();
      say(message, 'good', t('adding.added', { name: device?.name || device?.nodeId || '' }));
    });
  });
  $('#wattmesh-add-label').append(label.row, details.row, message, el('div', 'wm-buttons').append(add));
}
