/**
 * `npm run package`: builds what is installed into dist/: bundles, Debian packages, the list of what they contain, and
 * SHA256SUMS. The same commit gives the same bytes.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { repository } from '@imapfleet/local'
import { programs, writeBundles, type ProgramName } from './package/bundles.ts'
import { writeDebianPackages } from './package/debian.ts'
import { writeImages } from './package/images.ts'
import { licencesOf, referenceOf } from './package/licences.ts'
import { sbom } from './package/sbom.ts'
import { releaseDate, releaseVersion } from './package/version.ts'

const usage = `Usage: npm run package -- [options]

  --directory DIR   where the artefacts are written; it is emptied first (dist)
  --bundles         only the bundles: one file for each program, without Node
  --images          only the bundles, and the root file systems of the images
  --uncompressed    Debian packages without compression, which is faster
`

const { values } = parseArgs({
  options: {
    directory: { type: 'string', default: join(repository, 'dist') },
    bundles: { type: 'boolean', default: false },
    images: { type: 'boolean', default: false },
    uncompressed: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(usage)
else await build(resolve(values.directory))

async function build(directory: string): Promise<void> {
  const [version, date] = [releaseVersion(), releaseDate()]
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const bundled = await writeBundles(directory)
  const names = Object.keys(programs) as ProgramName[]
  const licences = Object.fromEntries(names.map((name) => [name, licencesOf(bundled[name])]))
  if (values.images) await writeImages(directory, licences)
  else if (!values.bundles) {
    const compression = values.uncompressed ? 'none' : 'xz'
    writeDebianPackages({ directory, version, date, compression, licences })
    const everything = new Set(names.flatMap((name) => bundled[name].map(referenceOf)))
    writeFileSync(join(directory, `imapfleet_${version}.cdx.json`), sbom(everything, version, date))
  }
  const files = globSync('**/*', { cwd: directory, withFileTypes: true, exclude: ['images'] })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort()
  const sums = files.map((file) => `${sha256(join(directory, file))}  ${file}\n`).join('')
  writeFileSync(join(directory, 'SHA256SUMS'), sums)
  process.stdout.write(sums)
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
