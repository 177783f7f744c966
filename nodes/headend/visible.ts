/** Control characters, halves of pairs, and the separators that end a line. */
const INVISIBLE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** True for text of which every character can be seen and stays on its line. */
export function isVisible(text: string): boolean {
  return text.search(INVISIBLE) < 0;
}

/** Text from elsewhere that cannot begin another line of a log, or command a terminal: what is not visible becomes a question mark. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, '?');
}
