/** Detects that the program on disk was replaced since this process started, for example by an upgrade of the package. */
import { statSync } from 'node:fs'

export class InstalledProgram {
  readonly #files: readonly string[]
  readonly #atStart: string

  /** @param files the executable, and the file that it runs */
  constructor(files: readonly string[] = [process.execPath, process.argv[1] ?? '']) {
    this.#files = files
    this.#atStart = this.#identity()
  }

  get hasChanged(): boolean {
    return this.#identity() !== this.#atStart
  }

  #identity(): string {
    return this.#files
      .map((file) => {
        const found = statSync(file, { throwIfNoEntry: false, bigint: true })
        return found && `${found.dev} ${found.ino} ${found.size} ${found.mtimeNs}`
      })
      .join()
  }
}
