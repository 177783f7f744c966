import { qrPicture } from './ask.js';
import { copyButton, el, t } from './parts.js';

const GROUP_DIGITS = 5;

/** A label as it is printed: QR picture, digits where there are any, and the text. */
export function labelView(label, digits) {
  const picture = el('img', 'wm-qr').attr('alt', t('label.qr'));
  const problem = el('div', 'wm-message');
  qrPicture(label).then(
    (address) => picture.attr('src', address),
    (error) => {
      picture.hide();
      problem.addClass('wm-bad').text(error.message);
    },
  );
  const text = el('div', 'wm-label-text').append(
    el('code', '', label),
    copyButton(() => label),
  );
  const words = el('div', 'wm-label-words');
  if (digits) words.append(el('div', 'wm-digits').append(digits.map((group) => el('span', 'wm-digit', group))));
  return el('div', 'wm-label').append(picture, words.append(text, problem));
}

/**
 * The digits of a waiting device's label: six groups are shown, the two asked for are typed. `value` gives the ten digits, `onChange` hears of
 * every change.
 */
export function digitsInput({ digits, asked }, onChange) {
  const inputs = [];
  const row = el('div', 'wm-digits');
  digits.forEach((group, index) => {
    if (group !== null) {
      row.append(el('span', 'wm-digit', group));
      return;
    }
    const title = t('label.group', { n: index + 1 });
    const input = el('input', 'wm-digit').attr({ type: 'text', inputmode: 'numeric', autocomplete: 'off', title });
    input.attr({ 'aria-label': title, placeholder: '•••••' });
    inputs.push(input);
    row.append(input);
  });
  inputs.forEach((input, index) => {
    input.on('input', () => {
      const typed = input.val().replace(/\D/g, '');
      input.val(typed.slice(0, GROUP_DIGITS));
      const next = inputs[index + 1];
      // Both groups may be pasted at once; a full group leads on to the next one.
      if (next && typed.length > GROUP_DIGITS) next.val(typed.slice(GROUP_DIGITS, 2 * GROUP_DIGITS));
      if (next && typed.length >= GROUP_DIGITS) next.trigger('focus');
      onChange();
    });
  });
  const value = () => inputs.map((input) => input.val()).join('');
  return { row, value, complete: () => value().length === asked.length * GROUP_DIGITS };
}
