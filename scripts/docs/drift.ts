/** Generated parts match the code. */
import { existsSync, readFileSync } from 'node:fs'
import { manuals, wholeFiles } from '../manuals/all.ts'
import { withRegion } from '../manuals/region.ts'
import { readPage, type Complaint } from '../page.ts'

export function manualDrift(): Complaint[] {
  return manuals.flatMap((manual): Complaint[] => {
    const { file, region } = manual
    if (!existsSync(file)) return [{ file, line: 1, message: `does not exist; it holds "${region}"` }]
    const page = readPage(file)
    const written = withRegion(page.text, manual)
    if (written === undefined)
      return [{ file, line: 1, message: `has lost its region "${region}"; put its two comments back` }]
    return driftOf(file, page.text, written, region)
  })
}

export function fileDrift(): Complaint[] {
  return wholeFiles.flatMap(({ file, text }) =>
    driftOf(file, existsSync(file) ? readFileSync(file, 'utf8') : '', text(), 'it'),
  )
}

function driftOf(file: string, found: string, made: string, what: string): Complaint[] {
  if (found === made) return []
  const lines = made.split('\n')
  const first = found.split('\n').findIndex((line, index) => line !== lines[index])
  return [
    { file, line: Math.max(0, first) + 1, message: `${what} is not what the code says; run npm run manuals` },
  ]
}
