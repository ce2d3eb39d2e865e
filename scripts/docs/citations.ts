/** What pages cite exists: files, links and their headings, npm scripts. */
import { existsSync, globSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { finds, readPage, type Complaint, type DocPage } from './page.ts'

const topLevel = /^(?:\.ci|apps|docs|infra|packages|scripts|tests)\//
const rootFile =
  /^(?:[A-Z-]+\.md|LICENSE|package(?:-lock)?\.json|knip\.json|tsconfig(?:\.base)?\.json|oxlint\.config\.ts)$/

/** `apps/edge-proxy/src/main.ts` between backticks, also with a line number, a command around it, or a pattern. */
export function missingPaths(pages: DocPage[]): Complaint[] {
  return pages.flatMap((page) =>
    finds(page, /`([^`]+)`/g).flatMap(({ found, ...place }) =>
      found
        .split(/[\s=]+/)
        .map((word) => word.replace(/^["'(]|["'),;:]+$|:\d+(-\d+)?$/g, ''))
        .filter(
          (word) => (topLevel.test(word) || rootFile.test(word)) && !/[<>$]|\.\.\.|[A-Z]{3,}$/.test(word),
        )
        // What a build makes is not there before the build.
        .filter((word) => !/\/dist(?:\/|$)/.test(word))
        .filter((word) => !existsSync(word) && globSync(word).length === 0)
        .map((word) => ({ ...place, message: `${word} does not exist; cite what does` })),
    ),
  )
}

/** `[text](other.md#heading)`, relative to the page. */
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
