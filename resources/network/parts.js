/* Pieces that the network's dialog is made of. Data becomes text only: nothing here reads HTML from a value. */

/**
 * A text of the node's catalogue. Values are put in afterwards: the catalogue's own way would read references in them, and a name can hold
 * anything.
 */
export function t(key, values = {}) {
  const given = Object.values(values);
  const places = Object.fromEntries(Object.keys(values).map((name, index) => [name, `\u0000${index}\u0000`]));
  const text = RED._(`@wattmesh/node-red/wattmesh-network:wattmesh-network.${key}`, places);
  return text
    .split('\u0000')
    .reduce((whole, part, index) => whole + (index % 2 === 0 ? part : given[Number(part)]), '');
}

/** An element with a class and a text. */
export function el(tag, className, text) {
  const element = $(document.createElement(tag));
  if (className) element.addClass(className);
  if (text !== undefined) element.text(text);
  return element;
}

/** An icon of Font Awesome 4. */
export function icon(name) {
  return el('i', `fa fa-${name}`).attr('aria-hidden', 'true');
}

/** A button with a text, an icon before it where one is named. */
export function button(label, { iconName, kind = '' } = {}) {
  const made = el('button', `red-ui-button red-ui-button-small ${kind}`).attr('type', 'button');
  if (iconName) made.append(icon(iconName), document.createTextNode(' '));
  return made.append(el('span', '', label));
}

/** A labelled input; `input` is the field itself. */
export function field(label, { placeholder = '', className = '', type = 'text', maxlength = 256 } = {}) {
  const input = el('input').attr({ type, placeholder, maxlength, autocomplete: 'off', spellcheck: 'false' });
  return { row: el('label', `wm-field ${className}`).append(el('span', '', label), input), input };
}

/** Says something at a place, in the colour of its kind (good, bad, warn, plain); an empty text takes it away. */
export function say(place, kind, text) {
  place
    .attr('class', text ? `wm-message wm-${kind}` : 'wm-message')
    .attr('role', kind === 'bad' ? 'alert' : 'status')
    .text(text || '');
}

/** Does a button's work once: meanwhile it cannot be pressed, a failure is told at `place`. */
export async function act(pressed, place, work) {
  if (pressed.prop('disabled')) return;
  pressed.prop('disabled', true);
  say(place, 'plain', '');
  try {
    await work();
  } catch (error) {
    say(place, 'bad', error.message);
  } finally {
    pressed.prop('disabled', false);
  }
}

/** Asks at `place` before something is done that cannot be taken back. */
export function confirmAt(place, { text, yes, onYes }) {
  const agree = button(yes, { kind: 'wm-danger' });
  const leave = button(t('button.cancel'));
  const question = el('div', 'wm-confirm').append(
    el('div', '', text).prepend(icon('exclamation-triangle'), document.createTextNode(' ')),
    el('div', 'wm-buttons').append(leave, agree),
  );
  leave.on('click', () => question.remove());
  agree.on('click', () => {
    question.remove();
    onYes();
  });
  place.empty().append(question);
  agree.trigger('focus');
}

/** A button that copies a text. */
export function copyButton(text) {
  const copy = el('button', 'red-ui-button red-ui-button-small').attr('type', 'button').append(icon('clipboard'));
  copy.on('click', () => RED.clipboard.copyText(text(), copy, 'clipboard.copyMessageValue'));
  RED.popover.tooltip(copy, t('tip.copy'));
  return copy;
}

/** How long ago a time is, in words. */
export function ago(iso) {
  if (!iso) return t('time.never');
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(iso)) / 1000));
  if (seconds < 60) return t('time.seconds', { n: seconds });
  if (seconds < 3600) return t('time.minutes', { n: Math.round(seconds / 60) });
  if (seconds < 86400) return t('time.hours', { n: Math.round(seconds / 3600) });
  return new Date(iso).toLocaleDateString();
}

/** The text of a file that the user picks with the button; nothing happens when they pick none. */
export function pickFile(pressed, accept, onText) {
  const input = $('<input/>', { type: 'file', accept }).css('display', 'none');
  pressed.after(input).on('click', () => input.trigger('click'));
  input.on('change', async () => {
    const [file] = input[0].files;
    if (!file) return;
    onText(await file.text(), file.name);
    input.val('');
  });
}

/** Hands a text to the browser as a file. */
export function download(fileName, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = el('a').attr({ href: address, download: fileName }).appendTo('body');
  link[0].click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Makes an element the picture of a role. */
export function showRole(place, role) {
  const known = role ?? 'unknown';
  if (place.attr('data-role') === known) return;
  const picture = { meter: 'tachometer', hub: 'sitemap', gateway: 'exchange', unknown: 'question' }[known];
  place.attr({ class: `wm-role wm-role-${known}`, 'data-role': known, title: t(`role.${known}`) });
  place.empty().append(icon(picture));
}
