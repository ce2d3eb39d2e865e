/** What is made from the code still says what the code says. */
import { existsSync } from 'node:fs'
import { manuals } from '../manuals/all.ts'
import { withRegion } from '../manuals/region.ts'
import { readPage, type Complaint } from './page.ts'

export function manualDrift(): Complaint[] {
  return manuals.flatMap((manual): Complaint[] => {
    const { file, region } = manual
    if (!existsSync(file)) return [{ file, line: 1, message: `does not exist; it holds "${region}"` }]
    const page = readPage(file)
    const written = withRegion(page.text, manual)
    if (written === undefined)
      return [{ file, line: 1, message: `has lost its region "${region}"; put its two comments back` }]
    if (written === page.text) return []
    const made = written.split('\n')
    const first = page.lines.findIndex((line, index) => line !== made[index])
    return [{ file, line: first + 1, message: `${region} is not what the code says; run npm run manuals` }]
  })
}
