/** A new file for a secret, readable only by its owner. It never overwrites a file. */
import { open, rm } from 'node:fs/promises'
import { Failure } from './failure.ts'

export interface SecretFile {
  write(text: string): Promise<void>
  /** Removes the file, if it is not needed. */
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
