/** Saved servers and tokens: `profiles.json`, readable only by its owner, and the file that quickstart writes. */
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseJson } from '@imapfleet/protocol'
import { z } from 'zod'
import { Failure } from './failure.ts'
import type { Stored } from './target.ts'

const profilesSchema = z.object({
  current: z.string(),
  profiles: z.record(
    z.string(),
    z.object({
      server: z.string(),
      token: z.string(),
      /** Who signed in through the provider, and until when. */
      person: z.object({ name: z.string(), expiresAt: z.string() }).optional(),
    }),
  ),
})
export type Profiles = z.infer<typeof profilesSchema>

export const profileName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

export async function readProfiles(file: string): Promise<Profiles> {
  const text = await readIfThere(file)
  if (text === undefined) return { current: 'default', profiles: {} }
  const parsed = profilesSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  throw new Failure('usage', `${file} is damaged: repair it, or remove it and run \`imapfleet login\` again`)
}

/** Written to a new file that replaces the old one, so that a crash leaves one of them intact. */
export async function writeProfiles(file: string, profiles: Profiles): Promise<void> {
  const beside = `${file}.${process.pid}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(beside, `${JSON.stringify(profiles, null, 2)}\n`, { mode: 0o600 })
    await chmod(beside, 0o600)
    await rename(beside, file)
  } catch (error) {
    throw new Failure('usage', `cannot write ${file}: ${(error as Error).message}`)
  }
}

const quickstartSchema = z.object({ api: z.string(), token: z.string() })

/** The first of these directories that has, or had, a quickstart. */
export async function readQuickstart(directories: readonly string[]): Promise<Stored | undefined> {
  for (const directory of directories) {
    const file = join(directory, '.run', 'quickstart.json')
    const text = await readIfThere(file)
    if (text === undefined) continue
    const parsed = quickstartSchema.safeParse(parseJson(text))
    if (parsed.success) return { server: parsed.data.api, token: parsed.data.token }
    throw new Failure('usage', `${file} is damaged: remove it and run \`npm run quickstart\` again`)
  }
  return undefined
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new Failure('usage', `cannot read ${file}: ${(error as Error).message}`)
  }
}
