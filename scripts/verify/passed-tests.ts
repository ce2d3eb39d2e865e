/** Which areas passed their unit tests, kept between runs: an unchanged package is not tested again for a change above it. */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Area } from './areas.ts'

const passedFile = 'node_modules/.cache/verify/passed.json'

export class PassedTests {
  readonly #areas: Map<string, Area>
  readonly #passed: Record<string, string>

  constructor(areas: Map<string, Area>) {
    this.#areas = areas
    this.#passed = readPassed()
  }

  isCurrent(area: Area): boolean {
    return this.#passed[area.name] === this.fingerprint(area)
  }

  /** Takes the fingerprint from before the tests ran: a file may have changed meanwhile. */
  record(area: Area, fingerprint: string): void {
    this.#passed[area.name] = fingerprint
    mkdirSync('node_modules/.cache/verify', { recursive: true })
    writeFileSync(passedFile, JSON.stringify(this.#passed))
  }

  /** Covers the sources of the area and of all that it uses, the installed packages and the version of Node. */
  fingerprint(area: Area): string {
    const folders = [area, ...area.uses.flatMap((name) => this.#areas.get(name) ?? [])].map(
      ({ folder }) => folder,
    )
    const files: string[] = folders.flatMap((folder) => globSync(`${folder}/{package.json,src/**/*.*}`))
    const hash = createHash('sha256').update(process.version)
    for (const file of ['package-lock.json', ...files.sort()])
      hash.update(`\0${file}\0`).update(readFileSync(file))
    return hash.digest('hex')
  }
}

function readPassed(): Record<string, string> {
  try {
    return JSON.parse(readFileSync(passedFile, 'utf8')) as Record<string, string>
  } catch {
    // Nothing has passed yet, or the file was cut short: test again.
    return {}
  }
}
