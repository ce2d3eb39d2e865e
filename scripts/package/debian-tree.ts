/** The files of one Debian package, and dpkg-deb, which packs them. Owners are root, and dates are the date of the release. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  globSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

export class DebianTree {
  readonly #root: string

  /** @param root an empty directory */
  constructor(root: string) {
    this.#root = root
  }

  put(path: string, content: string | Buffer, mode = 0o644): void {
    const file = this.#place(path)
    writeFileSync(file, content)
    chmodSync(file, mode)
  }

  /** Without a name and a date in its header, so that equal content gives equal bytes. */
  putCompressed(path: string, content: string | Buffer): void {
    this.put(`${path}.gz`, gzipSync(content, { level: 9 }))
  }

  copy(path: string, from: string, mode = 0o644): void {
    const file = this.#place(path)
    copyFileSync(from, file)
    chmodSync(file, mode)
  }

  copyDirectory(path: string, from: string): void {
    cpSync(from, this.#place(path), { recursive: true })
  }

  /** Packs the tree. Every file in /etc is a conffile: an upgrade keeps what the operator changed. */
  pack(fields: Record<string, string>, file: string, date: number, compression: string): void {
    const files = this.#files()
    const bytes = files.reduce((sum, path) => sum + statSync(join(this.#root, path)).size, 0)
    const control = { ...fields, 'Installed-Size': String(Math.ceil(bytes / 1024)) }
    const sums = files
      .filter((path) => !path.startsWith('DEBIAN/'))
      .map((path) => `${this.#sumOf(path)}  ${path}\n`)
    const conffiles = files.filter((path) => path.startsWith('etc/')).map((path) => `/${path}\n`)
    // Description is the last field, because its text has many lines.
    const { Description: description = '', ...others } = control as Record<string, string>
    const lines = Object.entries(others).map(([name, value]) => `${name}: ${value}\n`)
    this.put('DEBIAN/control', `${lines.join('')}Description: ${description}\n`)
    this.put('DEBIAN/md5sums', sums.join(''))
    if (conffiles.length > 0) this.put('DEBIAN/conffiles', conffiles.join(''))
    for (const path of globSync('**/*', { cwd: this.#root }).sort().reverse()) this.#settle(path, date)
    this.#settle('.', date)
    execFileSync('dpkg-deb', ['--root-owner-group', `-Z${compression}`, '--build', this.#root, file], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date), LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }

  #place(path: string): string {
    const file = join(this.#root, path)
    mkdirSync(dirname(file), { recursive: true })
    return file
  }

  #files(): string[] {
    return globSync('**/*', { cwd: this.#root, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.#root.length + 1))
      .sort()
  }

  #sumOf(path: string): string {
    return createHash('md5')
      .update(readFileSync(join(this.#root, path)))
      .digest('hex')
  }

  #settle(path: string, date: number): void {
    const file = join(this.#root, path)
    if (statSync(file).isDirectory()) chmodSync(file, 0o755)
    lutimesSync(file, date, date)
  }
}
