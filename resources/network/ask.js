import { t } from './parts.js';

/** Pictures that are kept. */
const PICTURES_MAX = 64;
const pictures = new Map();

/** Why the server does not answer as asked; `status` is that of HTTP, 0 without an answer. */
export class AskError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Asks an admin endpoint; addresses are relative, so that they hold under any root. Rejects with an `AskError`. */
export function ask(method, path, body) {
  const content =
    body === undefined ? {} : { contentType: 'application/json; charset=utf-8', data: JSON.stringify(body) };
  return request({ method, url: path, dataType: 'json', ...content });
}

/** The QR code of a label's text as an address for a picture. By ajax, because a picture's own request would lack the editor's token. */
export async function qrPicture(label) {
  const kept = pictures.get(label);
  if (kept) return kept;
  const url = `wattmesh/qr.svg?text=${encodeURIComponent(label)}`;
  const svg = await request({ method: 'GET', url, dataType: 'text' });
  const picture = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  if (pictures.size >= PICTURES_MAX) pictures.delete(pictures.keys().next().value);
  pictures.set(label, picture);
  return picture;
}

function request(options) {
  return new Promise((settle, reject) => {
    $.ajax(options).then(settle, (answer) => reject(new AskError(reasonOf(answer), answer.status)));
  });
}

function reasonOf(answer) {
  const { status, responseJSON, responseText } = answer;
  const told = responseJSON?.error ?? toldIn(responseText);
  if (told) return told;
  if (status === 0) return t('error.noAnswer');
  return t(status === 401 || status === 403 ? 'error.permission' : 'error.server', { status });
}

/** Answers to requests for a text carry their reason as JSON too. */
function toldIn(text) {
  try {
    const { error } = JSON.parse(text);
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined; // not the server's own words, but those of something in between
  }
}
