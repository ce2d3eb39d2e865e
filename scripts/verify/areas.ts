/** The parts of the repository that `npm run verify -- AREA` checks alone, read from the workspaces. */
import { globSync, readFileSync } from 'node:fs'

export interface Area {
  name: string
  folder: string
  /** Areas that it imports, directly or through others. */
  uses: string[]
  testFiles: string[]
}

interface Manifest {
  name: string
  dependencies?: Record<string, string>
}

/** By name: `edge` for apps/edge-proxy, the folder's own name for others. */
export function readAreas(): Map<string, Area> {
  const found = globSync(['apps/*/package.json', 'packages/*/package.json', 'tests/package.json']).sort()
  const manifests = new Map(
    found.map((file) => {
      const folder = file.slice(0, -'/package.json'.length)
      const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest
      return [
        manifest.name,
        { folder, name: nameOf(folder), imports: Object.keys(manifest.dependencies ?? {}) },
      ]
    }),
  )
  const usesOf = (workspace: string, seen = new Set<string>()): Set<string> => {
    for (const other of manifests.get(workspace)?.imports ?? [])
      if (manifests.has(other) && !seen.has(other)) usesOf(other, seen.add(other))
    return seen
  }
  const areas = [...manifests].map(([workspace, { name, folder }]): Area => {
    const uses = [...usesOf(workspace)].map((other) => manifests.get(other)?.name ?? other)
    return { name, folder, uses, testFiles: globSync(`${folder}/{src,sim,bench}/**/*.test.ts`).sort() }
  })
  areas.push({
    name: 'scripts',
    folder: 'scripts',
    uses: [],
    testFiles: globSync('scripts/**/*.test.ts').sort(),
  })
  areas.push({ name: 'docs', folder: 'docs', uses: [], testFiles: [] })
  return new Map(areas.map((area) => [area.name, area]))
}

function nameOf(folder: string): string {
  const name = folder.slice(folder.lastIndexOf('/') + 1)
  return name === 'edge-proxy' ? 'edge' : name
}
