// Lines of a stream, each with its number, as they come; one that never ends does not fill the memory.

export type Line =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly number: number; readonly begin: string };

/** Of a line that is too long, so much is kept, to tell it by. */
const BEGIN = 20;

/** `most`: characters of a line. What is longer is read to its end, and not kept. */
export async function* linesOf(chunks: AsyncIterable<string>, most: number): AsyncGenerator<Line> {
  let number = 1;
  let held = '';
  let tooLong = false;
  const whole = (): Line =>
    tooLong
      ? { kind: 'too-long', number, begin: held.slice(0, BEGIN) }
      : { kind: 'line', number, text: held.replace(/\r$/, '') };
  for await (const chunk of chunks) {
    const parts = chunk.split('\n');
    for (const [place, part] of parts.entries()) {
      if (place > 0) {
        yield whole();
        number += 1;
        held = '';
        tooLong = false;
      }
      tooLong ||= held.length + part.length > most;
      held = tooLong ? (held + part).slice(0, BEGIN) : held + part;
    }
  }
  if (held !== '' || tooLong) yield whole();
}
