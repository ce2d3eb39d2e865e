/** The packages in a bundle: their names and licences, for the people who get it. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { repository } from '@imapfleet/local'

const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string() })

/** @param directories from the repository, such as `node_modules/zod` */
export function licencesOf(directories: readonly string[]): string {
  const parts = directories.map((directory) => {
    const { name, version, license } = readManifest(directory)
    const path = join(repository, directory)
    const [file] = globSync('{LICENSE,LICENCE,license,License,COPYING,UNLICENSE}*', { cwd: path }).sort()
    const text = file === undefined ? `Licence: ${license}` : readFileSync(join(path, file), 'utf8').trim()
    return `${name} ${version} (${license})\n\n${text}\n`
  })
  return parts.join(`\n${'-'.repeat(80)}\n\n`)
}

/** `zod@4.6.7` */
export function referenceOf(directory: string): string {
  const { name, version } = readManifest(directory)
  return `${name}@${version}`
}

const readManifest = (directory: string) =>
  manifestSchema.parse(JSON.parse(readFileSync(join(repository, directory, 'package.json'), 'utf8')))
