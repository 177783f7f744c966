import assert from 'node:assert/strict';

/** Secrets by name: bytes, or a text such as a passphrase. */
export type Secrets = Readonly<Record<string, Uint8Array | string>>;

/** Each secret in all the ways in which text may hold it. */
function formsOf(secret: Uint8Array | string): string[] {
  if (typeof secret === 'string') return [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  const buffer = Buffer.from(secret);
  const hex = buffer.toString('hex');
  return [
    ...[hex, hex.toUpperCase(), hex.replace(/..(?!$)/g, '$& '), hex.replace(/..(?!$)/g, '$&:')],
    ...[buffer.toString('base64').replace(/=+$/, ''), buffer.toString('base64url')],
    ...[buffer.join(','), buffer.join(', ')],
  ];
}

/** Fails if a text or file holds one of the secrets, in any form or as it is. */
export function requireNone(place: string, content: string | Uint8Array, secrets: Secrets): void {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content);
  const text = typeof content === 'string' ? content : bytes.toString('latin1');
  for (const [name, secret] of Object.entries(secrets)) {
    assert.ok(!bytes.includes(Buffer.from(secret)), `${name} stands in ${place}`);
    for (const form of formsOf(secret)) assert.ok(!text.includes(form), `${name} stands in ${place}`);
  }
}
