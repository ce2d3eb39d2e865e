/**
 * One file for each program, with everything that it imports. Names and lines stay as they are in the sources, so that a
 * stack trace can be read; a comment in front of each module names its file.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, globSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { rolldown } from 'rolldown'
import { repository, sources } from '@imapfleet/local'

/** The programs and where they start. */
export const programs = {
  'imapfleet-edge': sources.edge,
  'imapfleet-control': sources.control,
  imapfleet: sources.cli,
} as const

export type ProgramName = keyof typeof programs

/** Directories of the packages in a bundle, from the repository, such as `node_modules/zod`. */
export type BundledPackages = string[]

/** Writes the bundles, and beside them the migrations and the console of control. */
export async function writeBundles(directory: string): Promise<Record<ProgramName, BundledPackages>> {
  mkdirSync(directory, { recursive: true })
  const packages = {
    'imapfleet-edge': await writeBundle('imapfleet-edge', directory),
    'imapfleet-control': await writeBundle('imapfleet-control', directory),
    imapfleet: await writeBundle('imapfleet', directory),
  }
  for (const file of globSync('{*.sql,meta/_journal.json}', {
    cwd: join(repository, 'apps/control/drizzle'),
  }))
    cpSync(join(repository, 'apps/control/drizzle', file), join(directory, 'drizzle', file))
  execFileSync(process.execPath, [join(repository, 'apps/console/build.ts')], { stdio: 'inherit' })
  cpSync(join(repository, 'apps/console/dist'), join(directory, 'console'), {
    recursive: true,
    filter: (file) => basename(file) !== 'fingerprint',
  })
  return packages
}

async function writeBundle(name: ProgramName, directory: string): Promise<BundledPackages> {
  const file = join(directory, `${name}.mjs`)
  const build = await rolldown({
    cwd: repository,
    input: programs[name],
    platform: 'node',
    // It would drop a call whose result is not used, such as that of decodeURIComponent, which throws.
    treeshake: false,
    // An import that is not found would fail on the host only.
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(`${name}: ${log.message}`)
    },
  })
  const { output } = await build.write({
    file,
    format: 'esm',
    codeSplitting: false,
    comments: { legal: true },
    // The default drops these calls too.
    minify: false,
  })
  await build.close()
  chmodSync(file, 0o755)
  const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []))
  return [...new Set(modules.flatMap(packageOf))].sort()
}

const packagePath = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/@][^/]*)\//

function packageOf(module: string): string[] {
  const directory = packagePath.exec(module)?.[1]
  return directory?.startsWith(`${repository}/`) ? [directory.slice(repository.length + 1)] : []
}
