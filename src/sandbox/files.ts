// Files that the sandbox writes for submitters.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of sandboxes that nobody has closed: deleted when the process ends. */
const temporary = new Set<string>();
process.once('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});

/** Files for submitters, next to the state file, or else in a folder that is deleted when the process ends. */
export class Files {
  #folder: string | undefined;

  constructor(private readonly stateFile: string | undefined) {}

  write(name: string, contents: string): string {
    const path = this.stateFile === undefined ? join(this.#temporary(), name) : `${this.stateFile}.${name}`;
    writeFileSync(path, contents);
    return path;
  }

  #temporary(): string {
    if (this.#folder === undefined) {
      this.#folder = mkdtempSync(join(tmpdir(), 'canton-sandbox-'));
      temporary.add(this.#folder);
    }
    return this.#folder;
  }

  remove(): void {
    if (this.#folder === undefined) return;
    temporary.delete(this.#folder);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
