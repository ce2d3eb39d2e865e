/**
 * `npm run package`: builds what is installed into dist/: bundles, Debian packages, the list of what they contain, and
 * SHA256SUMS. The same commit gives the same bytes.
 */
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

  --directory DIR   where the artefacts are written (dist)
  --bundles         only the bundles: one file for each program, without Node
  --images          only the root file systems of the images, into the directory images in it. They replace earlier
                    ones, and nothing else; without --images, all but the images is replaced
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
else if (values.images) await buildImages(resolve(values.directory))
else await build(resolve(values.directory))

async function build(directory: string): Promise<void> {
  const [version, date] = [releaseVersion(), releaseDate()]
  mkdirSync(directory, { recursive: true })
  for (const name of readdirSync(directory))
    if (name !== 'images') rmSync(join(directory, name), { recursive: true })
  const { bundled, licences } = await bundlesIn(directory)
  if (!values.bundles) {
    const compression = values.uncompressed ? 'none' : 'xz'
    writeDebianPackages({ directory, version, date, compression, licences })
    const everything = new Set(Object.values(bundled).flat().map(referenceOf))
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

async function buildImages(directory: string): Promise<void> {
  const work = join(directory, 'images-work')
  rmSync(work, { recursive: true, force: true })
  const { licences } = await bundlesIn(work)
  await writeImages(join(directory, 'images'), work, licences)
  rmSync(work, { recursive: true })
}

async function bundlesIn(directory: string) {
  const bundled = await writeBundles(directory)
  const names = Object.keys(programs) as ProgramName[]
  const licences = Object.fromEntries(names.map((name) => [name, licencesOf(bundled[name])]))
  return { bundled, licences }
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
