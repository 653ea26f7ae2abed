/**
 * A document with this content between its marks, such as `<!-- alarms -->` and `<!-- end of alarms -->`; what stands
 * around them stays.
 *
 * @param part What the first mark says; the second one says its first word.
 * @throws when the document lacks a mark.
 */
export function between(part: string, document: string, content: string): string {
  const [first, last] = [`<!-- ${part} -->\n`, `<!-- end of ${part.split(" ")[0]} -->`];
  const [start, end] = [document.indexOf(first), document.indexOf(last)];
  if (start < 0 || end < start) {
    throw new Error(`A document has lost the marks ${first.trim()} and ${last}: put them around its generated part.`);
  }
  return `${document.slice(0, start + first.length)}${content}\n${document.slice(end)}`;
}
