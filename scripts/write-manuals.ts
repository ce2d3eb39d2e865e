/** `npm run manuals`: writes what is generated from the code. `npm run verify:docs` finds outdated parts. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { manuals, wholeFiles } from './manuals/all.ts'
import { withRegion } from './manuals/region.ts'

for (const { file, text } of wholeFiles) {
  if (existsSync(file) && readFileSync(file, 'utf8') === text()) continue
  writeFileSync(file, text())
  console.log(`${file} written`)
}
for (const manual of manuals) {
  const page = readFileSync(manual.file, 'utf8')
  const written = withRegion(page, manual)
  if (written === undefined) {
    console.error(
      `${manual.file} has no region "${manual.region}"; put its two comments back where it belongs`,
    )
    process.exitCode = 1
  } else if (written !== page) {
    writeFileSync(manual.file, written)
    console.log(`${manual.file}: ${manual.region} written`)
  }
}
