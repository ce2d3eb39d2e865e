/** What pages cite exists: files, links and their headings, npm scripts. */
import { existsSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { finds, readPage, type Complaint, type DocPage } from '../page.ts'
import { isInCode, isInRepository } from '../repository-files.ts'

const notInside = String.raw`(?<![\w/.@-])`
const citedPath = new RegExp(
  [
    // From a folder of the root.
    String.raw`${notInside}(?:\.ci|apps|docs|infra|packages|scripts|tests)/[\w.*/@-]*[\w*]`,
    // A source file or page, by its last parts.
    String.raw`${notInside}[\w.*@-]+(?:/[\w.*@-]+)*\.(?:ts|tsx|mjs|md)\b`,
    // A folder with a slash behind it.
    String.raw`${notInside}[a-z][\w-]*(?:/[\w-]+)*/(?=[\s\x60,.;:)]|$)`,
  ].join('|'),
  'g',
)
const rootFile =
  /(?<![\w/.-])(?:LICENSE|package(?:-lock)?\.json|knip\.json|tsconfig(?:\.base)?\.json)(?![\w/])/g
// `idleTimeoutMs`, `LinkHandler`, `sent_as` between backticks; the text may be what stands between them.
const citedName = /(?<=`|^)[a-z]+[A-Z_]\w+(?=`|$)|(?<=`|^)[A-Z][a-z]+[A-Z]\w*(?=`|$)/g
// Made when the software is built or runs.
const made = /(?:^|\/)(?:dist|node_modules|\.run)(?:\/|$)/

/** What is wrong with the files, folders, names of the code and decision records that a piece of text cites. */
export function citesMissing(text: string): string[] {
  const paths = [...text.matchAll(citedPath), ...text.matchAll(rootFile)].map(([found]) => found)
  const records = [...text.matchAll(/\bADR (\d+)\b/g)].map(([, number = '']) => number)
  return [
    ...paths
      .filter((found) => !made.test(found) && !isInRepository(found))
      .map((found) => `${found} does not exist; cite what does`),
    ...[...text.matchAll(citedName)]
      .filter(([found]) => !isInCode(found))
      .map(([found]) => `the name ${found} is not in the code; cite one that is`),
    ...records
      .filter((number) => !isInRepository(`docs/adr/${number.padStart(4, '0')}-*`))
      .map((number) => `docs/adr has no record ${number}`),
  ]
}

/** `apps/edge-proxy/src/main.ts`, `main.ts`, `pool/` between backticks, also with a line number or a command around. */
export function missingPaths(pages: DocPage[]): Complaint[] {
  return pages.flatMap((page) => [
    ...finds(page, /`([^`]+)`/g).flatMap(({ found, ...place }) =>
      citesMissing(found).map((message) => ({ ...place, message })),
    ),
    ...finds(page, /(\bADR \d+)/g).flatMap(({ found, ...place }) =>
      citesMissing(found).map((message) => ({ ...place, message })),
    ),
  ])
}

/** Links to other pages and to their headings, relative to the page. */
export function brokenLinks(pages: DocPage[]): Complaint[] {
  return pages.flatMap((page) =>
    finds(page, /\]\(([^)\s]+)\)/g).flatMap(({ found, ...place }) => {
      if (/^[a-z]+:/.test(found)) return []
      const [path, heading] = found.split('#', 2)
      const target = path ? normalize(join(dirname(page.file), path)) : page.file
      if (!existsSync(target)) return [{ ...place, message: `${found} leads nowhere; link to what exists` }]
      return heading && target.endsWith('.md') && !headingsOf(readPage(target)).includes(heading)
        ? [{ ...place, message: `${target} has no heading #${heading}` }]
        : []
    }),
  )
}

/** As GitHub makes them from headings. */
function headingsOf(page: DocPage): string[] {
  return finds(page, /^#+\s+(.*)$/g).map(({ found }) =>
    found
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

/** `npm run NAME`, `npm test`. */
export function missingScripts(pages: DocPage[], scripts: Record<string, string>): Complaint[] {
  return pages.flatMap((page) =>
    [...finds(page, /\bnpm run (?:-s |--silent )?([a-z][\w:-]*)/g), ...finds(page, /\bnpm (test|start)\b/g)]
      .filter(({ found }) => !Object.hasOwn(scripts, found))
      .map(({ found, ...place }) => ({ ...place, message: `package.json has no script "${found}"` })),
  )
}

/** `imapfleet COMMAND`, in backticks or in an example. The CLI is not imported here: its source is read as text. */
export function missingCommands(pages: DocPage[]): Complaint[] {
  const source = globSync('apps/cli/src/**/*.ts').map((file) => readPage(file).text)
  const commands = new Set(
    source.flatMap((text) => [...text.matchAll(/\.command\('([\w-]+)/g)].map(([, name]) => name)),
  )
  return pages.flatMap((page) =>
    [
      ...finds(page, /`imapfleet ([a-z][\w-]*)/g),
      ...finds(examplesOf(page), /^\s*(?:\$ )?imapfleet ([a-z][\w-]*)/g),
    ]
      .filter(({ found }) => !commands.has(found))
      .map(({ found, ...place }) => ({ ...place, message: `the CLI has no command "${found}"` })),
  )
}

/** The page with only its fenced blocks left. */
function examplesOf(page: DocPage): DocPage {
  let inside = false
  const lines = page.lines.map((line) => {
    if (!line.trimStart().startsWith('```')) return inside ? line : ''
    inside = !inside
    return ''
  })
  return { ...page, lines }
}
