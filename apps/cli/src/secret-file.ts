/** A new file for a secret: only its owner may read it, and one that is there already is left alone. */
import { open, rm } from 'node:fs/promises'
import { Failure } from './failure.ts'

export interface SecretFile {
  write(text: string): Promise<void>
  /** It is not needed after all. */
  remove(): Promise<void>
}

export async function newSecretFile(path: string): Promise<SecretFile> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'the file exists; remove it, or use another name' : error.message
    throw new Failure('usage', `cannot create ${path}: ${reason}`)
  })
  return {
    write: async (text) => {
      await file.writeFile(text)
      await file.close()
    },
    remove: async () => {
      await file.close()
      await rm(path)
    },
  }
}
