/** A run of a text: as it is, or one sign that would not be seen or would turn others around. */
export type Run = { readonly text: string } | { readonly sign: string; readonly name: string };

/**
 * Controls but the line feed and the tab, signs that change the direction of what follows, signs without a width but
 * what joins two pictures to one, and halves of signs.
 */
const invisible =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\p{Surrogate}]|(?<!\p{Extended_Pictographic}\ufe0f?)\u200d|\u200d(?!\p{Extended_Pictographic})/gu;

/** A text in runs, so that each invisible sign can be shown by its number. Joined they are the text. */
export function runsOf(text: string): readonly Run[] {
  const runs: Run[] = [];
  let end = 0;
  for (const match of text.matchAll(invisible)) {
    if (match.index > end) runs.push({ text: text.slice(end, match.index) });
    const number = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    runs.push({ sign: match[0], name: `U+${number}` });
    end = match.index + match[0].length;
  }
  if (end < text.length || runs.length === 0) runs.push({ text: text.slice(end) });
  return runs;
}
