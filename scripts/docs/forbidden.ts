/** Paths and addresses that would tie the repository to one machine. */
import { readPage, type Complaint } from '../page.ts'
import { repositoryFiles } from '../repository-files.ts'

/** Directories with checkouts. Put together here so that this file does not contain them. */
const machinePath = new RegExp(`(?:^|[\\s"'\`(=:])(/(?:work|home|root|Users)/[\\w.-]+)`, 'g')
const text =
  /\.(?:cjs|conf|css|html|js|json|jsonc|md|mjs|py|service|sh|sql|ts|tsx|txt|ya?ml)$|^[^.]+$|(?:^|\/)\.[\w.-]+$/

export function forbiddenWords(): Complaint[] {
  return repositoryFiles()
    .filter((file) => text.test(file))
    .flatMap((file) => (file === 'package-lock.json' ? inLockFile(file) : inFile(file)))
}

function inFile(file: string): Complaint[] {
  return readLines(file).flatMap((line, index) =>
    [...line.matchAll(machinePath)].map(([, path]) => ({
      file,
      line: index + 1,
      message: `${path} is a path of one machine; write it relative to the repository`,
    })),
  )
}

/** .npmrc leaves the addresses out: with them a clone installs from one registry only. */
function inLockFile(file: string): Complaint[] {
  return readLines(file).flatMap((line, index) =>
    /"resolved": "[a-z+]*https?:/.test(line)
      ? [
          {
            file,
            line: index + 1,
            message: 'names a registry; run npm install with the .npmrc of this repository',
          },
        ]
      : [],
  )
}

function readLines(file: string): string[] {
  try {
    return readPage(file).lines
  } catch {
    // Deleted, but not yet in the index.
    return []
  }
}
