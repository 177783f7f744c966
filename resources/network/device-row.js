import { digitsInput, labelView } from './label.js';
import { act, ago, button, confirmAt, el, field, icon, say, showRole, t } from './parts.js';
import { NAME_CHARS_MAX } from './pending-card.js';

/** A device on which there is a decision: a line that opens to show its label and what can be done. */
export function deviceRow(device, panel) {
  const state = { device, opened: false };
  const caret = icon('angle-right').addClass('wm-caret');
  const name = el('b', 'wm-name');
  const facts = el('span', 'wm-facts');
  const status = el('span', 'wm-status');
  const role = el('span', 'wm-role');
  const line = el('button', 'wm-line').attr({ type: 'button', 'aria-expanded': 'false' });
  line.append(caret, role, el('span', 'wm-who').append(name, facts), status);
  const detail = el('div', 'wm-detail').hide();
  const row = el('div', 'wm-device').attr('data-node', device.nodeId).append(line, detail);
  line.on('click', () => {
    state.opened = !state.opened;
    line.attr('aria-expanded', String(state.opened));
    caret.attr('class', `fa fa-angle-${state.opened ? 'down' : 'right'} wm-caret`);
    detail.empty().toggle(state.opened);
    if (state.opened) state.table = showDetail(detail, state.device, panel);
  });
  const update = (now) => {
    state.device = now;
    showRole(role, now.role);
    if (state.opened) fillTable(state.table, now);
    name.text(now.name || now.nodeId);
    facts.text(factsOf(now));
    showStatus(status, now);
  };
  return { row, update };
}

function factsOf({ role, meter, nodeId, name, hub, suite }) {
  const point = role === 'meter' && meter && meter !== nodeId ? meter : undefined;
  const number = hub ? t(role === 'meter' ? 'device.atHub' : 'device.hubNumber', { n: hub }) : undefined;
  return [point, name ? nodeId : undefined, number, suite && t(`suite.${suite}`)].filter(Boolean).join(' · ');
}

function showStatus(place, { state, status, since }) {
  const isIn = state === 'approved' || state === 'joined';
  const kind = !isIn ? state : status === 'online' || status === 'offline' ? status : 'awaited';
  place.attr('class', `wm-status wm-status-${kind}`).text(t(`state.${kind}`));
  place.attr('title', t(`state.${kind}Tip`, { ago: ago(since) }));
}

/** Returns the table of facts, which is filled again with every answer; what can be done stays as it is being used. */
function showDetail(place, device, panel) {
  const { label, digits, state } = device;
  if (label) place.append(labelView(label, digits));
  const table = el('dl', 'wm-table').appendTo(place);
  fillTable(table, device);
  if (state === 'joined') place.append(el('div', 'wm-hint', t('device.undecided')));
  if (state === 'approved' || state === 'joined') place.append(actionsOf(device, panel));
  else place.append(el('div', 'wm-hint', t('device.again')));
  return table;
}

function fillTable(table, { key, nodeId, meter, state, since, start, end }) {
  table.empty();
  const fact = (name, value) => value && table.append(el('dt', '', name), el('dd', '', value));
  fact(t('device.nodeId'), nodeId);
  fact(t('device.key'), key);
  fact(t('device.meter'), meter);
  if (since) fact(t(`device.since-${state}`), new Date(since).toLocaleString());
  fact(t('device.start'), registersOf(start));
  fact(t('device.end'), registersOf(end));
}

function registersOf(start) {
  if (!start) return undefined;
  const kwh = [start.energy_import_kwh, start.energy_export_kwh].filter((value) => value !== null);
  return `${kwh.map((value) => `${value} kWh`).join(' / ')} (${new Date(start.at).toLocaleString()})`;
}

function actionsOf(device, panel) {
  const message = el('div', 'wm-message');
  const form = el('div', 'wm-form');
  const rename = button(t('button.rename'), { iconName: 'pencil' });
  const exchange = button(t('button.exchange'), { iconName: 'refresh' });
  const revoke = button(t('button.revoke'), { iconName: 'ban' });
  rename.on('click', () => renameForm(form, message, device, panel));
  exchange.on('click', () => exchangeForm(form, message, device, panel));
  revoke.on('click', () => {
    say(message, 'plain', '');
    confirmAt(form, {
      text: t('device.revokeConfirm', { name: device.name || device.nodeId }),
      yes: t('button.revoke'),
      onYes: () => act(revoke, message, () => panel.decide('revoke', { key: device.key })),
    });
  });
  const buttons = el('div', 'wm-buttons').append(rename, device.meter ? exchange : undefined, revoke);
  return el('div', '').append(buttons, form, message);
}

function renameForm(form, message, device, panel) {
  const name = field(t('device.name'), { className: 'wm-wide', maxlength: NAME_CHARS_MAX });
  const save = button(t('button.save'), { kind: 'wm-primary' });
  const work = () =>
    act(save, message, async () => {
      await panel.decide('rename', { key: device.key, name: name.input.val().trim() });
      form.empty();
      say(message, 'good', t('device.renamed'));
    });
  name.input.val(device.name ?? '').on('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    work();
  });
  save.on('click', work);
  say(message, 'plain', '');
  form.empty().append(el('div', 'wm-fields wm-with-button').append(name.row, save));
  name.input.trigger('focus').trigger('select');
}

/** The new device is one of those that wait, proven by its digits, or any whose label is at hand. */
function exchangeForm(form, message, device, panel) {
  const choice = el('select', 'wm-choice').append(el('option', '', t('device.byLabel')).val(''));
  for (const { key, nodeId } of panel.waiting())
    choice.append(el('option', '', t('device.waiting', { nodeId })).val(key));
  const label = field(t('device.label'), { className: 'wm-wide', placeholder: 'WM1:…' });
  const proof = el('div', '');
  const exchange = button(t('button.exchange'), { iconName: 'refresh', kind: 'wm-primary' });
  let digits;
  choice.on('change', () => {
    const chosen = panel.waiting().find(({ key }) => key === choice.val());
    digits = chosen && digitsInput(chosen, () => {});
    proof.children().detach();
    proof.append(chosen ? [el('div', 'wm-hint', t('pending.compare')), digits.row] : label.row);
  });
  choice.trigger('change');
  exchange.on('click', () => {
    const other = digits ? { key: choice.val(), digits: digits.value() } : { key: label.input.val().trim() };
    act(exchange, message, () => panel.decide('exchange', { ...other, meter: device.meter }));
  });
  say(message, 'plain', '');
  form
    .empty()
    .append(
      el('div', 'wm-hint', t('device.exchangeHint', { meter: device.meter })),
      el('label', 'wm-field wm-wide').append(el('span', '', t('device.newDevice')), choice),
      proof,
      el('div', 'wm-buttons').append(exchange),
    );
}
