/** Certificates for one test run: an authority made by openssl, and the certificates that it signs. */
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const openssl = (...args: string[]) => run('openssl', args)
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

export interface Certificate {
  certFile: string
  keyFile: string
}

export class Authority {
  readonly caFile: string
  readonly #keyFile: string
  readonly #directory: string
  #count = 0

  private constructor(directory: string) {
    this.#directory = directory
    this.caFile = join(directory, 'ca.pem')
    this.#keyFile = join(directory, 'ca.key')
  }

  /** Its files are in `parent`, readable by the account of the edge. */
  static async make(parent: string, name = 'Test authority'): Promise<Authority> {
    const directory = join(parent, `certs-${randomUUID()}`)
    await mkdir(directory, { mode: 0o755 })
    const authority = new Authority(directory)
    const { caFile } = authority
    const keyFile = authority.#keyFile
    await openssl(
      'req',
      '-x509',
      ...newKey,
      '-keyout',
      keyFile,
      '-out',
      caFile,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
    )
    return authority
  }

  get ca(): Promise<string> {
    return readFile(this.caFile, 'utf8')
  }

  /** A certificate for names (`DNS:localhost`, `IP:127.0.0.1`). Each has its own serial number. */
  async issue(commonName: string, names: string): Promise<Certificate> {
    this.#count += 1
    const base = join(this.#directory, `${this.#count}`)
    const files = { certFile: `${base}.pem`, keyFile: `${base}.key` }
    const extensions = `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`
    await writeFile(`${base}.ext`, extensions)
    await openssl(
      'req',
      ...newKey,
      '-keyout',
      files.keyFile,
      '-out',
      `${base}.csr`,
      '-subj',
      `/CN=${commonName}`,
    )
    const signing = [
      '-CA',
      this.caFile,
      '-CAkey',
      this.#keyFile,
      '-set_serial',
      `${this.#count}`,
      '-days',
      '2',
    ]
    await openssl(
      'x509',
      '-req',
      '-in',
      `${base}.csr`,
      '-out',
      files.certFile,
      ...signing,
      '-extfile',
      `${base}.ext`,
    )
    await chmod(files.keyFile, 0o644)
    return files
  }
}
