// The lines of a stream, numbered, as they arrive; an endless line does not fill the memory.

export type Line =
  | { readonly kind: 'line'; readonly number: number; readonly text: string }
  | { readonly kind: 'too-long'; readonly number: number; readonly begin: string };

/** How much of an overlong line is kept, to identify it. */
const BEGIN = 20;

/** `most`: characters of a line. A longer one is read to its end, but not kept. */
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
