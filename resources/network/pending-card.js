import { digitsInput } from './label.js';
import { act, ago, button, el, field, icon, say, showRole, t } from './parts.js';

/** A device that waits for the operator: what is known of it, the digits to compare, what it is to be called. */
export function pendingCard(device, { decide }) {
  const heading = el('div', 'wm-card-head');
  const facts = el('span', 'wm-facts');
  const role = el('span', 'wm-role');
  showRole(role, device.role);
  heading.append(role, el('b', '', t(`role.${device.role ?? 'unknown'}`)), facts);
  const message = el('div', 'wm-message');
  const approve = button(t('button.approve'), { iconName: 'check', kind: 'wm-primary' });
  const reject = button(t('button.reject'), { iconName: 'times' });
  const digits = digitsInput(device, () => approve.prop('disabled', !digits.complete()));
  const details = detailFields(device);
  approve.prop('disabled', true).on('click', () => {
    act(approve, message, () => decide('approve', { key: device.key, digits: digits.value(), ...details.value() }));
  });
  reject.on('click', () => {
    act(reject, message, () => decide('reject', { key: device.key }));
  });
  const warning = device.suite === 'none' ? noKeyWarning() : undefined;
  const row = el('div', 'wm-card')
    .attr('data-node', device.nodeId)
    .append(heading, warning, el('div', 'wm-hint', t('pending.compare')), digits.row)
    .append(details.row, message, el('div', 'wm-buttons').append(reject, approve));
  row.on('keydown', 'input', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    if (digits.complete()) approve.trigger('click');
    else say(message, 'bad', t('pending.digits'));
  });
  const update = ({ nodeId, suite, gateway, lastSeen }) => {
    const seen = t('pending.seen', { ago: ago(lastSeen) });
    const parts = [nodeId, suite && t(`suite.${suite}`), gateway && t('pending.by', { gateway }), seen];
    facts.text(parts.filter(Boolean).join(' · '));
  };
  return { row, update };
}

function noKeyWarning() {
  return el('div', 'wm-message wm-warn', t('pending.noKey')).prepend(
    icon('exclamation-triangle'),
    document.createTextNode(' '),
  );
}

/** Longest name and longest id of a metering point. */
export const NAME_CHARS_MAX = 64;

/** What is said of a device that is let in: fields that may stay empty. */
export function detailFields({ role, nodeId = '', suite }) {
  const limit = { maxlength: NAME_CHARS_MAX };
  const name = field(t('device.name'), {
    ...limit,
    placeholder: nodeId && t('device.namePlaceholder', { role, end: nodeId.slice(-4) }),
  });
  const meter = field(t('device.meter'), { ...limit, placeholder: nodeId || t('device.meterPlaceholder') });
  const hub = field(t(role === 'meter' ? 'device.ofHub' : 'device.hub'), { className: 'wm-short', type: 'number' });
  hub.input.attr({ min: 1, max: 65535, placeholder: t(role === 'meter' ? 'device.noHub' : 'device.autoHub') });
  const psk = field(t('device.psk'), { className: 'wm-wide', placeholder: t('device.pskPlaceholder') });
  const row = el('div', 'wm-fields').append(
    name.row,
    role === 'hub' || role === 'gateway' ? undefined : meter.row,
    hub.row,
  );
  if (suite === 'rsa' || !suite) row.append(psk.row);
  const value = () => {
    const typed = { name: name.input.val().trim(), meter: meter.input.val().trim(), psk: psk.input.val().trim() };
    const given = Object.entries(typed).filter(([, text]) => text !== '');
    const number = hub.input.val();
    return { ...Object.fromEntries(given), ...(number === '' ? {} : { hub: Number(number) }) };
  };
  const clear = () => row.find('input').val('');
  return { row, value, clear };
}
