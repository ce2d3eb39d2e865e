/** What the bundles and packages contain: CycloneDX, from `npm sbom`, reduced to what is in them. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { repository } from '@imapfleet/local'

const componentSchema = z.object({
  'bom-ref': z.string(),
  type: z.string(),
  name: z.string(),
  version: z.string(),
  purl: z.string(),
  hashes: z.array(z.object({ alg: z.string(), content: z.string() })).optional(),
  licenses: z.array(z.unknown()).optional(),
})
const sbomSchema = z.object({
  components: z.array(componentSchema),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
})

/** @param bundled packages as `name@version` */
export function sbom(bundled: ReadonlySet<string>, version: string, date: number): string {
  const found = sbomSchema.parse(JSON.parse(npm('sbom', '--sbom-format=cyclonedx')))
  const uses = new Map(found.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))
  const wanted = new Set([...bundled, ...packagesBelow(consolePackages(), uses)])
  const node = {
    'bom-ref': `node@${process.versions.node}`,
    type: 'platform',
    name: 'node',
    version: process.versions.node,
    purl: `pkg:generic/node@${process.versions.node}`,
  }
  const components = [...found.components.filter((each) => wanted.has(each['bom-ref'])), node].sort((a, b) =>
    a['bom-ref'] < b['bom-ref'] ? -1 : 1,
  )
  const refs = new Set(components.map((component) => component['bom-ref']))
  const missing = [...wanted].filter((ref) => !refs.has(ref))
  if (missing.length > 0) throw new Error(`npm sbom lacks ${missing.join(', ')}, which are in a bundle`)
  const dependencies = [...refs].map((ref) => ({
    ref,
    dependsOn: (uses.get(ref) ?? []).filter((other) => refs.has(other)).sort(),
  }))
  const content = { components, dependencies }
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  const uuid = digest.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-5$3-8$4-$5')
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      component: { 'bom-ref': `imapfleet@${version}`, type: 'application', name: 'imapfleet', version },
    },
    ...content,
  }
  return `${JSON.stringify(document, undefined, 2)}\n`
}

/** The built console contains these. vite, which builds it, is not among them. */
function consolePackages(): string[] {
  const manifest: unknown = JSON.parse(readFileSync(join(repository, 'apps/console/package.json'), 'utf8'))
  const { dependencies } = z.object({ dependencies: z.record(z.string(), z.string()) }).parse(manifest)
  return Object.entries(dependencies).map(([name, version]) => `${name}@${version}`)
}

/** These packages and what they need, without our own. */
function packagesBelow(
  refs: readonly string[],
  uses: ReadonlyMap<string, string[]>,
  seen = new Set<string>(),
): string[] {
  return refs.flatMap((ref) => {
    if (seen.has(ref)) return []
    seen.add(ref)
    return [
      ...(ref.startsWith('@imapfleet/') ? [] : [ref]),
      ...packagesBelow(uses.get(ref) ?? [], uses, seen),
    ]
  })
}

/** The npm that runs this script, or npm from the PATH. */
function npm(...args: string[]): string {
  const script = process.env['npm_execpath']
  const [command, before] = script === undefined ? ['npm', []] : [process.execPath, [script]]
  return execFileSync(command, [...before, ...args], {
    cwd: repository,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
}
